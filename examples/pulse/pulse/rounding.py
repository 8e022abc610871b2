"""Trains a network under the rounding of the exact graph: 8-bit weights, 8-bit values between layers."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import torch
from torch import nn
from torch.nn.utils import parametrize

from pulse.network import PulseNet

Ranges = dict[str, tuple[float, float]]
"""By layer, the least and the largest value that its 8 bits reach."""


class RoundedWeight(nn.Module):
    """Weights as the compiler stores them, the largest of each output channel as 127; gradients pass unrounded."""

    def __init__(self, axes: tuple[int, ...]) -> None:
        super().__init__()
        self.axes = axes

    def forward(self, weight: torch.Tensor) -> torch.Tensor:
        scale = weight.detach().abs().amax(self.axes, keepdim=True).clamp(min=1e-12) / 127
        return weight + (torch.round(weight / scale) * scale - weight).detach()


def rounded(value: torch.Tensor, ends: tuple[float, float]) -> torch.Tensor:
    """`value` on the grid of 8 bits between `ends`: from 0 on, or around it; no gradient beyond them."""
    low, high = ends
    least, most = (0, 255) if low >= 0 else (-127, 127)
    return torch.fake_quantize_per_tensor_affine(value, max(-low, high) / most, 0, least, most)


@torch.no_grad()
def measure_ranges(net: PulseNet, inputs: torch.Tensor) -> Ranges:
    """The least and the largest value of each layer on `inputs` (n, 8, L)."""
    ranges: Ranges = {}

    def note(name: str, value: torch.Tensor) -> torch.Tensor:
        low, high = float(value.min()), max(float(value.max()), 1e-6)
        ranges[name] = (0.0, high) if low >= 0 else (-max(-low, high), max(-low, high))
        return value

    with watched(net, note):
        net(inputs)
    return ranges


@contextmanager
def watched(net: PulseNet, seen: Callable[[str, torch.Tensor], torch.Tensor]) -> Iterator[None]:
    """While it lasts, every value between layers is what `seen` makes of it."""
    net.between = seen
    try:
        yield
    finally:
        del net.between


@contextmanager
def under_rounding(net: PulseNet, ranges: Ranges) -> Iterator[None]:
    """While it lasts, `net` computes with rounded weights and values; it is the weights before rounding that train."""
    axes: dict[nn.Module, tuple[int, ...]] = {net.up: (0,)}
    for module in net.modules():
        if isinstance(module, nn.Conv1d):
            axes[module] = (1, 2)
        elif isinstance(module, nn.Linear):
            axes[module] = (0, 1) if module is net.head else (1,)
    for module, over in axes.items():
        parametrize.register_parametrization(module, "weight", RoundedWeight(over))
    try:
        with watched(net, lambda name, value: rounded(value, ranges[name])):
            yield
    finally:
        for module in axes:
            if len(module.parametrizations.weight) > 1:  # the stem's weights are made of others
                del module.parametrizations.weight[-1]
            else:
                parametrize.remove_parametrizations(module, "weight", leave_parametrized=False)


def recipe(ranges: Ranges) -> str:
    """The recipe that gives the compiler the same grids, and asks for whole accumulators at the end."""
    lines = ["[layers.pulse]", "range = [0.0, 255.0]", "[layers.head]", 'output = "accumulator"']
    for name, (low, high) in ranges.items():
        lines += [f"[layers.{name}]", f"range = [{low!r}, {high!r}]"]
    return "\n".join(lines) + "\n"


@torch.no_grad()
def equalize(net: PulseNet, inputs: torch.Tensor) -> None:
    """Scale channels so that each uses all of its tensor's 8 bits; what the float network answers stays the same.

    ReLU lets positive factors pass: a layer's channel is divided by what the next one's weights are multiplied with.
    The stem and what comes up meet in a sum, so they share their factors.
    """
    largest: dict[str, torch.Tensor] = {}

    def note(name: str, value: torch.Tensor) -> torch.Tensor:
        largest[name] = value.abs().transpose(0, 1).flatten(1).amax(1)
        return value

    with watched(net, note):
        net(inputs)
    stem = net.stem.parametrizations.weight.original
    places = net.hidden.in_features // net.join.out_channels
    fine = _factors(torch.stack([largest[name] for name in ("stem", "up", "add")]).amax(0))
    for weight, bias in ((stem, net.stem.bias), (net.up.weight.transpose(0, 1), net.up.bias)):
        weight.div_(fine[:, None, None])
        bias.div_(fine)
    net.down.weight.mul_(fine[:, None])
    net.join.weight.mul_(fine[:, None])
    for name, reader in (
        ("down", net.deep.weight),
        ("deep", net.up.weight.transpose(0, 1)),
        ("hidden", net.head.weight),
    ):
        _divide(getattr(net, name), _factors(largest[name]), reader)
    joined = _factors(largest["join"])
    _divide(net.join, joined, None)
    net.hidden.weight.mul_(joined.repeat_interleave(places))


def _factors(largest: torch.Tensor) -> torch.Tensor:
    """What to divide each channel by; a channel that is next to silent is not blown up beyond eight times."""
    return (largest / largest.max().clamp(min=1e-12)).clamp(min=1 / 8)


def _divide(layer: nn.Conv1d | nn.Linear, factors: torch.Tensor, reader: torch.Tensor | None) -> None:
    layer.weight.div_(factors.reshape(-1, *[1] * (layer.weight.ndim - 1)))
    layer.bias.div_(factors)
    if reader is not None:
        reader.mul_(factors.reshape(1, -1, *[1] * (reader.ndim - 2)))
