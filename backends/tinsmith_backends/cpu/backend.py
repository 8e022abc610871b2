"""The CPU backend: what the compiler calls to refuse, build and run graphs for CPU targets."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING

from tinsmith.backend import Arrays, Build, LayerBuild, Runner, Step, Target
from tinsmith.errors import Problem
from tinsmith.settings import Settings, resolve

from tinsmith_backends.cpu.targets import TARGETS

if TYPE_CHECKING:
    from tinsmith.estimates import Estimate
    from tinsmith.ir.exact import ExactGraph

    from tinsmith_backends.cpu.constants import Constant
    from tinsmith_backends.cpu.executor import Names
    from tinsmith_backends.cpu.memory import Memory
    from tinsmith_backends.cpu.targets import CpuTarget


class CpuBackend:
    """Implements `tinsmith.backend.Backend` for the targets of targets/."""

    targets: Mapping[str, Target] = MappingProxyType({name: cpu.target for name, cpu in TARGETS.items()})

    def configured(self, target: str, settings: Settings) -> CpuBackend:
        """CPU targets take no settings."""
        resolve((), settings, target)
        return self

    def problems(self, graph: ExactGraph, target: str) -> list[Problem]:
        """Every reason why this graph cannot be built; the same for all CPU targets."""
        from tinsmith_backends.cpu.constraints import problems

        return problems(graph)

    def build(self, graph: ExactGraph, target: str, out: Path, step: Step) -> Build:
        """Write the artefact into the empty folder `out`; see docs/build-folder.md for what stands there."""
        from tinsmith_backends.cpu.constants import constants, struct_bytes
        from tinsmith_backends.cpu.lower import lower
        from tinsmith_backends.cpu.memory import plan

        cpu = TARGETS[target]
        with step("choose kernels and pack weights"):
            program = lower(graph, cpu.isa)
        with step("plan memory"):
            memory = plan(program)
        members = constants(memory.program)
        code = _write(graph, cpu, memory, members, out, step)
        return Build(
            arena_bytes=memory.arena_bytes,
            arena_lower_bound_bytes=memory.lower_bound_bytes,
            weight_bytes=struct_bytes(members),
            code_bytes=code,
            layers=layer_builds(graph, memory),
        )

    def estimate(self, graph: ExactGraph, target: str) -> Estimate:
        """Multiply-accumulates, bytes of constants and of the arena: exact, since they are planned and not compiled."""
        from tinsmith_backends.cpu.estimate import estimate

        return estimate(graph, TARGETS[target])

    def write_vectors(
        self, graph: ExactGraph, target: str, out: Path, samples: Sequence[Arrays], expected: Sequence[Arrays]
    ) -> None:
        """Add the samples, as the network takes them, to the self-test of the C artefacts; the npm package has none."""
        from tinsmith_backends.cpu.selftest import write_vectors

        if target != "wasm":
            write_vectors(graph, out, expected)

    def expected_constants(self, graph: ExactGraph, target: str) -> Mapping[str, bytes]:
        """Constants of the artefact by `layer/kind`, packed again from the exact graph."""
        from tinsmith_backends.cpu.constants import by_key, constants
        from tinsmith_backends.cpu.lower import lower
        from tinsmith_backends.cpu.memory import ordered
        from tinsmith_backends.cpu.run_both import portable_keys

        cpu = TARGETS[target]
        found = by_key(constants(ordered(lower(graph, cpu.isa))))
        return {**found, **portable_keys(self.expected_constants(graph, "c"))} if cpu.portable else found

    def runner(self, build: Path, graph: ExactGraph, target: str, runner: str | None = None) -> Runner:
        """A runner for the folder; compiles what has to be compiled. `TinsmithError` when a tool is missing."""
        from tinsmith_backends.cpu.runners import make_runner

        return make_runner(build, graph, TARGETS[target], runner)


def _write(
    graph: ExactGraph, cpu: CpuTarget, memory: Memory, members: Sequence[Constant], out: Path, step: Step
) -> int:
    """Write the files of one target; returns the bytes of its code."""
    from tinsmith_backends.cpu.description import FILE, describe
    from tinsmith_backends.cpu.run_both import PORTABLE

    (out / FILE).write_text(describe(memory, members, cpu.target.name), encoding="utf-8")
    if cpu.target.name == "wasm":
        return _write_wasm(cpu, memory, members, out, step)
    if cpu.portable:
        with step("write the portable C"):
            _write_portable(graph, out / PORTABLE)
    return _write_native(cpu, memory, members, out, step)


def _write_wasm(cpu: CpuTarget, memory: Memory, members: Sequence[Constant], out: Path, step: Step) -> int:
    """The module and its npm package. Code is everything in the module that is no constant."""
    from tinsmith_backends.cpu.constants import struct_bytes
    from tinsmith_backends.cpu.wasm import link_module, render_package

    name = memory.program.name
    names = _names(cpu, name, "kernels.o")
    with step("compile kernels"):
        kernels = _object(memory, cpu)
    with step("link the module"):
        module = link_module(memory, members, names, kernels, cpu.compile_flags)
    (out / f"{name}.wasm").write_bytes(module)
    _write_texts(out, render_package(memory, members, names))
    return len(module) - struct_bytes(members)


def _write_native(cpu: CpuTarget, memory: Memory, members: Sequence[Constant], out: Path, step: Step) -> int:
    """C sources, the kernels as an object file or as C text, and the build file."""
    from tinsmith_backends.cpu.executor import render_build_files, render_sources
    from tinsmith_backends.cpu.objects import measure_code

    name = memory.program.name
    kernels = f"{name}_kernels.{'c' if cpu.isa == 'scalar' else 'o'}"
    names = _names(cpu, name, kernels)
    with step("compile kernels"):
        (out / kernels).write_bytes(_object(memory, cpu))
    _write_texts(out, render_sources(memory, members, names))
    _write_texts(out, render_build_files(memory, members, names))
    with step("measure the code"):
        return measure_code(out, [f"{name}.c", kernels], cpu.compile_flags)


def _write_portable(graph: ExactGraph, folder: Path) -> None:
    """The same network in portable C, for boards and hosts without the instructions of the object file."""
    from tinsmith_backends.cpu.constants import constants
    from tinsmith_backends.cpu.description import FILE, describe
    from tinsmith_backends.cpu.executor import render_sources
    from tinsmith_backends.cpu.lower import lower
    from tinsmith_backends.cpu.memory import plan

    cpu = TARGETS["c"]
    memory = plan(lower(graph, cpu.isa))
    kernels = f"{memory.program.name}_kernels.c"
    folder.mkdir()
    (folder / kernels).write_bytes(_object(memory, cpu))
    names, members = _names(cpu, memory.program.name, kernels), constants(memory.program)
    _write_texts(folder, {FILE: describe(memory, members, cpu.target.name)})
    _write_texts(folder, render_sources(memory, members, names))


def _names(cpu: CpuTarget, name: str, kernels: str) -> Names:
    from tinsmith_backends.cpu.executor import Names

    return Names(cpu.target.name, kernels, portable=cpu.portable)


def _object(memory: Memory, cpu: CpuTarget) -> bytes:
    """The kernels of a program, as an object file or as C text."""
    from tinsmith_backends.cpu.program import Call
    from tinsmith_backends.cpu.symbols import OwnKernel
    from tinsmith_backends.cpu.tvm_adapter import compile_kernels

    name = memory.program.name
    kernels = [OwnKernel(s.body.kernel, name) for s in memory.program.steps if isinstance(s.body, Call)]
    output = compile_kernels(kernels, cpu.isa)
    return output.encode() if isinstance(output, str) else output


def _write_texts(folder: Path, files: Mapping[str, str]) -> None:
    for name, text in files.items():
        (folder / name).write_text(text, encoding="utf-8", newline="\n")


def layer_builds(graph: ExactGraph, memory: Memory) -> tuple[LayerBuild, ...]:
    """One row for each layer of the exact graph; layers without a step of their own show what stands for them."""
    without = {"Quantize": "c_quantize", "Dequantize": "c_dequantize"}
    rows = []
    for layer in graph.layers:
        steps = [step for step in memory.program.steps if step.layer == layer.name]
        kernels = [step.kernel for step in steps]
        if layer.kind in without:
            kernels.append(without[layer.kind])
        weight_bytes = sum(len(data) for step in steps for data in step.constants.values())
        rows.append(LayerBuild(layer.name, " + ".join(kernels) or "no code", weight_bytes))
    return tuple(rows)


BACKEND = CpuBackend()
"""What the entry point `tinsmith.backends` names."""
