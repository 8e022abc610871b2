"""Activations of 16 bits in programs: every layer that knows them, on every target, equal to the oracle to the bit."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import numpy as np
import pytest
from cpu_nets import Built, answered
from exact_models import Net
from exact_wide import WIDE_KINDS, random_wide
from test_backend import differences
from test_executor import SANITIZERS, STRICT, need, run, sources
from tinsmith_backends.cpu.backend import BACKEND
from tinsmith_backends.cpu.lower import lower
from tinsmith_backends.cpu.memory import plan
from tinsmith_backends.cpu.program import Moves
from tinsmith_backends.cpu.targets import TARGETS

SLOW = [pytest.param(name, marks=pytest.mark.slow) for name in TARGETS if name not in ("c", "x86-64")]


def wide(name: str = "wide") -> Net:
    """8 bits to 16 and back, grouped and depthwise, powers of two, bits and sums behind 16 bits, and every move."""
    net = Net(6, name, extreme=True)
    x = net.quantize(net.input("x", (1, 5, 9, 7)), dtype="int16", scale=0.001)
    stem = net.conv(x, 12, pads=(1, 1, 1, 1), dtype="int16", lo=0)
    deep = net.depthwise(stem, (3, 2), pads=(1, 0, 1, 1), dtype="int16", precision="wide")
    joined = net.concat(stem, deep)
    few = net.conv(joined, 6, strides=(2, 1), group=2, dilations=(1, 2), dtype="int8", zero_point=-3)
    again = net.shift_conv(few, 4, (2, 2), weight_bits=4, dtype="int16")
    turned = net.transpose(again, (0, 2, 3, 1))
    flat = net.flatten(turned)
    net.dequantize(net.matmul(flat, 7, dtype="int16"))
    net.dequantize(net.shift_matmul(flat, 5, weight_bits=2))
    net.dequantize(net.matmul(flat, 3, bits=32))
    net.dequantize(net.binary_conv(net.conv(joined, 33, (1, 1), bits=1), 4, (2, 2), dtype="int8"))
    second = net.quantize(net.input("a", (1, 11)), zero_point=9)
    net.dequantize(net.concat(net.matmul(second, 7, dtype="int16"), net.matmul(flat, 2, dtype="int16")))
    net.dequantize(turned)
    return net


@pytest.fixture(scope="module")
def in_c(tmp_path_factory: pytest.TempPathFactory) -> Built:
    return answered(wide(), "c", tmp_path_factory.mktemp("wide") / "build")


def test_every_tensor_is_the_oracles(in_c: Built) -> None:
    assert differences(in_c, BACKEND.runner(in_c.folder, in_c.graph, "c")) == []


@pytest.mark.parametrize("target", ["x86-64", *SLOW])
def test_every_tensor_is_the_oracles_on_other_targets(target: str, tmp_path: Path) -> None:
    one = answered(wide(), target, tmp_path / "build")
    for values in one.expected:
        extremes = {int(v.min()) for v in values.values() if v.dtype == np.int16}
        assert {-32768, 0} <= extremes
    assert differences(one, BACKEND.runner(one.folder, one.graph, target)) == []


@pytest.mark.slow
@pytest.mark.parametrize("target", TARGETS)
@pytest.mark.parametrize("kind", WIDE_KINDS)
def test_random_nets(target: str, kind: str, tmp_path: Path) -> None:
    for seed in range(3):
        one = answered(random_wide(seed, kind, extreme=seed == 1), target, tmp_path / str(seed))
        assert differences(one, BACKEND.runner(one.folder, one.graph, target)) == []


def test_one_wrong_bit_of_a_weight_is_seen(in_c: Built, tmp_path: Path) -> None:
    folder = Path(shutil.copytree(in_c.folder, tmp_path / "copy"))
    text = (folder / "wide_weights.c").read_text()
    place = re.search(r"conv_2_weight = \{\s+(-?\d+)", text)
    assert place is not None
    (folder / "wide_weights.c").write_text(text[: place.start(1)] + str(int(place[1]) ^ 1) + text[place.end(1) :])
    wrong = differences(in_c, BACKEND.runner(folder, in_c.graph, "c"))
    assert wrong[0] == "conv_2_out" and {"quantize_0_out", "conv_1_out"}.isdisjoint(wrong)


@pytest.mark.slow
def test_c_is_strict_and_clean_under_sanitizers(in_c: Built, tmp_path: Path) -> None:
    need("gcc")
    BACKEND.write_vectors(in_c.graph, "c", in_c.folder, in_c.samples, in_c.expected)
    files = [*sources(in_c.folder, "wide"), in_c.folder / "wide_test.c"]
    run("gcc", *STRICT, *SANITIZERS, *files, "-o", tmp_path / "test")
    assert run(tmp_path / "test") == "3 samples, 0 outputs differ\n"


def test_16_bits_take_two_bytes_and_move_only_where_a_layer_insists() -> None:
    program = lower(wide().graph(), "scalar")
    buffers = [program.buffers[program.views[name].buffer] for name in ("quantize_0_out", "conv_1_out", "conv_4_out")]
    assert [(buffer.element, buffer.size // buffer.count) for buffer in buffers] == [
        ("int16", 2),
        ("int16", 2),
        ("int8", 1),
    ]
    assert {step.layer for step in program.steps if isinstance(step.body, Moves)} == {"concat_3", "concat_20"}
    estimated = BACKEND.estimate(wide().graph(), "c").whole.values["arena_bytes"]
    assert estimated == plan(program).arena_bytes > 2 * 24 * 9 * 7
