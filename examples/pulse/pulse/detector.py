"""What a detector's electronics make of one particle: shape, noise and sampling, with every number in one place."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Detector:
    """A scintillator, its photosensor, a preamplifier and an ADC. README.md says where the defaults come from.

    A pulse is energy * amplitude * shape(t - arrival; collection) + baseline + noise, rounded to whole counts. Its
    charge is in proportion to the energy, whatever the collection time; its peak is not quite.
    """

    rise_ns: float = 0.5
    """Time constant of the scintillation's rise, ns. LYSO: well below a nanosecond."""
    decay_ns: float = 40.0
    """Time constant of the scintillation's decay, ns. LYSO: 40."""
    collection_ns: float = 6.0
    """Mean time constant of light collection and photosensor together, ns."""
    collection_spread: float = 0.1
    """Standard deviation of it from pulse to pulse, relative: it depends on where in the crystal the light is made."""
    preamplifier_ns: tuple[float, float] = (10.0, 14.0)
    """Time constants of the preamplifier's two poles, ns: a bandwidth that suits the sampling."""
    period_ns: float = 8.0
    """Sampling period of the ADC, ns: 125 million samples a second."""
    samples: int = 64
    """Samples in one recorded window."""
    trigger: int = 16
    """The sample at which the earliest pulses arrive; those before it show the baseline."""
    jitter: float = 4.0
    """Arrival times are uniform over this many sampling periods from the trigger on."""
    energy_spread: float = 0.1
    """Standard deviation of the energy, relative to its mean of 1."""
    amplitude: float = 1600.0
    """Peak of a pulse of mean energy and mean collection time above the baseline, ADC counts."""
    baseline: float = 200.0
    """Mean baseline, ADC counts."""
    baseline_spread: float = 4.0
    """Standard deviation of the baseline from pulse to pulse, ADC counts: pile-up tails, temperature."""
    bits: int = 12
    """Bits of the ADC."""
    corner_mhz: float = 2.0
    """Frequency at which 1/f noise is as dense as white noise, MHz."""
    restorer_mhz: float = 0.01
    """Frequency below which the baseline restorer removes noise, MHz."""

    def shape(self, t_ns: Array, collection_ns: Array | float | None = None) -> Array:
        """The pulse `t_ns` after arrival, 1 at its peak for the mean collection time; arguments broadcast."""
        tau = self.collection_ns if collection_ns is None else collection_ns
        value: Array = self._sum(t_ns, tau)[0] / self._peak
        return value

    def shape_by_time(self, t_ns: Array, collection_ns: Array | float) -> Array:
        """d shape / d t_ns."""
        value: Array = self._sum(t_ns, collection_ns)[1] / self._peak
        return value

    def shape_by_collection(self, t_ns: Array, collection_ns: Array | float) -> Array:
        """d shape / d collection_ns."""
        value: Array = self._sum(t_ns, collection_ns)[2] / self._peak
        return value

    @cached_property
    def _peak(self) -> float:
        t = np.linspace(0, 10 * self.decay_ns, 100_001)
        return float(self._sum(t, self.collection_ns)[0].max())

    def _sum(self, t_ns: Array, collection_ns: Array | float) -> tuple[Array, Array, Array]:
        """Response of poles one behind the other, its derivative by time, and that by the collection constant.

        Scintillation with rise and decay is two poles as well: (exp(-t/decay) - exp(-t/rise)) / (decay - rise). With
        distinct time constants T_i the response of n poles is the sum of c_i exp(-t / T_i), where
        c_i = T_i**(n - 2) / product over j of (T_i - T_j).
        """
        t, tau = np.broadcast_arrays(np.asarray(t_ns, float), np.asarray(collection_ns, float))
        constants = [np.full_like(tau, c) for c in (self.rise_ns, self.decay_ns, *self.preamplifier_ns)] + [tau]
        last, n = len(constants) - 1, len(constants)
        late = np.maximum(t, 0)
        value, by_time, by_tau = (np.zeros_like(tau) for _ in range(3))
        for i, own in enumerate(constants):
            others = [own - other for j, other in enumerate(constants) if j != i]
            c = own ** (n - 2) / np.prod(others, axis=0)
            term = c * np.exp(-late / own)
            value += term
            by_time -= term / own
            if i == last:
                by_tau += term * ((n - 2) / own - sum(1 / other for other in others) + late / own**2)
            else:
                by_tau += term / (own - tau)
        begun = t > 0
        return value * begun, by_time * begun, by_tau * begun

    @property
    def times_ns(self) -> Array:
        """(samples,) of the recorded samples, ns, 0 at the trigger."""
        return (np.arange(self.samples) - self.trigger) * self.period_ns

    def noise_rms(self, snr_db: float) -> float:
        """Standard deviation of one sample's noise before the ADC, counts: SNR = 20 log10(amplitude / noise_rms)."""
        return self.amplitude * float(10 ** (-snr_db / 20))

    @cached_property
    def correlation(self) -> Array:
        """(samples, samples) covariance of the noise, 1 on the diagonal: white and 1/f up to half the sampling rate."""
        nyquist = 500 / self.period_ns
        f = np.geomspace(self.restorer_mhz, nyquist, 20_001)
        density = self.corner_mhz / f
        lags = np.arange(self.samples)
        phase = np.cos(2e-3 * np.pi * f * self.period_ns * lags[:, None])
        pink = np.trapezoid(density * phase, f, axis=1)
        row = pink + nyquist * (lags == 0)
        return np.asarray(row[np.abs(lags[:, None] - lags)] / row[0])


@dataclass(frozen=True)
class Pulses:
    """Recorded pulses and the truth about them.

    Attributes:
        counts: (n, samples) what the ADC gave, int16.
        time: (n,) arrival after the trigger, in sampling periods.
        energy: (n,) in units of the mean energy.
        collection_ns: (n,) collection time constants.
        snr_db: (n,) signal-to-noise ratio at which each was made.
    """

    counts: npt.NDArray[Any]
    time: Array
    energy: Array
    collection_ns: Array
    snr_db: Array


def generate(
    detector: Detector, count: int, snr_db: Array | float, rng: np.random.Generator, *, rounded: bool = True
) -> Pulses:
    """`count` pulses; `snr_db` is one for all or one for each. Without `rounded`, counts are left as they come."""
    snr = np.broadcast_to(np.asarray(snr_db, float), (count,))
    time = rng.uniform(0, detector.jitter, count)
    energy = 1 + detector.energy_spread * rng.normal(size=count)
    collection = detector.collection_ns * (1 + detector.collection_spread * rng.normal(size=count))
    baseline = detector.baseline + detector.baseline_spread * rng.normal(size=count)
    t = detector.times_ns - detector.period_ns * time[:, None]
    clean = detector.amplitude * energy[:, None] * detector.shape(t, collection[:, None]) + baseline[:, None]
    noise = rng.normal(size=(count, detector.samples)) @ np.linalg.cholesky(detector.correlation).T
    rms = detector.amplitude * 10 ** (-snr / 20)
    counts = clean + rms[:, None] * noise
    if rounded:
        counts = np.clip(np.rint(counts), 0, 2**detector.bits - 1).astype(np.int16)
    return Pulses(counts, time, energy, collection, snr)
