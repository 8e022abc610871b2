"""What a backend is to the compiler: found by entry point, asked for problems, told to build, asked for a runner."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from importlib.metadata import entry_points
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, TypeAlias

from tinsmith.errors import Problem
from tinsmith.settings import Settings

if TYPE_CHECKING:  # the command line imports this module: numpy would double the time of `tinsmith --help`
    import numpy.typing as npt

    from tinsmith.ir.exact import ExactGraph

Arrays: TypeAlias = "Mapping[str, npt.NDArray[Any]]"
"""Arrays by tensor name."""

Step = Callable[[str], AbstractContextManager[None]]
"""`with step("plan memory"): …` prints and times one step."""


@dataclass(frozen=True)
class Tool:
    """A program or Python package that a target needs, and the command that brings it."""

    name: str
    found: Callable[[], str | None]
    """Returns its version, or None when it is missing. Cheap: imports nothing heavy."""
    install: str
    needed_for: str = "compile"


@dataclass(frozen=True)
class Target:
    """Something to compile for."""

    name: str
    summary: str
    runner: str
    """How `verify` runs the artefact: native, qemu-aarch64, qemu-arm, wasmtime, node …"""
    tools: tuple[Tool, ...] = ()
    steps: int = 0
    """How many steps `Backend.build` announces, for the `[3/9]` of the progress lines."""


@dataclass(frozen=True)
class LayerBuild:
    """What a backend did with one layer: the row that the report shows beside the exact graph's own facts."""

    name: str
    kernel: str
    weight_bytes: int


@dataclass(frozen=True)
class Build:
    """What a backend wrote, in numbers. Bytes throughout.

    `arena_lower_bound_bytes` is the largest sum of tensors that live at one moment.
    """

    arena_bytes: int
    arena_lower_bound_bytes: int
    weight_bytes: int
    code_bytes: int
    layers: tuple[LayerBuild, ...]


class Runner(Protocol):
    """Runs one built artefact, layer by layer."""

    name: str

    def constants(self) -> Mapping[str, bytes]:
        """Constants as the running artefact holds them, by `layer/kind` (weight, bias, multiplier, table)."""
        ...

    def run(self, samples: Sequence[Arrays], *, layers: bool = True) -> Iterator[dict[str, npt.NDArray[Any]]]:
        """Yields, per sample of float inputs, exact-graph tensors by name, in ONNX layout, dtype and shape.

        With `layers` every tensor that the artefact materialises, else only the graph's outputs.
        """
        ...

    def time(self, sample: Arrays, *, repeats: int) -> list[float]:
        """Seconds of each of `repeats` inferences, timed inside the artefact's own process after a warm-up."""
        ...


class Backend(Protocol):
    """A family of targets. Everything but `build` and `runner` is cheap and imports no heavy package."""

    targets: Mapping[str, Target]

    def configured(self, target: str, settings: Settings) -> Backend:
        """This backend with settings for a target; every other method then goes by them.

        Raises `TinsmithError` for keys and values that the target does not take (`tinsmith.settings.resolve`).
        """
        ...

    def problems(self, graph: ExactGraph, target: str) -> list[Problem]:
        """Every reason why this graph cannot be built for this target; empty when it can."""
        ...

    def build(self, graph: ExactGraph, target: str, out: Path, step: Step) -> Build:
        """Write the artefact into the empty folder `out`. Same graph, same bytes."""
        ...

    def write_vectors(
        self, graph: ExactGraph, target: str, out: Path, samples: Sequence[Arrays], expected: Sequence[Arrays]
    ) -> None:
        """Add self-test vectors to a folder that `build` filled, for those who build it without Tinsmith.

        `samples` are float inputs by name, `expected` the oracle's tensors for each sample.
        """
        ...

    def expected_constants(self, graph: ExactGraph, target: str) -> Mapping[str, bytes]:
        """What `Runner.constants` must return, computed again from the exact graph."""
        ...

    def runner(self, build: Path, graph: ExactGraph, target: str, runner: str | None = None) -> Runner:
        """A runner for the folder that `build` filled. `runner` picks among several; None is the target's own."""
        ...


@dataclass(frozen=True)
class Registry:
    """All targets of all installed backends, by name."""

    backends: Mapping[str, Backend] = field(default_factory=dict)

    @staticmethod
    def load() -> Registry:
        """Find backends by the entry-point group `tinsmith.backends`; an import error is the caller's to see."""
        points = sorted(entry_points(group="tinsmith.backends"), key=lambda p: p.name)
        return Registry.of([point.load() for point in points])

    @staticmethod
    def of(backends: Sequence[Backend]) -> Registry:
        """Their targets, and the devices that they know."""
        from tinsmith.devices import HasDevices, OnDevice

        found: dict[str, Backend] = {}
        for backend in backends:
            found.update(dict.fromkeys(backend.targets, backend))
            if isinstance(backend, HasDevices):
                found.update({name: OnDevice(backend, device) for name, device in backend.devices.items()})
        return Registry(found)

    def target(self, name: str) -> tuple[Backend, Target]:
        """The backend and target called `name`; raises `TinsmithError` with the nearest names."""
        import difflib

        from tinsmith.errors import TinsmithError

        if name not in self.backends:
            near = difflib.get_close_matches(name, self.backends, n=3, cutoff=0.4) or sorted(self.backends)
            what = f"no target is called {name!r}"
            raise TinsmithError(what, why="it is not in `tinsmith targets`", fix=", ".join(near))
        backend = self.backends[name]
        return backend, backend.targets[name]
