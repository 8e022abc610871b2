"""The source of an adder graph's module: da4ml's combinational stages with our registers between them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tinsmith_backends.rtl.adder.trace import Graph
from tinsmith_backends.rtl.instances import Instance
from tinsmith_backends.rtl.languages import VHDL, Language
from tinsmith_backends.rtl.rendering import render

CELLS = ("shift_adder", "negative", "mux", "binop")
"""Modules of da4ml that graphs of adders are made of."""


@dataclass(frozen=True)
class Stage:
    """What stands between two registers."""

    module: str
    in_bits: int
    out_bits: int


@dataclass(frozen=True)
class Lane:
    """One number among the bits of a stage, and as a lane of a stream.

    Attributes:
        low: its lowest bit in the stage.
        bits: how many it has there; 0 where it is always 0.
        at: its lowest bit in the stream.
        width: how many it has there.
        signed: whether it may be negative.
    """

    low: int
    bits: int
    at: int
    width: int
    signed: bool


def sources(instance: Instance, graph: Graph, language: Language) -> dict[str, str]:
    """The source files of an instance's module, by file name; those of its stages begin with its name."""
    name, windows, outputs = instance.module, instance.inputs["s"], instance.outputs["m"]
    stages = [
        Stage(f"{name}_stage{number}", sum(_widths(part.inp_qint)), sum(_widths(part.out_qint)))
        for number, part in enumerate(graph.stages)
    ]
    generate = _generator(language)
    files = {
        f"{stage.module}{language.suffix}": generate(part, stage.module)
        for stage, part in zip(stages, graph.stages, strict=True)
    }
    taken = _lanes(graph.stages[0].inp_qint, windows.width)
    values = {
        "name": name,
        "layer": instance.layer,
        "stages": stages,
        "in_bits": windows.bits,
        "out_bits": outputs.bits,
        "inputs": [lane for lane in taken if lane.bits],
        "outputs": _lanes(graph.stages[-1].out_qint, outputs.width),
        "unused": [
            f"s_data_i[{lane.at + lane.bits} +: {lane.width - lane.bits}]" for lane in taken if lane.bits < lane.width
        ],
    }
    return {f"{name}{language.suffix}": render(f"kernel{language.suffix}.j2", **values), **files}


def cells(language: Language) -> dict[str, str]:
    """da4ml's modules, by file name, without their time scales; builds get copies."""
    import da4ml

    flavor, suffix = ("vhdl", ".vhd") if language is VHDL else ("verilog", ".v")
    folder = Path(da4ml.__file__).parent / "codegen" / "rtl" / flavor / "source"
    texts = {cell: (folder / f"{cell}{suffix}").read_text(encoding="utf-8") for cell in CELLS}
    return {
        f"{cell}{language.suffix}": text.replace("`timescale 1ns / 1ps", "").lstrip() for cell, text in texts.items()
    }


def _generator(language: Language) -> Any:
    if language is VHDL:
        from da4ml.codegen.rtl.vhdl import comb_logic_gen as vhdl

        return vhdl
    from da4ml.codegen.rtl.verilog import comb_logic_gen as verilog

    return verilog


def _widths(intervals: Any) -> list[int]:
    from da4ml.types import minimal_kif

    return [sum(minimal_kif(interval)) for interval in intervals]


def _lanes(intervals: Any, width: int) -> list[Lane]:
    """Each number of a stage, and the lane of a stream that it is."""
    lanes, low = [], 0
    for number, (interval, bits) in enumerate(zip(intervals, _widths(intervals), strict=True)):
        lanes.append(Lane(low, bits, number * width, width, bool(interval.min < 0)))
        low += bits
    return lanes
