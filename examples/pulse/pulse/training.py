"""Trains the pulse network on pulses that are made as it goes: no two batches have the same noise."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import torch

from pulse.bound import bound
from pulse.detector import Detector, generate
from pulse.network import LOW_BITS, PulseNet, targets


@dataclass(frozen=True)
class Training:
    """How the network is trained."""

    steps: int = 8000
    """Batches."""
    batch: int = 384
    """Pulses in one."""
    rate: float = 3e-3
    """Largest learning rate of Adam; it rises over a twentieth of the steps and falls as a cosine."""
    snr_db: tuple[float, float] = (18.0, 62.0)
    """Signal-to-noise ratios of the pulses, uniform between these, dB."""
    settled_db: float = 52.0
    """Above this errors count no more than at it: what the network's size leaves is shared out over all ratios."""
    shapes: int = 2**16
    """Noiseless pulses that batches are drawn from."""
    seed: int = 1


class Batches:
    """Random pulses as tensors: clean ones from a table, noise and rounding made anew each time."""

    def __init__(self, detector: Detector, training: Training) -> None:
        rng = np.random.default_rng(training.seed)
        quiet = generate(detector, training.shapes, 300.0, rng, rounded=False)
        self._clean = torch.tensor(quiet.counts).float()
        self._truth = targets(detector, quiet.time, quiet.energy)
        self._factor = torch.tensor(np.linalg.cholesky(detector.correlation).T).float()
        self._detector, self._training = detector, training
        self._random = torch.Generator().manual_seed(training.seed)
        grid = np.linspace(*training.snr_db, 45)
        found = [bound(detector, min(float(s), training.settled_db), 400) for s in grid]
        units = np.array([[b.time / detector.jitter * 2, b.energy / detector.energy_spread] for b in found])
        self._grid, self._least = grid, torch.tensor(units).float()

    def draw(self) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        """Inputs, answers, and the bound of each answer's error."""
        t, d = self._training, self._detector
        pick = torch.randint(len(self._clean), (t.batch,), generator=self._random)
        snr = torch.rand(t.batch, generator=self._random) * (t.snr_db[1] - t.snr_db[0]) + t.snr_db[0]
        rms = d.amplitude * 10 ** (-snr / 20)
        noise = torch.randn(t.batch, d.samples, generator=self._random) @ self._factor
        counts = (self._clean[pick] + rms[:, None] * noise).round_().clamp_(0, 2**d.bits - 1)
        place = (snr - t.snr_db[0]) / (t.snr_db[1] - t.snr_db[0]) * (len(self._grid) - 1)
        low = place.long().clamp(max=len(self._grid) - 2)
        part = (place - low)[:, None]
        least = self._least[low] * (1 - part) + self._least[low + 1] * part
        return as_tensor(counts), self._truth[pick], least


def as_tensor(counts: torch.Tensor) -> torch.Tensor:
    """`network.as_input` of whole numbers in a tensor of floats."""
    high = torch.floor(counts / 2**LOW_BITS)
    parts = torch.stack((high, counts - high * 2**LOW_BITS), dim=-1)
    return parts.reshape(len(counts), -1, 8).transpose(1, 2).contiguous()


class Source(Protocol):
    """Where batches come from."""

    def draw(self) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        """Inputs (n, 8, L), answers (n, 2), and the units (n, 2) in which errors of the answers count."""
        ...


def train(
    net: PulseNet,
    training: Training | None = None,
    report: Callable[[int, float, float], None] | None = None,
    batches: Source | None = None,
) -> PulseNet:
    """Fit `net` in place: square errors in units of the bound at each pulse's signal-to-noise ratio.

    Args:
        net: the network.
        training: how; None is the default.
        report: called every 250 steps with the step and the two root mean square errors in those units.
        batches: other pulses than the detector's.
    """
    t = training or Training()
    batches = batches or Batches(net.detector, t)
    optimizer = torch.optim.Adam(net.parameters(), lr=t.rate, betas=(0.9, 0.99))
    seen = torch.zeros(2)
    for step in range(t.steps):
        rising = min(1.0, (step + 1) / (t.steps / 20))
        optimizer.param_groups[0]["lr"] = t.rate * rising * 0.5 * (1 + math.cos(math.pi * step / t.steps))
        x, truth, least = batches.draw()
        relative = (net(x) - truth) / least
        # Large errors early on count by their size, not its square: the square root of 1 + error**2.
        loss = (torch.sqrt(1 + relative**2 / 4) * 4).mean()
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(net.parameters(), 5.0)
        optimizer.step()
        seen += relative.detach().square().mean(0)
        if report and (step + 1) % 250 == 0:
            report(step + 1, *(seen / 250).sqrt().tolist())
            seen.zero_()
    return net.eval()
