"""The estimator of machines: its table, Yosys' rules for memories and multipliers, alternatives, devices."""

from __future__ import annotations

import contextlib
from pathlib import Path

import numpy as np
import pytest
from rtl_nets import bits, integers
from tinsmith import pipeline
from tinsmith.backend import Registry
from tinsmith.errors import TinsmithError
from tinsmith.estimates import Estimate
from tinsmith_backends.rtl.area.blocks import Block, Measured, measured, write_table
from tinsmith_backends.rtl.area.features import shape
from tinsmith_backends.rtl.area.fit import errors, estimate, mean_error
from tinsmith_backends.rtl.area.parts import RULES, Mapped, Memory, Product
from tinsmith_backends.rtl.backend import BACKEND

TARGET = "rtl-verilog"
FAMILIES = sorted({family for row in measured() for family in row.resources})


def told(**settings: str) -> Estimate:
    return BACKEND.configured(TARGET, settings).estimate(integers().graph(), TARGET)


@pytest.fixture(scope="module")
def found() -> Estimate:
    return told(interval="1024")


@pytest.mark.parametrize("family", FAMILIES)
def test_the_table_is_met(family: str) -> None:
    assert mean_error(family) < 0.2
    right = sum(row.resources[family].lut for rows in errors(family).values() for row, _ in rows)
    guess = sum(one.lut for rows in errors(family).values() for _, one in rows)
    assert abs(guess / right - 1) < 0.1


@pytest.mark.parametrize("family", FAMILIES)
def test_memories_and_multipliers_follow_the_rules_of_yosys(family: str) -> None:
    rows = [(row.resources[family], guess) for rows in errors(family).values() for row, guess in rows]
    same = [right.bram == guess.bram and right.dsp == guess.dsp for right, guess in rows]
    assert np.mean(same) > 0.9, "of the table's blocks"


def test_every_module_of_a_machine_is_in_the_table() -> None:
    in_table = {row.block.module for row in measured()}
    for make in (integers, bits):
        for interval in ("128", "1024"):
            backend = BACKEND.configured(TARGET, {"interval": interval})
            blocks = [Block.of(one) for one in backend.design(make().graph(), TARGET).machine.instances]
            assert {block.module for block in blocks} <= in_table
            assert all(shape(block).luts for block in blocks)


def test_the_table_is_written_as_it_is_read(tmp_path: Path) -> None:
    write_table(measured(), tmp_path / "blocks.json")
    from tinsmith_backends.rtl.area import blocks

    assert (tmp_path / "blocks.json").read_bytes() == blocks.TABLE.read_bytes()


def test_more_of_everything_takes_more() -> None:
    rows = {row.block.module: row for row in measured()}
    block = rows["tsm_mvu"].block
    twice = Block(block.module, {**block.parameters, "PE": 2 * block.parameters["PE"]})
    assert estimate(twice, "ecp5").lut > estimate(block, "ecp5").lut
    assert estimate(twice, "ecp5").ff > estimate(block, "ecp5").ff


def test_yosys_rules() -> None:
    ecp5, xc7 = RULES["ecp5"], RULES["xc7"]
    rom = Memory(8, 72, written=False, registered=True)
    assert ecp5.memory(rom) == Mapped(logic_bits=576)
    assert ecp5.memory(Memory(8, 576, written=False, registered=True)) == Mapped(bram=1)
    assert xc7.memory(Memory(8, 576, written=False, registered=True)) == Mapped(logic_bits=4608)
    assert ecp5.memory(Memory(8, 40, written=True, registered=False)).lut_cells == 36
    shapes = ((8, 176, 0), (8, 192, 1), (12, 128, 1), (16, 96, 0), (20, 80, 1), (24, 64, 0), (32, 48, 0), (4, 400, 1))
    for width, depth, blocks in shapes:
        assert ecp5.memory(Memory(width, depth, written=True, registered=True)).bram == blocks, (width, depth)
    assert [ecp5.dsps(Product(1, 9, bits)) for bits in (18, 19, 20, 36, 37, 38)] == [1, 1, 2, 2, 2, 3]
    assert [ecp5.dsps(Product(1, bits, 19)) for bits in (19, 20)] == [1, 2] and ecp5.dsps(Product(1, 20, 20)) == 4
    assert [ecp5.sums(Product(2, 9, bits)) for bits in (18, 19, 36, 37)] == [0, 56, 90, 184]
    assert [xc7.dsps(Product(1, a, b)) for a, b in ((9, 21), (9, 38), (19, 19), (23, 32))] == [1, 2, 2, 4]
    assert ecp5.dsps(Product(3, 9, 8)) == 3 and ecp5.dsps(Product(1, 20, 16)) == 2
    assert ecp5.dsps(Product(4, 9, 1)) == 0 and xc7.dsps(Product(4, 4, 3)) == 0


def test_an_estimate_has_layers_neighbours_and_other_intervals(found: Estimate) -> None:
    values = found.whole.values
    assert values["LUT"] == sum(row.values["LUT"] for row in found.layers)
    assert values["DSP"] == sum(row.values["DSP"] for row in found.layers)
    assert values["interval"] <= 1024 < values["latency"]
    names = {
        layer.name for layer in integers().graph().layers if layer.kind not in ("Quantize", "Dequantize", "Reshape")
    }
    assert {row.name for row in found.layers[:-1]} == names and found.layers[-1].name == "between the layers"
    for row in found.layers[:-1]:
        for other in row.alternatives:
            word = other.choice.split(":")[0]
            assert (other.values["cycles"] < row.values["cycles"]) == (word == "faster"), (row, other)
    intervals = {int(row.choice.split()[1]): row.values for row in found.whole.alternatives}
    assert {512, 2048} <= intervals.keys()
    assert intervals[512]["LUT"] > values["LUT"] > intervals[2048]["LUT"]
    assert any("for ecp5" in note for note in found.notes)


def test_a_pinned_layer_costs_what_its_row_said(found: Estimate) -> None:
    """The choice of an alternative is what --set takes."""
    layer, other = next(
        (row, other)
        for row in found.layers
        for other in row.alternatives
        if other.choice.startswith("faster: kind mvu") and other.values["cycles"] <= 1024
    )
    facts = dict(part.split(" ") for part in other.choice.removeprefix("faster: ").split(", "))
    pinned = told(interval="1024", **{f"{key}@{layer.name}": value for key, value in facts.items()})
    row = next(row for row in pinned.layers if row.name == layer.name)
    assert row.values["cycles"] == other.values["cycles"] and row.values["DSP"] == other.values["DSP"]
    assert abs(row.values["LUT"] - other.values["LUT"]) < 0.25 * row.values["LUT"]


def test_an_interval_that_cannot_be_met_is_refused() -> None:
    with pytest.raises(TinsmithError, match="an interval of 9 clocks cannot be met"):
        told(interval="9")


def test_a_network_too_large_for_a_device_says_what_to_change(tmp_path: Path) -> None:
    import onnx_ir as ir

    ir.save(integers().model(), tmp_path / "net.onnx")
    registry = Registry.of([BACKEND])
    fast = {"interval": "64", "kind": "mvu"}
    with pytest.raises(TinsmithError) as caught:
        pipeline.compile(tmp_path / "net.onnx", "ecp5-25k", tmp_path / "b", settings=fast, registry=registry)
    text = str(caught.value)
    assert "DSP and ecp5-25k has 28:" in text and "  try: " in text
    assert not (tmp_path / "b").exists()
    slow = pipeline.estimate(tmp_path / "net.onnx", "ecp5-85k", settings={"interval": "4096"}, registry=registry)
    assert any(note.startswith("ecp5-85k: LUT ") for note in slow.notes)


@pytest.mark.slow
def test_what_it_really_takes_is_near_the_estimate(tmp_path: Path) -> None:
    backend = BACKEND.configured(TARGET, {"interval": "1024"})
    graph = bits().graph()
    (tmp_path / "b").mkdir()
    backend.build(graph, TARGET, tmp_path / "b", lambda step: contextlib.nullcontext())
    really = backend.synthesize(tmp_path / "b", graph, TARGET, "ecp5", lambda step: contextlib.nullcontext())
    (guess,) = really.whole.alternatives
    assert really.whole.values["MHz"] > 20
    assert abs(guess.values["LUT"] / really.whole.values["LUT"] - 1) < 0.25
    with pytest.raises(TinsmithError, match="no FPGA family"):
        backend.synthesize(tmp_path / "b", graph, TARGET, "cyclone", lambda step: contextlib.nullcontext())


def test_blocks_are_equal_by_module_and_numbers() -> None:
    row = measured()[0]
    assert Measured(row.block, row.resources).block.key == Block(row.block.module, dict(row.block.parameters)).key
