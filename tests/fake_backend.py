"""A backend for tests of what stands around backends: its artefact is a copy of the exact graph, run by the oracle."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt
from tinsmith.backend import Arrays, Build, LayerBuild, Registry, Step, Target, Tool
from tinsmith.devices import Device
from tinsmith.errors import Problem
from tinsmith.estimates import Estimate, Row
from tinsmith.ir.exact import Conv, ExactGraph, MatMul
from tinsmith.ir.writer import write_exact
from tinsmith.settings import Setting, Settings, positive, resolve

CONSTANTS = "constants.json"
MODEL = "artefact.onnx"


def constants_of(graph: ExactGraph) -> dict[str, bytes]:
    weighted = [layer for layer in graph.layers if isinstance(layer, Conv | MatMul)]
    found = {f"{layer.name}/weight": layer.weight.tobytes() for layer in weighted}
    return found | {f"{layer.name}/bias": layer.bias.tobytes() for layer in weighted}


@dataclass
class FakeRunner:
    """Runs the artefact's own copy of the graph; `drop` makes it stop answering early."""

    folder: Path
    graph: ExactGraph
    name: str = "fake"
    drop: int = 0

    def constants(self) -> Mapping[str, bytes]:
        return {key: bytes.fromhex(text) for key, text in json.loads((self.folder / CONSTANTS).read_text()).items()}

    def run(self, samples: Sequence[Arrays], *, layers: bool = True) -> Iterator[dict[str, npt.NDArray[Any]]]:
        from tinsmith.verify.oracle import Oracle

        oracle = Oracle(self.folder / MODEL)
        for sample in samples[: len(samples) - self.drop]:
            found = oracle.run(sample)
            yield found if layers else {name: found[name] for name in self.graph.outputs}

    def time(self, sample: Arrays, *, repeats: int) -> list[float]:
        return [0.002 + 0.001 * i for i in range(repeats)]


@dataclass
class FakeBackend:
    """Targets `fake` and `other`; `refuse` and `missing` make `problems` and a tool fail."""

    devices: ClassVar[Mapping[str, Device]] = {
        "fake-small": Device("fake-small", "a device", "fake", 50.0, {"parts": 5}, {"depth": "3"}),
        "fake-large": Device("fake-large", "a device", "fake", 50.0, {"parts": 300}, {"depth": "3"}),
    }
    refuse: list[Problem] = field(default_factory=list)
    missing: tuple[str, ...] = ()
    drop: int = 0
    fail_after: str = ""

    @property
    def targets(self) -> Mapping[str, Target]:
        tool = Tool("fakecc", lambda: None if "fakecc" in self.missing else "1.0", "apt-get install fakecc")
        emulator = Tool("fakemu", lambda: None if "fakemu" in self.missing else "2", "apt-get install fakemu", "verify")
        return {name: Target(name, "pretends", "fake", (tool, emulator), steps=2) for name in ("fake", "other")}

    def configured(self, target: str, settings: Settings) -> FakeBackend:
        resolve((Setting("depth", "how deep", "2", positive, layers=True),), settings, target)
        return self

    def problems(self, graph: ExactGraph, target: str) -> list[Problem]:
        return self.refuse

    def build(self, graph: ExactGraph, target: str, out: Path, step: Step) -> Build:
        import onnx_ir

        with step("plan memory"):
            (out / "src").mkdir()
            (out / "src" / "net.c").write_text(f"/* {graph.name} */\n")
        with step("write code"):
            constants = constants_of(graph)
            (out / CONSTANTS).write_text(json.dumps({key: data.hex() for key, data in constants.items()}))
            onnx_ir.save(write_exact(graph), out / MODEL)
        if self.fail_after == "build":
            raise OSError(28, "No space left on device")
        sizes = {name: sum(len(v) for k, v in constants.items() if k.startswith(f"{name}/")) for name in _names(graph)}
        parts = tuple(LayerBuild(name, "s8_fake_1x1_scalar" if size else "", size) for name, size in sizes.items())
        return Build(2048, 1024, sum(sizes.values()), 512, parts)

    def write_vectors(
        self, graph: ExactGraph, target: str, out: Path, samples: Sequence[Arrays], expected: Sequence[Arrays]
    ) -> None:
        first = expected[0][graph.outputs[0]]
        (out / "src" / "vectors.h").write_text(f"/* {len(samples)} samples, {np.asarray(first).size} values */\n")

    def expected_constants(self, graph: ExactGraph, target: str) -> Mapping[str, bytes]:
        return constants_of(graph)

    def estimate(self, graph: ExactGraph, target: str) -> Estimate:
        """As much of everything as there are layers; half of it with --set depth=1."""
        count = len(graph.layers)
        less = Row(graph.name, "--set depth=1", {"parts": count // 2, "latency": 500, "interval": 20})
        whole = Row(graph.name, "as told", {"parts": count, "latency": 120, "interval": 10}, (less,))
        quantities = {"parts": "parts that are counted", "latency": "clocks", "interval": "clocks"}
        return Estimate(quantities, whole, tuple(Row(name, "a part", {"parts": 1}) for name in _names(graph)), ("so",))

    def synthesize(self, build: Path, graph: ExactGraph, target: str, family: str, step: Step) -> Estimate:
        with step("synthesize"):
            return Estimate({"parts": "parts"}, Row(graph.name, family, {"parts": 7, "MHz": 61.5}))

    def runner(self, build: Path, graph: ExactGraph, target: str, runner: str | None = None) -> FakeRunner:
        return FakeRunner(build, graph, runner or "fake", self.drop)


def _names(graph: ExactGraph) -> list[str]:
    return [layer.name for layer in graph.layers]


def registry(backend: FakeBackend | None = None) -> Registry:
    return Registry.of([backend or FakeBackend()])
