"""Packed bits in programs: exact on every target, moved as little as possible, and small."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from cpu_nets import Built, binary, build
from exact_models import Net
from test_backend import differences
from test_executor import SANITIZERS, STRICT, need, run, sources
from test_lower import check_plan
from tinsmith.verify.oracle import Oracle
from tinsmith_backends.cpu.backend import BACKEND
from tinsmith_backends.cpu.constraints import problems
from tinsmith_backends.cpu.kernels.base import BinaryConvShape
from tinsmith_backends.cpu.kernels.bits import pack_rows, unpack_rows
from tinsmith_backends.cpu.lower import lower
from tinsmith_backends.cpu.memory import plan
from tinsmith_backends.cpu.program import Call, Moves, Step
from tinsmith_backends.cpu.targets import TARGETS


def built(net: Net, target: str, folder: Path) -> Built:
    """A build and the oracle's answers for three samples."""
    samples = [net.sample(i, extreme=i == 1) for i in range(3)]
    oracle = Oracle(net.model())
    numbers = build(net, target, folder)
    return Built(folder, numbers, net.graph(), target, samples, [dict(oracle.run(s)) for s in samples])  # type: ignore[arg-type]


@pytest.mark.parametrize("target", ["c", *(pytest.param(t, marks=pytest.mark.slow) for t in TARGETS if t != "c")])
def test_every_tensor_of_a_binary_network_is_the_oracles(target: str, tmp_path: Path) -> None:
    one = built(binary(), target, tmp_path / "build")
    assert differences(one, BACKEND.runner(one.folder, one.graph, target)) == []


def steps(net: Net) -> list[Step]:
    assert problems(net.graph()) == []
    return list(lower(net.graph(), "scalar").steps)


def test_packing_and_back() -> None:
    values = np.random.default_rng(0).choice([-1, 1], (5, 40)).astype(np.int8)
    packed = pack_rows(values)
    assert packed.shape == (5, 2)
    assert np.array_equal(unpack_rows(packed, 40), values)
    assert not (packed[:, 1] >> 8).any(), "bits behind the last channel are 0"


@pytest.mark.parametrize("channels", [64, 40])
def test_a_flattened_image_is_multiplied_where_it_lies(channels: int) -> None:
    """With 40 channels the unused bits of each pixel stay between its neighbours': the window moves by its width."""
    net = Net(1)
    bits = net.binary_conv(net.bit_input("x", (1, 32, 5, 4)), channels, (2, 2), bits=1)
    net.dequantize(net.binary_matmul(net.flatten(bits), 10, dtype="int8"))
    found = steps(net)
    assert not any(isinstance(step.body, Moves) for step in found)
    last = found[-1].body
    assert isinstance(last, Call)
    shape = last.kernel.shape
    assert isinstance(shape, BinaryConvShape)
    assert (shape.cin, shape.kw) == ((12 * 64, 1) if channels == 64 else (40, 12))


def test_sums_of_more_bits_than_kernels_count_are_refused() -> None:
    def found(channels: int) -> list[str]:
        net = Net(1)
        net.dequantize(net.binary_conv(net.bit_input("x", (1, channels, 4, 4)), 1, (4, 4), dtype="int8"))
        return [problem.why for problem in problems(net.graph())]

    assert found(4096) == []
    assert "65,536 products of bits" in found(4097)[0]


def test_a_flattened_image_of_few_channels_is_packed_again_where_its_unused_bits_are_too_many() -> None:
    net = Net(1)
    bits = net.bit_input("x", (1, 1, 47, 47))
    net.dequantize(net.binary_matmul(net.flatten(bits), 3, dtype="int8"))
    last = steps(net)[-1].body
    assert isinstance(last, Call)
    assert isinstance(last.kernel.shape, BinaryConvShape)
    assert (last.kernel.shape.cin, last.kernel.shape.kw) == (47 * 47, 1)


def test_channels_in_whole_words_are_joined_word_by_word() -> None:
    net = Net(1)
    x = net.bit_input("x", (1, 32, 5, 4))
    net.dequantize(net.binary_conv(net.concat(x, net.binary_conv(x, 40, (1, 1), bits=1)), 3, dtype="int8"))
    odd = net.concat(net.binary_conv(x, 33, (1, 1), bits=1), x)
    net.dequantize(net.binary_conv(odd, 3, dtype="int8"))
    kernels = [step.kernel for step in steps(net) if isinstance(step.body, Moves)]
    assert kernels == ["c_move", "c_move_bits"]


def test_an_output_of_one_bit_is_unpacked() -> None:
    net = Net(1)
    net.dequantize(net.binary_matmul(net.bit_input("x", (1, 50)), 7, bits=1))
    assert [step.kernel for step in steps(net)][-1] == "c_unpack"


def test_a_layer_of_bytes_may_read_bits() -> None:
    net = Net(1)
    bits = net.bit_input("x", (1, 3, 6, 5))
    net.dequantize(net.conv(net.add(bits, bits), 4))
    assert sum(step.kernel == "c_unpack" for step in steps(net)) == 1


@pytest.mark.parametrize("isa", ["scalar", "neon", "simd128", "avx2", "dsp"])
def test_words_are_aligned_and_nothing_is_overwritten(isa: str) -> None:
    memory = plan(lower(binary().graph(), isa))  # type: ignore[arg-type]
    check_plan(memory)
    words = [name for name, buffer in memory.program.buffers.items() if buffer.element == "uint32"]
    assert len(words) > 10
    assert all(memory.offsets[name] % 4 == 0 for name in words)


def test_bits_take_an_eighth_of_the_arena() -> None:
    """Two layers of 256 channels: as bytes, and as bits; scratch is not counted."""

    def bound(*, binary: bool) -> int:
        net = Net(1)
        x = net.conv(net.quantize(net.input("x", (1, 3, 16, 16))), 256, (1, 1), bits=1 if binary else 8)
        x = net.binary_conv(x, 256, bits=1) if binary else net.conv(x, 256)
        net.dequantize(net.max_pool(net.binary_conv(x, 8, bits=8) if binary else net.conv(x, 8), (2, 2)))
        return plan(lower(net.graph(), "scalar")).lower_bound_bytes

    assert bound(binary=True) * 8 == bound(binary=False)


@pytest.mark.slow
def test_c_of_a_binary_network_is_strict_and_clean_under_sanitizers(tmp_path: Path) -> None:
    need("gcc")
    one = built(binary(), "c", tmp_path / "build")
    BACKEND.write_vectors(one.graph, "c", one.folder, one.samples, one.expected)
    files = [*sources(one.folder, "binary"), one.folder / "binary_test.c"]
    run("gcc", *STRICT, *SANITIZERS, *files, "-o", tmp_path / "test")
    assert run(tmp_path / "test") == "3 samples, 0 outputs differ\n"
