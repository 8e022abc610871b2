"""The machine as instances of the modules in rtl/: what a generator writes and an estimator counts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tinsmith_backends.rtl.adder.trace import Graph
    from tinsmith_backends.rtl.folding import Choice

Parameter = int | str


@dataclass(frozen=True)
class Wire:
    """A valid/ready stream: words of `lanes` lanes of `width` bits, `words` of them an inference."""

    name: str
    lanes: int
    width: int
    words: int

    @property
    def bits(self) -> int:
        """Width of the data."""
        return self.lanes * self.width


@dataclass(frozen=True)
class Instance:
    """One module of rtl/ with its parameters.

    Attributes:
        name: of the instance.
        module: in rtl/common or rtl/stream, or generated from `graph`.
        parameters: by name; strings are file names of `memories`.
        inputs: stream by port prefix (s, or a and b).
        outputs: stream by port prefix (m, or a and b).
        layer: the layer of the exact graph that it serves.
        cycles: clocks an inference in which it is occupied.
        memories: contents of ROMs, by file name: lines of hexadecimal digits.
        graph: what a generated module computes.
    """

    name: str
    module: str
    parameters: Mapping[str, Parameter]
    inputs: Mapping[str, Wire]
    outputs: Mapping[str, Wire]
    layer: str
    cycles: int
    memories: Mapping[str, str] = field(default_factory=dict)
    graph: Graph | None = field(default=None, compare=False)

    @property
    def ports(self) -> dict[str, Wire]:
        """Every stream, by port prefix."""
        return {**self.inputs, **self.outputs}


@dataclass(frozen=True)
class Port:
    """A stream at the border of the machine: which tensor it carries, channels last."""

    name: str
    tensor: str
    wire: Wire


@dataclass(frozen=True)
class Machine:
    """Everything between the input streams and the output streams; `choices` are those of each layer's engine."""

    name: str
    inputs: tuple[Port, ...]
    outputs: tuple[Port, ...]
    instances: tuple[Instance, ...]
    choices: Mapping[str, Choice] = field(default_factory=dict, compare=False)

    @property
    def cycles(self) -> int:
        """Clocks an inference of the slowest instance."""
        return max(instance.cycles for instance in self.instances)
