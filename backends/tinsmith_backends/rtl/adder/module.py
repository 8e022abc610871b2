"""The SystemVerilog of an adder graph: da4ml's combinational stages with our registers between them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tinsmith_backends.rtl.adder.trace import Graph
from tinsmith_backends.rtl.instances import Wire
from tinsmith_backends.rtl.rendering import render

CELLS = ("shift_adder", "negative", "mux")
"""Modules of da4ml that graphs of adders are made of."""


@dataclass(frozen=True)
class Stage:
    """What stands between two registers."""

    module: str
    in_bits: int
    out_bits: int


def sources(name: str, layer: str, graph: Graph, windows: Wire, outputs: Wire) -> tuple[dict[str, str], int]:
    """The source files of the module `name`, by file name, and its latency in clocks.

    Args:
        name: of the module; those of its stages begin with it.
        layer: of the exact graph, for the comment at the top.
        graph: the adders.
        windows: the stream that it reads, a window a word.
        outputs: the stream that it makes, all channels of a pixel a word.
    """
    from da4ml.codegen.rtl.verilog import comb_logic_gen

    logic = graph.stages().solutions
    stages = [
        Stage(f"{name}_stage{number}", sum(_widths(part.inp_qint)), sum(_widths(part.out_qint)))
        for number, part in enumerate(logic)
    ]
    files = {f"{s.module}.v": comb_logic_gen(part, s.module) for s, part in zip(stages, logic, strict=True)}
    taken = _widths(logic[0].inp_qint)
    values = {
        "name": name,
        "layer": layer,
        "stages": stages,
        "in_bits": windows.bits,
        "out_bits": outputs.bits,
        "inputs": [_slice("s_data_i", lane * windows.width, bits) for lane, bits in enumerate(taken) if bits],
        "outputs": _lanes(logic[-1].out_qint, outputs.width),
        "unused": [
            _slice("s_data_i", lane * windows.width + bits, windows.width - bits)
            for lane, bits in enumerate(taken)
            if bits < windows.width
        ],
    }
    return {f"{name}.sv": render("kernel.sv.j2", **values), **files}, len(stages)


def cells() -> dict[str, str]:
    """da4ml's modules, by file name; builds get copies."""
    import da4ml

    folder = Path(da4ml.__file__).parent / "codegen" / "rtl" / "verilog" / "source"
    return {f"{cell}.v": (folder / f"{cell}.v").read_text(encoding="utf-8") for cell in CELLS}


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
