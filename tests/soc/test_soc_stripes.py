"""Networks that exceed the activation memory, cut in stripes, on the model: every tensor that is whole the oracle's."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from exact_models import Net
from soc_run import compiled, wrong_tensors
from test_soc_model import CHIPS
from tinsmith.errors import TinsmithError
from tinsmith_backends.soc import slices
from tinsmith_backends.soc.chip import Chip
from tinsmith_backends.soc.estimate import estimate
from tinsmith_backends.soc.program import Program, compile_program

LAYERS = ("conv", "depthwise", "grouped", "max", "average", "residual", "shortcut", "join", "table", "up", "requantize")


def image(width: int = 20) -> Net:
    """Windows, strides and padding of several kinds over an image, and layers before and behind them."""
    net = Net(8, "image")
    x = net.quantize(net.input("x", (1, 3, 24, width)))
    stem = net.conv(x, 16, pads=(1, 1, 1, 1), lo=0)
    deep = net.conv(net.depthwise(stem, pads=(2, 1, 0, 1), lo=0), 24, strides=(1, 2), pads=(1, 1, 1, 1), lo=0)
    far = net.conv(net.max_pool(deep, (3, 3), pads=(1, 1, 1, 1)), 8, (2, 3), dilations=(2, 1), pads=(2, 1, 0, 1), lo=0)
    net.dequantize(net.conv(net.average_pool(far, (2, 2), strides=(2, 2)), 10, (12, 4), dtype="int8"))
    return net


def residual(height: int = 24) -> Net:
    """Two residual blocks, the second with a shortcut of its own, a join of three, and two heads; or of a signal."""
    net, one = Net(9, "residual"), height == 1
    same: Any = {"kernel": (1, 3), "pads": (0, 1, 0, 1)} if one else {"kernel": (3, 3), "pads": (1, 1, 1, 1)}
    full: Any = {**same, "dtype": "int8"}
    two: Any = {"strides": (1, 2) if one else (2, 2)}
    x = net.quantize(net.input("x", (1, 3, height, 384 if one else 16)), dtype="int8")
    stem = net.conv(x, 16, **full)
    first = net.add(stem, net.conv(net.conv(stem, 16, **full), 16, **full), dtype="int8")
    deep = net.conv(net.conv(first, 20, **full, **two), 20, **full)
    second = net.add(net.conv(first, 20, (1, 1), **two, dtype="int8"), deep, dtype="int8")
    joined = net.concat(net.depthwise(second, **full), second, net.depthwise(first, **full, **two))
    net.dequantize(net.conv(net.conv(net.max_pool(joined, **same), 4, **full, **two), 3, (1, 1), dtype="int8"))
    net.dequantize(net.average_pool(second, (1, 96) if one else (12, 8), dtype="int8"))
    return net


def less(net: Net, share: float, chip: Chip) -> tuple[Program, Program]:
    """A net whole, and with a share of the memory that it needs then."""
    whole = compiled(net.graph(), replace(chip, act_bytes=1 << 20))
    return whole, compiled(net.graph(), replace(chip, act_bytes=int(share * whole.schedule.placed.arena.size)))


def assert_cut_and_right(net: Net, whole: Program, program: Program) -> None:
    assert program.schedule.placed.arena.size <= program.chip.act_bytes < whole.schedule.placed.arena.size
    assert len(program.computes) > len(whole.computes) and len(program.traces) < len(whole.traces)
    assert wrong_tensors(program, net.model(), [net.sample(0), net.sample(1, extreme=True)]) == []
    assert not whole.regions and all(region.made >= region.lines for region in program.regions)
    assert f"activations exceed the memory, so that {program.regions[0]}" in estimate(program).notes
    assert sum(work.macs for work in program.work) == sum(work.macs for work in whole.work)


@pytest.mark.parametrize(
    "more", [{}, {"wgt_words": 128, "par_words": 16}, {"pes": 4, "without": frozenset({"history"})}]
)
@pytest.mark.parametrize(
    ("make", "share"), [(lambda: image(24), 0.5), (image, 0.55), (residual, 0.7), (lambda: residual(1), 0.6)],
    ids=["image", "narrow image", "residual", "signal"],
)  # fmt: skip
def test_what_exceeds_the_memory_is_cut_in_stripes(make: Callable[[], Net], share: float, more: dict[str, Any]) -> None:
    net = make()
    whole, program = less(net, share, Chip(**more))
    assert_cut_and_right(net, whole, program)
    if not more:  # each weight is loaded once for all stripes
        assert len(program.image.loads) == len(whole.image.loads)


def network(seed: int) -> Net:
    """Random layers over an image or, every third time, a signal: each reads some of the last three tensors."""
    net = Net(seed, f"network_{seed}")
    rng, line = net.rng, seed % 3 == 0
    size = (1, int(rng.integers(100, 200))) if line else tuple(int(n) for n in rng.integers((14, 8), (30, 16)))
    x = net.quantize(net.input("x", (1, int(rng.integers(1, 6)), *size)), dtype=str(rng.choice(["int8", "uint8"])))
    made = [net.conv(x, int(rng.integers(2, 20)), (1, 1), dtype="int8")]
    for kind in rng.choice(LAYERS, int(rng.integers(3, 9))):
        made.append(_layer(net, str(kind), made[-3:], line=line))
    read = {name for layer in net.layers for name in layer.inputs}
    for name in (name for name in made if name not in read):
        net.dequantize(net.conv(name, 3, (1, 1), dtype="int8"))
    return net


def _layer(net: Net, kind: str, near: list[str], *, line: bool) -> str:
    """One layer, or a few that belong together."""
    x = near[int(net.rng.choice([-1, -1, -1, 0]))]
    channels, height, width = net.tensors[x].shape[1:]
    kernel = 1 if line else int(net.rng.integers(1, 4)), int(net.rng.integers(1, 4))
    pads = tuple(int(net.rng.integers(0, kernel[axis % 2])) for axis in range(4))
    strides = int(net.rng.integers(1, 3)) if height > 12 else 1, int(net.rng.integers(1, 3)) if width > 12 else 1
    outputs, bytes_ = int(net.rng.integers(1, 30)), {"dtype": "int8"}
    some: Any = {"kernel": kernel, "pads": pads, "strides": strides}
    same: Any = {"kernel": (1, 3), "pads": (0, 1, 0, 1)} if line else {"kernel": (3, 3), "pads": (1, 1, 1, 1)}
    match kind:
        case "conv":
            return net.conv(x, outputs, **some, **bytes_)
        case "depthwise":
            return net.depthwise(x, **some, **bytes_)
        case "grouped":
            return net.conv(net.conv(x, 12, (1, 1), **bytes_), 6, group=3, **some, **bytes_)
        case "max":
            return net.max_pool(x, **some)
        case "average":
            return net.average_pool(x, **some, **bytes_)
        case "residual":
            return net.add(x, net.conv(net.conv(x, outputs, **same, **bytes_), channels, **same, **bytes_), **bytes_)
        case "shortcut":
            deep = net.conv(net.conv(x, outputs, strides=strides, **same, **bytes_), 8, **same, **bytes_)
            return net.add(net.conv(x, 8, (1, 1), strides=strides, **bytes_), deep, **bytes_)
        case "join":
            alike = [name for name in near if net.tensors[name].shape[2:] == (height, width)]
            return net.concat(net.depthwise(x, **same, **bytes_), *alike[: int(net.rng.integers(1, 3))])
        case "table":
            return net.table(net.conv(x, outputs, **some, **bytes_), **bytes_)
        case "up":
            phases = net.reshape(net.conv(x, 2 * channels, **same, **bytes_), (1, channels, 2, height, width))
            return net.reshape(net.transpose(phases, (0, 1, 3, 4, 2)), (1, channels, height, 2 * width))
        case _:
            return net.requantize(x, **bytes_)


def cut_and_right(seeds: range, chip: Chip) -> int:
    """How many of the random networks can be cut, all of them right."""
    cut = 0
    for seed in seeds:
        net = network(seed)
        try:
            whole, program = less(net, 0.8, chip)
        except TinsmithError:  # its largest tensors are an input or an output
            continue
        assert len(program.computes) > len(whole.computes)
        assert wrong_tensors(program, net.model(), [net.sample(0), net.sample(1, extreme=True)]) == [], seed
        cut += 1
    return cut


@pytest.mark.parametrize("chip", ["default", "narrow", "few", "small"])
def test_random_networks_in_stripes_are_the_oracles(chip: str) -> None:
    first = 8 * list(CHIPS).index(chip)
    assert cut_and_right(range(first, first + 8), CHIPS[chip]) >= 6


@pytest.mark.slow
@pytest.mark.parametrize("chip", ["default", "narrow", "few", "small"])
def test_many_random_networks_in_stripes_are_the_oracles(chip: str) -> None:
    first = 100 * (1 + list(CHIPS).index(chip))
    assert cut_and_right(range(first, first + 60), CHIPS[chip]) >= 40


def bits() -> Net:
    """Bits from layer to layer, eight a byte: windows, both paddings, a pool, a join."""
    net = Net(4, "bits")
    x = net.binarize(net.quantize(net.input("x", (1, 4, 20, 14)), dtype="int8"))
    deep = net.binary_conv(x, 72, pads=(1, 1, 1, 1), pad_value=-1, bits=1)
    pooled = net.binary_max_pool(net.binary_conv(deep, 72, pads=(1, 1, 1, 1), bits=1), (3, 3), pads=(1, 1, 1, 1))
    net.layers[-1] = replace(net.layers[-1], sign=np.ones_like(net.layers[-1].sign))  # type: ignore[call-arg, attr-defined]
    far = net.binary_conv(net.concat(pooled, deep), 16, (5, 5), strides=(2, 1), pads=(2, 2, 2, 2), pad_value=1, bits=1)
    net.dequantize(net.binary_conv(far, 3, (1, 1), dtype="int8"))
    return net


def test_bits_are_cut_too() -> None:
    net = bits()
    assert_cut_and_right(net, *less(net, 0.6, Chip(kind="xnor")))


@pytest.mark.parametrize("lanes", [4, 8])
@pytest.mark.parametrize("size", [(24, 20), (1, 300)], ids=["image", "signal"])
def test_sixteen_bits_are_cut_too(size: tuple[int, int], lanes: int) -> None:
    net, tall = Net(12, "wide"), min(3, size[0])
    same: Any = {"kernel": (tall, 3), "pads": (tall // 2, 1, tall // 2, 1), "dtype": "int16"}
    x = net.quantize(net.input("x", (1, 2, *size)), dtype="int16")
    stem = net.depthwise(net.conv(x, 12, **same), **same)
    net.dequantize(net.conv(net.concat(stem, net.depthwise(stem, **same)), 3, strides=(min(2, tall), 2), **same))
    assert_cut_and_right(net, *less(net, 0.7, Chip(lanes=lanes)))


def test_a_line_too_few_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    net, needed = residual(), slices._Window.needed

    def too_few(window: slices._Window, lines: slices.Lines, height: int) -> slices.Lines:
        first, behind = needed(window, lines, height)
        return first, max(first + 1, behind - (behind < height))

    monkeypatch.setattr(slices._Window, "needed", too_few)
    _, program = less(net, 0.7, Chip())
    assert wrong_tensors(program, net.model(), [net.sample(0)])


def test_a_flipped_bit_of_a_layer_that_is_never_whole_is_found() -> None:
    net = residual()
    _, program = less(net, 0.7, Chip())
    (at,) = (at for at, layer in enumerate(net.layers) if layer.name == "conv_3")
    assert net.layers[at].output not in {trace.tensor.name for trace in program.traces}
    weight = net.layers[at].weight.copy()  # type: ignore[attr-defined]
    weight[0, 0, 1, 1] ^= 64
    layers = (*net.layers[:at], replace(net.layers[at], weight=weight), *net.layers[at + 1 :])  # type: ignore[call-arg]
    wrong = compile_program(replace(net.graph(), layers=layers), program.chip)
    assert wrong_tensors(wrong, net.model(), [net.sample(0)])


def test_what_does_not_fit_in_stripes_is_refused_with_layer_and_number() -> None:
    net = residual()
    with pytest.raises(
        TinsmithError, match=r"(\w+): the activations need (\d+) bytes, and the chip has 8192"
    ) as caught:
        compile_program(net.graph(), Chip(act_bytes=8192))
    (problem,) = caught.value.problems
    assert problem.where in {layer.name for layer in net.layers}
    assert problem.fix.startswith("--set act_bytes=16384")
    assert compile_program(net.graph(), Chip(act_bytes=16384)).schedule.placed.arena.size <= 16384
