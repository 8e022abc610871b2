"""The build folder of a machine: sources, ROM contents, top level, bench, core file, README, description."""

from __future__ import annotations

import hashlib
import json
import re
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from tinsmith.backend import Arrays
from tinsmith.errors import TinsmithError

from tinsmith_backends.rtl.adder import module
from tinsmith_backends.rtl.buffers import Design
from tinsmith_backends.rtl.instances import Instance, Machine, Parameter, Port, Wire
from tinsmith_backends.rtl.languages import VERILOG, Language
from tinsmith_backends.rtl.rendering import render

FILE = "tinsmith.json"
MEMORIES = "mem"
VECTORS = "vectors.json"
CLOCK_MHZ = 60
"""What the constraint files ask for."""
RTL = Path(__file__).resolve().parents[3] / "rtl"
"""The SystemVerilog of the repository; builds get copies of the modules."""


def write_machine(design: Design, folder: Path, language: Language) -> None:
    """Write everything but the test vectors into an empty folder."""
    machine, traced = design.machine, design.carried
    (folder / "src").mkdir()
    (folder / MEMORIES).mkdir()
    top = top_name(machine)
    modules = _modules(machine, language)
    for name in modules:
        source = _source(name, language)
        shutil.copyfile(source, folder / "src" / source.name)
    for name, text in {**cells(machine, language), **constants(machine, language)}.items():
        (folder / name).write_text(text, encoding="utf-8")
    memories = sorted(f"{MEMORIES}/{path.name}" for path in (folder / MEMORIES).iterdir())
    values = {
        "machine": machine,
        "timing": design.timing,
        "top": top,
        "language": language,
        "mhz": CLOCK_MHZ,
        "bits": _bits,
        "bytes": _bytes,
        "generics": _generics,
        "literal": _literal,
        "shape": _shape,
    }
    values |= {"wires": _wires(machine), "traces": list({w.name: w for w in traced.values()}.values())}
    _write(folder / "src" / f"{top}{language.suffix}", f"top{language.suffix}.j2", **values)
    sources = sorted(path.name for path in (folder / "src").iterdir())
    (folder / "files.f").write_text("".join(f"src/{name}\n" for name in sources), encoding="utf-8")
    _write(folder / f"{top}.core", "core.j2", sources=sources, memories=memories, **values)
    _write(folder / "README.md", "README.md.j2", **values)
    for name in ("constraints.xdc", "constraints.lpf"):
        _write(folder / name, f"{name}.j2", mhz=CLOCK_MHZ)
    _write(folder / "Makefile", "Makefile.j2", top=top, language=language)
    shutil.copyfile(Path(__file__).with_name("templates") / "bench.py", folder / "bench.py")
    (folder / FILE).write_text(json.dumps(_description(design, language), indent=1) + "\n", encoding="utf-8")


def constants(machine: Machine, language: Language) -> dict[str, str]:
    """Files that hold the network's numbers: ROM contents, and modules that are made of them."""
    files: dict[str, str] = {}
    for instance in machine.instances:
        files |= {f"{MEMORIES}/{name}": text for name, text in instance.memories.items()}
        if instance.graph:
            made = module.sources(instance, instance.graph, language)
            files |= {f"src/{name}": text for name, text in made.items()}
    return files


def cells(machine: Machine, language: Language) -> dict[str, str]:
    """The modules that graphs of adders are made of."""
    used = any(instance.graph for instance in machine.instances)
    return {f"src/{name}": text for name, text in module.cells(language).items()} if used else {}


def write_vectors(design: Design, folder: Path, expected: Sequence[Arrays]) -> None:
    """Write the words of each stream for every sample; `expected` are the exact graph's tensors."""
    machine = design.machine
    sides = {"inputs": machine.inputs, "outputs": machine.outputs}
    vectors: dict[str, Any] = {
        side: {port.name: [hexadecimal(port.wire, sample[port.tensor]) for sample in expected] for port in ports}
        for side, ports in sides.items()
    }
    text = json.dumps({"network": fingerprint(machine), **vectors})
    (folder / VECTORS).write_text(text + "\n", encoding="utf-8")


def fingerprint(machine: Machine) -> str:
    """Tells machines apart: of what they hold and how their streams are made."""
    held = [(one.module, sorted(one.parameters.items())) for one in machine.instances]
    files = sorted(constants(machine, VERILOG).items())  # the same in any language
    ports = [(port.name, port.wire.lanes, port.wire.width) for port in (*machine.inputs, *machine.outputs)]
    return hashlib.sha256(repr((held, files, ports)).encode()).hexdigest()[:16]


def hexadecimal(wire: Wire, values: npt.NDArray[Any]) -> list[str]:
    """The words of a stream that carries a tensor."""
    rows = np.asarray(stored(values, wire.width)).reshape(wire.words, wire.lanes)
    return [f"{sum(int(v) << (lane * wire.width) for lane, v in enumerate(row)):x}" for row in rows.tolist()]


def stored(values: npt.NDArray[Any], width: int) -> npt.NDArray[np.int64]:
    """A tensor (ONNX layout, batch 1) as unsigned lanes, channels last; a bit is 1 where the value is -1."""
    last = values.transpose(0, 2, 3, 1) if values.ndim == 4 else values
    flat = last.ravel().astype(np.int64)
    return (flat < 0).astype(np.int64) if width == 1 else flat & ((1 << width) - 1)


def top_name(machine: Machine) -> str:
    """Name of the top module: one that Verilog and VHDL both take."""
    name = re.sub("[^A-Za-z0-9]+", "_", machine.name).strip("_")
    return f"{name}_top" if name[:1].isalpha() else f"net{name and '_'}{name}_top"


def _source(module: str, language: Language) -> Path:
    found = [RTL / folder / f"{module}{language.suffix}" for folder in language.folders]
    for path in found:
        if path.is_file():
            return path
    what, why = f"the {language.name} module {module} is missing", "it is part of the repository"
    raise TinsmithError(what, where=str(RTL), why=why, fix="pip install -e . in a checkout")


def _modules(machine: Machine, language: Language) -> list[str]:
    modules = {"tsm_slice" if instance.graph else instance.module for instance in machine.instances}
    return sorted(modules.union(*(inside for module, inside in language.inside.items() if module in modules)))


def _wires(machine: Machine) -> list[Wire]:
    found: dict[str, Wire] = {}
    for instance in machine.instances:
        for wire in (*instance.inputs.values(), *instance.outputs.values()):
            found[wire.name] = wire
    for port in (*machine.inputs, *machine.outputs):
        found[port.wire.name] = port.wire
    return list(found.values())


def _bits(count: int) -> int:
    """Of a counter of so many states."""
    return (count - 1).bit_length()


def _bytes(wire: Wire) -> int:
    return (wire.bits + 7) // 8


def _literal(name: str, value: Parameter, instance: Instance) -> str:
    if isinstance(value, str):
        return f'"{MEMORIES}/{value}"'
    if name == "PAD":
        return f"{instance.parameters['WORD_W']}'h{value:x}"
    if name == "OFFSET":
        return f"64'sh{value & (1 << 64) - 1:x}"
    return str(value)


def _generics(instance: Instance) -> dict[str, Parameter]:
    """Parameters as VHDL has them: padding is said for one lane, which may be wider than an integer in all."""
    found = {name: _literal(name, v, instance) if isinstance(v, str) else v for name, v in instance.parameters.items()}
    if "PAD" not in found:
        return found
    width = instance.inputs["s"].width
    return {**found, "PAD": int(instance.parameters["PAD"]) & ((1 << width) - 1), "PAD_W": width}


def _shape(instance: Instance) -> str:
    keys = ("PE", "SIMD", "LANES", "PARALLEL", "KH", "KW", "ROWS", "DEPTH")
    return ", ".join(f"{key} {instance.parameters[key]}" for key in keys if key in instance.parameters)


def _port(port: Port) -> dict[str, Any]:
    wire = port.wire
    return {"name": port.name, "tensor": port.tensor, "lanes": wire.lanes, "width": wire.width, "words": wire.words}


def _description(design: Design, language: Language) -> dict[str, Any]:
    machine, traced = design.machine, design.carried
    return {
        "top": top_name(machine),
        "network": fingerprint(machine),
        "latency": design.timing.latency,
        "interval": design.timing.interval,
        "filling": design.timing.filling,
        "inputs": [_port(port) for port in machine.inputs],
        "outputs": [_port(port) for port in machine.outputs],
        "constants": sorted(constants(machine, language)),
        "traces": [_port(Port(wire.name, tensor, wire)) for tensor, wire in traced.items()],
    }


def _write(path: Path, template: str, **values: Any) -> None:
    path.write_text(render(template, **values), encoding="utf-8")
