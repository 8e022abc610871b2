"""Proofs of stream modules: a harness around a module with the rules of formal/*.sv, given to sby and z3."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import product
from pathlib import Path

import proving
from mutation import changed
from rtl_run import ROOT

RULES = sorted((Path(__file__).parent / "formal").glob("*.sv"))


@dataclass(frozen=True)
class Proof:
    """One module with parameters, and what must hold of it.

    Attributes:
        module: of rtl/common or rtl/stream.
        parameters: of the module; ROM contents by file name in `memories`.
        inputs: width of each stream in, by port.
        outputs: width of each stream out, by port.
        frame: words in and words out that belong together.
        early: words that may go out before their frame has come in whole.
        patience: clocks that it may take until a word moves while both ends want it to.
        lanes: width of a lane, lanes of a word in, lanes of a word out, where the module only moves lanes.
        depth: clocks from reset that are looked at.
        mode: bmc, or prove, which also tries induction over all clocks.
        around: text of a harness for a module that has no streams.
    """

    module: str
    parameters: Mapping[str, int | str]
    inputs: Mapping[str, int]
    outputs: Mapping[str, int]
    frame: tuple[int, int] = (1, 1)
    early: int = 0
    patience: int = 4
    lanes: tuple[int, int, int] | None = None
    depth: int = 14
    mode: str = "bmc"
    memories: Mapping[str, str] = field(default_factory=dict)
    around: str = ""


def prove(proof: Proof, folder: Path, change: tuple[str, str] | None = None) -> str:
    """PASS, FAIL, UNKNOWN or ERROR, as sby says; `change` replaces a text of the module by another."""
    parts = [path for part in ("common", "stream") for path in sorted((ROOT / "rtl" / part).glob("*.sv"))]
    files = {
        path.name: changed(path, *change) if change is not None and path.stem == proof.module else path.read_text()
        for path in [*parts, *RULES]
    }
    files["harness.sv"] = proof.around or harness(proof)
    return proving.prove("harness", files, folder, depth=proof.depth, mode=proof.mode, data=proof.memories)


def harness(proof: Proof) -> str:
    """A top module in which the solver drives sources, sinks and a reset at any time."""
    values = ", ".join(f".{name}({_literal(value)})" for name, value in proof.parameters.items())
    lines = ["module harness (input clk_i, input restart,"]
    ports = [f"  input {p}_valid, input [{w - 1}:0] {p}_data" for p, w in proof.inputs.items()]
    ports += [f"  input {p}_ready" for p in _sinks(proof)]
    lines += [",\n".join(ports) + ");", "logic started = 1'b0;", "always_ff @(posedge clk_i) started <= 1'b1;"]
    lines += ["wire rst_ni = started && !restart;"]
    lines += [f"wire {p}_ready;" for p in proof.inputs]
    lines += [f"wire {_out(proof, p)}_valid; wire [{w - 1}:0] {_out(proof, p)}_data;" for p, w in proof.outputs.items()]
    joined = [f".{p}_valid_i({p}_valid), .{p}_ready_o({p}_ready), .{p}_data_i({p}_data)" for p in proof.inputs]
    for port in proof.outputs:
        own = _out(proof, port)
        joined.append(f".{port}_valid_o({own}_valid), .{port}_ready_i({own}_ready), .{port}_data_o({own}_data)")
    lines.append(f"{proof.module} #({values}) dut (.clk_i, .rst_ni, {', '.join(joined)});")
    streams = [(p, w, 1) for p, w in proof.inputs.items()] + [(_out(proof, p), w, 0) for p, w in proof.outputs.items()]
    for name, width, assume in streams:
        lines.append(f"wire [5:0] {name}_count;")
        lines.append(
            f"formal_port #(.WIDTH({width}), .ASSUME({assume})) port_{name} (.clk_i, .rst_ni, .valid_i({name}_valid), "
            f".ready_i({name}_ready), .data_i({name}_data), .count_o({name}_count));"
        )
    sources, sinks = list(proof.inputs), _sinks(proof)
    moves = " || ".join(f"({name}_valid && {name}_ready)" for name, _, _ in streams)
    ready = " && ".join(f"{name}_ready" for name in sinks)
    lines.append(f"wire moves = {moves};")
    lines.append(f"wire wanted = {' && '.join(f'{name}_valid' for name in sources)} && {ready};")
    lines.append(f"wire draining = !({' || '.join(f'{name}_valid' for name in sources)}) && {ready};")
    for source, sink in product(sources, sinks):
        lines.append(
            f"formal_flow #(.IN({proof.frame[0]}), .OUT({proof.frame[1]}), .EARLY({proof.early}), "
            f".PATIENCE({proof.patience})) flow_{source}_{sink} (.clk_i, .rst_ni, .moves_i(moves), .wanted_i(wanted), "
            f".draining_i(draining), .s_count_i({source}_count), .m_count_i({sink}_count));"
        )
        if proof.lanes is not None:
            width, narrow, wide = proof.lanes
            lines.append(
                f"formal_order #(.LANE_W({width}), .IN_LANES({narrow}), .OUT_LANES({wide})) order_{source}_{sink} ("
                f".clk_i, .rst_ni, .s_valid_i({source}_valid), .s_count_i({source}_count), .s_data_i({source}_data), "
                f".m_valid_i({sink}_valid), .m_count_i({sink}_count), .m_data_i({sink}_data));"
            )
    return "\n".join([*lines, "endmodule", ""])


def _out(proof: Proof, port: str) -> str:
    """What the harness calls a stream out: a fork has a port of the same name as a join's stream in."""
    return f"out_{port}"


def _sinks(proof: Proof) -> list[str]:
    return [_out(proof, port) for port in proof.outputs]


def _literal(value: int | str) -> str:
    return f'"{value}"' if isinstance(value, str) else str(value)
