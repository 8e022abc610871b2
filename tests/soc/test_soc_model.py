"""Random networks on the model of the chip: every tensor the oracle's, on chips of several shapes."""

from __future__ import annotations

from dataclasses import replace

import pytest
from exact_models import Net, random_net
from exact_wide import WIDE_KINDS, random_wide
from soc_run import compiled, wrong_tensors
from tinsmith.errors import TinsmithError
from tinsmith_backends.soc.backend import SocBackend
from tinsmith_backends.soc.chip import Chip
from tinsmith_backends.soc.constraints import problems
from tinsmith_backends.soc.image import fed_by_frames
from tinsmith_backends.soc.memory_map import INPUT_MODE, LOAD_OPCODE, SAMPLE_FORMAT, SOFT_OPERATOR, STEP_KIND
from tinsmith_backends.soc.program import compile_program
from tinsmith_backends.soc.stream import Stream

KINDS = (
    "conv", "depthwise", "grouped", "matmul", "add", "requantize", "average_pool", "max_pool", "concat",
    "reshape_transpose", "softmax", "arg_max", "residual", "binary_conv", "conv_threshold", "matmul_threshold",
    "shift_conv", "shift_grouped", "shift_matmul", "conv_accumulator", "matmul_accumulator", "table",
)  # fmt: skip
WIDE_ON_SHIFTS = ("shift_conv16", "shift_matmul16", "moves16")
"""Of `WIDE_KINDS`, what a chip that shifts takes; one of bits takes none."""
CHIPS = {
    "default": Chip(),
    "narrow": Chip(pes=8, lanes=4, rqs=2),
    "few": Chip(pes=4, lanes=16, rqs=4),
    "small": Chip(wgt_words=128, par_words=16),
    "bare": Chip(without=frozenset({"add", "maxpool", "history", "table"})),
    "shift": Chip(kind="shift", pes=4, ram_bytes=65536),
    "xnor": Chip(kind="xnor", ram_bytes=65536),
    "wide": Chip(kind="xnor", pes=16, lanes=16, rqs=2, ram_bytes=65536, without=frozenset({"maxpool", "add"})),
}


def taken(kind: str, seed: int, chip: Chip | None = None) -> Net:
    """A random net whose layers the chip takes; most have zero points."""
    for attempt in range(seed * 1000, seed * 1000 + 400):
        made = random_wide if kind in WIDE_KINDS else random_net
        net = made(attempt, kind, extreme=attempt % 3 == 0)
        if problems(net.graph(), chip or Chip()) == []:
            return net
    raise AssertionError(f"no {kind} among 400 keeps the rules")


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("chip", CHIPS)
def test_random_networks_are_the_oracles(kind: str, chip: str) -> None:
    net = taken(kind, list(CHIPS).index(chip), CHIPS[chip])
    program = compiled(net.graph(), CHIPS[chip])
    assert wrong_tensors(program, net.model(), [net.sample(0), net.sample(1, extreme=True)]) == []


WIDE = [
    (kind, name)
    for name, chip in CHIPS.items()
    for kind in {"multiply": WIDE_KINDS, "shift": WIDE_ON_SHIFTS}.get(chip.kind, ())
]


@pytest.mark.parametrize(("kind", "chip"), WIDE)
def test_sixteen_bits_are_the_oracles(kind: str, chip: str) -> None:
    net = taken(kind, list(CHIPS).index(chip), CHIPS[chip])
    program = compiled(net.graph(), CHIPS[chip])
    assert wrong_tensors(program, net.model(), [net.sample(0), net.sample(1, extreme=True)]) == []


@pytest.mark.slow
@pytest.mark.parametrize(("kind", "chip"), WIDE)
def test_many_of_sixteen_bits_are_the_oracles(kind: str, chip: str) -> None:
    for seed in range(10, 18):
        net = taken(kind, seed, CHIPS[chip])
        program = compiled(net.graph(), CHIPS[chip])
        assert wrong_tensors(program, net.model(), [net.sample(0), net.sample(1, extreme=True)]) == []


@pytest.mark.slow
@pytest.mark.parametrize("kind", KINDS)
def test_many_random_networks_are_the_oracles(kind: str) -> None:
    for seed in range(5, 25):
        chip = list(CHIPS.values())[seed % len(CHIPS)]
        net = taken(kind, seed, chip)
        assert wrong_tensors(compiled(net.graph(), chip), net.model(), [net.sample(0)]) == []


def signal() -> Net:
    """A 1-D network: strides, dilation, a depth to space along the width, a residual, a joined branch, two heads."""
    net = Net(7, "signal")
    x = net.quantize(net.input("x", (1, 1, 1, 128)), dtype="int8")
    a = net.conv(x, 12, (1, 7), strides=(1, 2), pads=(0, 3, 0, 3), lo=0)
    b = net.conv(a, 24, (1, 3), strides=(1, 2), pads=(0, 2, 0, 2), dilations=(1, 2), lo=0)
    halves = net.reshape(net.conv(b, 24, (1, 3), pads=(0, 1, 0, 1), lo=0), (1, 12, 2, 1, 32))
    up = net.reshape(net.transpose(halves, (0, 1, 3, 4, 2)), (1, 12, 1, 64))
    joined = net.concat(net.depthwise(net.add(up, a), (1, 3), pads=(0, 1, 0, 1)), a)
    pooled = net.max_pool(joined, (1, 4), strides=(1, 4))
    net.dequantize(net.matmul(net.flatten(net.conv(pooled, 5, (1, 3))), 2, dtype="int8"))
    net.dequantize(net.matmul(net.flatten(net.average_pool(pooled, (1, 16))), 3, dtype="int8"))
    return net


def sixteen() -> Net:
    """A 1-D network of int16: strides, dilation, groups, depthwise, a joined branch, outputs of 8, 16 and 32 bits."""
    net = Net(9, "sixteen")
    x = net.quantize(net.input("x", (1, 1, 1, 128)), dtype="int16", scale=0.0001)
    a = net.conv(x, 12, (1, 7), strides=(1, 2), pads=(0, 3, 0, 3), dtype="int16", lo=0)
    b = net.conv(a, 24, (1, 3), strides=(1, 2), pads=(0, 2, 0, 2), dilations=(1, 2), dtype="int16")
    c = net.depthwise(net.conv(b, 24, (1, 3), pads=(0, 1, 0, 1), group=3, dtype="int16"), (1, 3), dtype="int16")
    joined = net.concat(c, net.conv(b, 20, (1, 3), dtype="int16"))
    small = net.conv(joined, 8, (1, 3), strides=(1, 3), lo=0)
    net.dequantize(net.matmul(net.flatten(small), 5, dtype="int16"))
    net.dequantize(net.matmul(net.flatten(net.conv(joined, 6, (1, 3), strides=(1, 3), dtype="int16")), 3, bits=32))
    return net


@pytest.mark.parametrize("chip", [name for name, chip in CHIPS.items() if chip.kind == "multiply"])
def test_a_network_of_sixteen_bits(chip: str) -> None:
    net = sixteen()
    program = compiled(net.graph(), CHIPS[chip])
    assert wrong_tensors(program, net.model(), [net.sample(0), net.sample(1, extreme=True)]) == []


@pytest.mark.parametrize("kind", ["shift", "xnor"])
def test_sixteen_bits_need_products(kind: str) -> None:
    found = problems(sixteen().graph(), Chip(kind=kind, ram_bytes=65536))
    assert len(found) == 9 and all("this chip has no products by its weights" in problem.why for problem in found)


@pytest.mark.parametrize("chip", CHIPS)
def test_depth_to_space_moves_nothing(chip: str) -> None:
    net = signal()
    program = compiled(net.graph(), CHIPS[chip])
    assert wrong_tensors(program, net.model(), [net.sample(n) for n in range(3)]) == []
    moves = {layer.name for layer in net.graph().layers if layer.kind in ("Reshape", "Transpose")}
    assert not moves & {compute.of.layer for run in program.schedule.runs for compute in run.computes}


def curves(count: int = 12) -> Net:
    """More tables than the chip holds: behind convolutions, an addition, a pool, alone, joined, and at the end."""
    net = Net(8, "curves")
    x = net.quantize(net.input("x", (1, 5, 6, 7)), dtype="int8")
    alone = net.table(x, dtype="int8")
    for _ in range(count):
        x = net.table(net.conv(x, 9, pads=(1, 1, 1, 1), dtype="int8"), dtype="int8")
    grouped = net.table(net.conv(x, 18, group=3, pads=(1, 1, 1, 1), dtype="int8"), dtype="int8")
    total = net.table(net.add(x, net.depthwise(x, pads=(1, 1, 1, 1), dtype="int8"), dtype="int8"))
    pooled = net.table(net.max_pool(net.requantize(total, dtype="int8"), (2, 2)), dtype="int8")
    read_twice = net.conv(alone, 4, (1, 1), dtype="int8")
    both = net.concat(net.table(read_twice, dtype="int8"), read_twice)
    small = net.max_pool(grouped, (3, 3), strides=(3, 3))
    net.dequantize(net.table(net.matmul(net.flatten(small), 10, dtype="int8"), dtype="int8"))
    net.dequantize(net.average_pool(net.conv(both, 6, (1, 1)), (2, 3)))
    net.dequantize(net.table(net.average_pool(pooled, (3, 2), dtype="int8")))
    return net


@pytest.mark.parametrize("chip", CHIPS)
def test_tables_behind_every_operator(chip: str) -> None:
    net = curves()
    program = compiled(net.graph(), CHIPS[chip])
    assert wrong_tensors(program, net.model(), [net.sample(0), net.sample(1, extreme=True)]) == []
    tables = [load for load in program.image.loads if load["opcode"] == LOAD_OPCODE["TABLES"]]
    computes = [compute for compute in program.computes if compute.fields.get("look_up")]
    software = list(program.schedule.software)
    if CHIPS[chip].has("table"):
        assert len(tables) == 12 + 7 <= len(computes)
    if CHIPS[chip].has("table") and CHIPS[chip].kind == "multiply":
        assert len(computes) >= 12 + 7 + 2 and not software
        assert any(load["after_compute"] for load in tables), "a table that is in use is overwritten"
        assert len({each.of.layer for each in computes if each.of.kernel == "table"}) == 2
    elif not CHIPS[chip].has("table"):
        assert not tables and not computes
        assert sum(each.fields["operator"] == SOFT_OPERATOR["TABLE"] for each in software) == 12 + 7


def test_few_tables_are_loaded_at_boot() -> None:
    program = compiled(curves(1).graph(), Chip(wgt_words=4096, par_words=1024))
    assert [step["kind"] for step in program.image.steps] == [STEP_KIND["BOOT"], STEP_KIND["HARDWARE"]]


def large(channels: int = 40) -> Net:
    """Three convolutions whose weights exceed a small weight memory."""
    net = Net(2, "large")
    x = net.quantize(net.input("x", (1, 16, 6, 6)))
    for _ in range(3):
        x = net.conv(x, channels, pads=(1, 1, 1, 1), lo=0)
    net.dequantize(net.conv(x, 10, (6, 6), dtype="int8"))
    return net


def test_weights_go_through_a_small_memory_and_loading_overlaps() -> None:
    net, chip = large(), Chip(wgt_words=256, par_words=16)
    program = compiled(net.graph(), chip)
    assert sum(load["ext_words"] for load in program.image.loads) * 4 > 2 * chip.wgt_words * chip.word_bytes
    assert wrong_tensors(program, net.model(), [net.sample(0), net.sample(1, extreme=True)]) == []
    assert any(0 < load["after_compute"] < len(program.image.computes) - 1 for load in program.image.loads)
    assert [step["kind"] for step in program.image.steps] == [1]


def test_resident_weights_are_loaded_at_boot() -> None:
    program = compiled(large().graph(), Chip(wgt_words=4096))
    assert [step["kind"] for step in program.image.steps] == [3, 1]
    assert program.image.steps[1]["load_count"] == 0


def test_a_flipped_bit_is_found() -> None:
    net = signal()
    program = compiled(net.graph())
    data = bytearray(program.image.data)
    data[-1] ^= 1
    with pytest.raises(TinsmithError, match="CRC"):
        wrong_tensors(program, net.model(), [net.sample(0)], bytes(data))
    wrong = compile_program(_with_a_flipped_weight(net), Chip())
    assert wrong_tensors(wrong, net.model(), [net.sample(0)])[0] == net.layers[1].output


def _with_a_flipped_weight(net: Net):  # type: ignore[no-untyped-def]
    graph = net.graph()
    weight = graph.layers[1].weight.copy()  # type: ignore[attr-defined]
    weight[-1, 0, 0, 3] ^= 64
    layers = (graph.layers[0], replace(graph.layers[1], weight=weight), *graph.layers[2:])
    return replace(graph, layers=layers)


def test_the_same_graph_gives_the_same_image() -> None:
    assert compiled(signal().graph()).image.data == compiled(signal().graph()).image.data


def test_an_image_for_another_chip_is_refused() -> None:
    net = signal()
    program = compiled(net.graph())
    other = replace(program, chip=Chip(rqs=8))
    with pytest.raises(TinsmithError, match="another chip"):
        wrong_tensors(other, net.model(), [net.sample(0)])


def test_what_does_not_fit_is_refused_with_layer_and_number() -> None:
    net = large()
    with pytest.raises(TinsmithError, match=r"the activations need \d+ bytes, and the chip has 2048") as caught:
        compile_program(net.graph(), Chip(act_bytes=2048))
    assert caught.value.problems[0].where in {layer.name for layer in net.layers}
    with pytest.raises(TinsmithError, match=r"conv_4 needs 180 weight words at once, and the chip has 64"):
        compile_program(net.graph(), Chip(wgt_words=64))
    with pytest.raises(TinsmithError, match=r"large needs \d+ words of descriptors, and the chip has 64"):
        compile_program(net.graph(), Chip(desc_words=64))


def test_a_number_that_no_field_holds_names_its_layer() -> None:
    net = Net(1, "long")
    x = net.quantize(net.input("x", (1, 2, 1, 400)))
    net.dequantize(net.max_pool(x, (1, 300)))
    with pytest.raises(TinsmithError, match=r"max_pool_1: kx_n is 300"):
        compile_program(net.graph(), Chip())


def test_every_parameter_has_its_rule() -> None:
    given = {"pes": "12", "lanes": "64", "rqs": "16", "act_bytes": "100", "without": "relu"}
    with pytest.raises(TinsmithError, match="add, maxpool, history, table"):
        SocBackend().configured("soc", given)
    del given["without"]
    with pytest.raises(TinsmithError) as caught:
        SocBackend().configured("soc", given)
    text = str(caught.value)
    for words in ("power of two from 4 to 32", "power of two from 4 to 16", "rqs divides pes", "--set act_bytes=1024"):
        assert words in text
    assert Chip(pes=4, without=frozenset({"add", "history"})).parameters["OPS"] == 2 + 8


def test_refusals_name_their_rule() -> None:
    net = Net(5)
    x = net.quantize(net.input("x", (1, 4, 6, 6)))
    y = net.conv(net.multiply(x, factor_shape=(1, 4, 1, 1)), 4, dtype="int8")
    bits = net.binary_max_pool(net.conv(y, 4, (1, 1), bits=1), (2, 2))
    net.dequantize(net.matmul(net.reshape(net.binary_conv(bits, 3, (1, 1)), (1, 3, 9)), 3))
    reasons = " ".join(problem.why for problem in problems(net.graph(), Chip()))
    for words in ("Neither the accelerator", "rearranged", "minimum of some channels"):
        assert words in reasons, reasons


def test_a_trigger_fills_one_input_of_its_type() -> None:
    net = Net(1, "pulse")
    net.dequantize(net.conv(net.quantize(net.input("x", (1, 2, 1, 64)), dtype="int8"), 4, (1, 5)))
    told = Stream("pair", threshold=300, pretrigger=8, offset=-5)
    (entry,) = compile_program(net.graph(), Chip(), told).image.inputs
    wanted = {"bytes": 128, "samples": 64, "beat_bytes": 2, "threshold": 300, "pretrigger": 8, "offset": -5}
    assert {key: entry[key] for key in wanted} == wanted and entry["timeout"] == 1_000_000
    assert (entry["mode"], entry["format"]) == (INPUT_MODE["TRIGGER"], SAMPLE_FORMAT["PAIR"])
    image = compile_program(net.graph(), Chip(), told).image.data
    framed = compile_program(net.graph(), Chip()).image
    assert fed_by_frames(image, 4) == framed.data
    with pytest.raises(TinsmithError, match="CRC"):
        fed_by_frames(image[:100] + bytes([image[100] ^ 1]) + image[101:], 4)
    for wrong, text in (
        (Stream("uint8"), "samples become uint8"),
        (Stream("int16"), "samples become int16"),
        (Stream("split"), "shift is 0"),
        (Stream("split", shift=4), "samples become uint8"),
        (Stream("pair", pretrigger=64), "begins 64 before its trigger"),
    ):
        with pytest.raises(TinsmithError, match=text):
            compile_program(net.graph(), Chip(), wrong)
    with pytest.raises(TinsmithError, match=r"pretrigger cannot be '2000'[^$]*it is a whole number from 0 to 1023"):
        SocBackend().configured("soc", {"stream": "int8", "pretrigger": "2000"})
