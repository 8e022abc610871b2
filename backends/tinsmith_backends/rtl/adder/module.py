"""The SystemVerilog of an adder graph: da4ml's combinational stages with our registers between them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tinsmith_backends.rtl.adder.trace import Graph
from tinsmith_backends.rtl.instances import Instance
from tinsmith_backends.rtl.rendering import render

CELLS = ("shift_adder", "negative", "mux", "binop")
"""Modules of da4ml that graphs of adders are made of."""


@dataclass(frozen=True)
class Stage:
    """What stands between two registers."""

    module: str
    in_bits: int
    out_bits: int


def sources(instance: Instance, graph: Graph) -> dict[str, str]:
    """The source files of an instance's module, by file name; those of its stages begin with its name."""
    from da4ml.codegen.rtl.verilog import comb_logic_gen

    name, windows, outputs = instance.module, instance.inputs["s"], instance.outputs["m"]
    stages = [
        Stage(f"{name}_stage{number}", sum(_widths(part.inp_qint)), sum(_widths(part.out_qint)))
        for number, part in enumerate(graph.stages)
    ]
    files = {f"{s.module}.sv": comb_logic_gen(part, s.module) for s, part in zip(stages, graph.stages, strict=True)}
    taken = _widths(graph.stages[0].inp_qint)
    values = {
        "name": name,
        "layer": instance.layer,
        "stages": stages,
        "in_bits": windows.bits,
        "out_bits": outputs.bits,
        "inputs": [_slice("s_data_i", lane * windows.width, bits) for lane, bits in enumerate(taken) if bits],
        "outputs": _lanes(graph.stages[-1].out_qint, outputs.width),
        "unused": [
            _slice("s_data_i", lane * windows.width + bits, windows.width - bits)
            for lane, bits in enumerate(taken)
            if bits < windows.width
        ],
    }
    return {f"{name}.sv": render("kernel.sv.j2", **values), **files}


def cells() -> dict[str, str]:
    """da4ml's modules, by file name, without their time scales; builds get copies."""
    import da4ml

    folder = Path(da4ml.__file__).parent / "codegen" / "rtl" / "verilog" / "source"
    texts = {cell: (folder / f"{cell}.v").read_text(encoding="utf-8") for cell in CELLS}
    return {f"{cell}.sv": text.replace("`timescale 1ns / 1ps", "").lstrip() for cell, text in texts.items()}


def _widths(intervals: Any) -> list[int]:
    from da4ml.types import minimal_kif

    return [sum(minimal_kif(interval)) for interval in intervals]


def _slice(name: str, low: int, bits: int) -> str:
    return f"{name}[{low + bits - 1}:{low}]"


def _lanes(intervals: Any, width: int) -> list[str]:
    """Each output of the last stage, extended to a lane."""
    lanes, low = [], 0
    for interval, bits in zip(intervals, _widths(intervals), strict=True):
        if bits == 0:
            lanes.append(f"{width}'d0")
        elif bits == width:
            lanes.append(_slice("y", low, bits))
        else:
            top = f"y[{low + bits - 1}]" if interval.min < 0 else "1'b0"
            lanes.append(f"{{{width - bits}{{{top}}}}}, {_slice('y', low, bits)}")
        low += bits
    return lanes
