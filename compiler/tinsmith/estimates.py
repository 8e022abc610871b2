"""What a network would take on a target, before it is built: the optional capability `Estimates` of a backend."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

from tinsmith.errors import TinsmithError

if TYPE_CHECKING:
    from tinsmith.backend import Backend, Step
    from tinsmith.ir.exact import ExactGraph

Value = int | float


@dataclass(frozen=True)
class Row:
    """One line of an estimate: the whole network, a layer, or either done another way.

    Attributes:
        name: of the network or the layer.
        choice: how it is done, in the target's words: "PE 2, SIMD 3", "--interval 1024".
        values: by key of `Estimate.quantities`; a key that says nothing of this line is left out.
        alternatives: the same, done otherwise: the next faster and slower folding of a layer, other intervals.
    """

    name: str
    choice: str
    values: Mapping[str, Value]
    alternatives: tuple[Row, ...] = ()

    def walk(self) -> Iterator[Row]:
        """This line and its alternatives."""
        yield self
        yield from self.alternatives


@dataclass(frozen=True)
class Estimate:
    """What a network takes.

    Attributes:
        quantities: meaning with its unit, by key, in the order of a table's columns: {"LUT": "look-up tables"}.
        whole: the network; its values are what a device's limits are compared with.
        layers: in the order of the graph; those that take nothing may be left out.
        notes: what the reader must know: calibrated against what, with which error; what limits the speed.
    """

    quantities: Mapping[str, str]
    whole: Row
    layers: tuple[Row, ...] = ()
    notes: tuple[str, ...] = ()

    def as_json(self) -> dict[str, Any]:
        """Plain values for `--json`."""
        return asdict(self)


@runtime_checkable
class Estimates(Protocol):
    """A backend that can tell what a network would take, in seconds and without any tool."""

    def estimate(self, graph: ExactGraph, target: str) -> Estimate:
        """What `graph`, which has passed `Backend.problems`, takes on a target, with the settings told before.

        Raises:
            TinsmithError: it cannot be built with these settings: an interval that cannot be met.
        """
        ...


@runtime_checkable
class Synthesizes(Protocol):
    """A backend whose builds open synthesis tools can read."""

    def synthesize(self, build: Path, graph: ExactGraph, target: str, family: str, step: Step) -> Estimate:
        """What the build in a folder really takes on an FPGA family, and its clock where an open tool can route it.

        Raises:
            TinsmithError: no family has that name, a tool is missing, or refuses the build.
        """
        ...


def estimating(backend: Backend, target: str) -> Estimates:
    """The backend as one that estimates; raises `TinsmithError` where it does not."""
    if not isinstance(backend, Estimates):
        why = "its backend has no model of what a network takes"
        raise TinsmithError(f"{target} cannot be estimated", where="--target", why=why, fix="compile, then inspect")
    return backend


def synthesizing(backend: Backend, target: str) -> Synthesizes:
    """The backend as one whose builds can be synthesized; raises `TinsmithError` where they cannot."""
    if not isinstance(backend, Synthesizes):
        why = "its builds are no hardware that open tools synthesize"
        raise TinsmithError(f"a build for {target} cannot be synthesized", where="--synth", why=why)
    return backend
