"""Real pulses: the energy of recorded germanium-detector pulses, by a network that has only seen synthetic ones.

The file holds 100 digitised pulses of a germanium detector's charge-sensitive preamplifier, 16 ns a sample, with the
energy that the data acquisition computed on-line. A pulse is a step that decays over hundreds of microseconds. Means of
64 samples make 64 values of it, which the same network reads as it reads a scintillator's samples.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
from rich.console import Console

from pulse.chip import exact_answers, float_answers, quantize, quantize_16, refusal, target_answers
from pulse.detector import Array, Detector
from pulse.network import PulseNet, as_input, as_words
from pulse.rounding import equalize, measure_ranges, under_rounding
from pulse.training import Training, as_tensor, train

DATA = "hpge_pulses_LDQTA100.npz"
BLOCK = 64
"""Samples in one mean."""
START = 1424
"""First sample used, so that the step lies at a third of the window."""
DECAY = 10_700 / BLOCK
"""Time constant of the preamplifier's decay in means: 171 µs, read off the recorded pulses' ends."""
NOISE = 14.0
"""Standard deviation of a mean's noise in the recorder's counts: differences of neighbouring means on the baselines."""
GAIN = 1 / 8
"""Of the recorder's 16-bit counts to the 12 bits of the network's input."""
BASELINE = 200.0
"""Counts of 12 bits that the baseline is put at."""
TRAINING = Training(steps=2500, rate=2e-3)
ROUNDED = Training(steps=800, rate=5e-4)
PLACES = {"shortcut": ("stem", "up"), "down": ("down",), "deep": ("deep",), "sum": ("both",)}
PLACES |= {name: (name,) for name in ("join", "hidden")}
"""Layers whose results have one grid, by the name of the place."""


def windows(recorded: Array) -> Array:
    """(n, 5592) samples → (n, 64) counts of 12 bits: means, less the mean of the first 16 of them."""
    n = len(recorded)
    means = recorded[:, START : START + BLOCK * 64].astype(float).reshape(n, 64, BLOCK).mean(axis=2)
    level = (means - means[:, :16].mean(axis=1, keepdims=True)) * GAIN + BASELINE
    return np.clip(np.rint(level), 0, 4095)


class Steps:
    """Synthetic steps as training draws them: height uniform in its logarithm, decay, drifting baseline, noise."""

    def __init__(self, training: Training) -> None:
        self._count = training.batch
        self._random = torch.Generator().manual_seed(training.seed)

    def draw(self) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        """Inputs, truth and unit of error, of which only the second column, the energy, counts here."""
        n, place = self._count, torch.arange(64.0)

        def uniform(low: float, high: float) -> torch.Tensor:
            return low + (high - low) * torch.rand((n, 1), generator=self._random)

        height = torch.exp(uniform(np.log(150.0), np.log(3800.0)))
        start, rise = uniform(20.0, 23.0), uniform(0.2, 1.5)
        since = place - start
        step = (since / rise).clamp(0, 1) * torch.exp(-since.clamp(min=0) / DECAY)
        drift = torch.randn((n, 1), generator=self._random) * uniform(0.0, 1.0) ** 4 * 6 * (place - 8)
        noise = torch.randn((n, 64), generator=self._random) * NOISE * GAIN
        counts = (BASELINE + height * step + drift + noise).round().clamp(0, 4095)
        truth = torch.cat((torch.zeros(n, 1), height / Detector().amplitude * 2 - 1), dim=1)
        unit = (0.002 * height + 1.0) / Detector().amplitude * 2
        return as_tensor(counts), truth, torch.cat((torch.full((n, 1), 1e3), unit), dim=1)


def trapezoid(counts: Array, rise: int = 16, flat: int = 3) -> Array:
    """(n,) heights by a trapezoidal filter of means, after the decay is undone: the classical way."""
    level = counts - BASELINE
    flatted = level + np.cumsum(level, axis=1) / DECAY
    total = np.cumsum(np.pad(flatted, ((0, 0), (1, 0))), axis=1)
    ends = np.arange(rise + flat, 64 - rise + 1)
    after = total[:, ends + rise] - total[:, ends]
    before = total[:, ends - flat] - total[:, ends - flat - rise]
    return np.asarray((after - before).max(axis=1) / rise)


def scatter(heights: Array, recorded: Array) -> float:
    """The half width, relative, that holds 68 % of the differences to the recorded energy, on the best straight line.

    The line is fitted to the nine tenths of the pulses nearest to it: some records hold two pulses, or none.
    """
    kept = np.ones(len(heights), bool)
    for _ in range(20):
        slope, offset = np.polyfit(heights[kept], recorded[kept], 1, w=1 / recorded[kept])
        error = np.abs(recorded - slope * heights - offset) / recorded
        kept = error <= np.quantile(error, 0.9)
    return float(np.quantile(error, 0.68))


def germanium(path: Path, folder: Path, target: str, console: Console) -> dict[str, float]:
    """Train on synthetic steps, run the recorded ones, print how far energies are from the recorded; by method.

    The integers are the oracle's. Those of 16 bits run on `target` too, if it takes them, and must be the same.
    """
    with np.load(path) as file:
        counts, recorded = windows(file["wf"]), file["daq_energy"].astype(float)
    torch.manual_seed(1)
    net = train(PulseNet(), TRAINING, batches=Steps(TRAINING))
    inputs = as_input(counts.astype(np.int16))
    answers = {"network, float": float_answers(net, inputs)}
    samples = torch.cat([Steps(TRAINING).draw()[0] for _ in range(4)])
    few, words = samples[:512].numpy(), as_words(inputs)
    wide = quantize_16(net, as_words(few), folder / "16-bit")
    answers["network, 16 bits between layers"] = exact_answers(wide, words)
    for name, layers in PLACES.items():
        mixed = quantize_16(net, as_words(few), folder / f"16-bit but {name}", layers)
        answers[f"  8 bits in one place: {name}"] = exact_answers(mixed, words)
    equalize(net, samples)
    ranges = measure_ranges(net, samples)
    with under_rounding(net, ranges):
        train(net, ROUNDED, batches=Steps(ROUNDED))
    answers["network, int8, trained under rounding"] = exact_answers(
        quantize(net, ranges, few, folder / "8-bit"), inputs
    )
    found = {"trapezoidal filter": scatter(trapezoid(counts), recorded)}
    found |= {name: scatter(values[:, 1].astype(float), recorded) for name, values in answers.items()}
    console.print(f"{len(recorded)} germanium pulses, energy against the recorded one, half width of 68 %:")
    for name, width in found.items():
        console.print(f"  {name}: {100 * width:.2f} %")
    why = refusal(wide, target)
    if why:
        console.print(f"  the 16 bits do not run on {target}: {why}")
    else:
        target_answers(wide, target, words, folder / target)
        console.print(f"  16 bits on {target}: every bit of every answer is the oracle's")
    return found
