"""Curves: parts of a graph that compute, element by element, one value from one other, and not in straight pieces.

Such a part becomes one operator, a table of results. The search works on names, for the constraints (protobuf) and for
the passes (onnx_ir) alike.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

STRAIGHT = frozenset(
    ("Abs", "Add", "Cast", "Clip", "Div", "Identity", "LeakyRelu", "Mul", "Neg", "PRelu", "Relu", "Sub")
)
"""Element-wise operators that other layers do as well, and better, where no curve is near."""
CONDITIONS = frozenset(("Greater", "GreaterOrEqual", "Less", "LessOrEqual"))
"""Element-wise operators that make truth values."""
CURVED = frozenset(
    {
        *("Celu", "Elu", "Erf", "Exp", "HardSigmoid", "HardSwish", "Log", "Max", "Min", "Mish", "Pow", "Reciprocal"),
        *("Selu", "Sigmoid", "Sign", "Softplus", "Softsign", "Sqrt", "Sum", "Tanh", "ThresholdedRelu", "Where"),
    }
)
"""Element-wise operators that make a curve of the part of the graph in which they stand."""
ABSORBING = frozenset(
    {
        *("BatchNormalization", "Conv", "ConvTranspose", "Gemm", "MatMul"),
        *("BinaryConv", "BinaryGemm", "ShiftConv", "ShiftGemm"),
    }
)
"""Operators that take in what stands behind them: ABSORBED, up to the first of ENDS."""
ENDS = frozenset(("Clip", "Relu"))
ABSORBED = frozenset(("Add", "Cast", "Div", "Identity", "Mul", "Sub")) | ENDS


@dataclass(frozen=True)
class Step:
    """One node: its operator ("" for one of a foreign domain), computed inputs, and whether it is element by element.

    `elementwise` says that its constants are single numbers and that inputs and output have one shape.
    """

    op: str
    inputs: tuple[str, ...]
    output: str
    elementwise: bool

    @property
    def bends(self) -> bool:
        """Whether it makes a curve: by itself, or as a product or quotient of two values."""
        return self.op in CURVED or (len(self.inputs) > 1 and self.op in ("Mul", "Div"))


@dataclass(frozen=True)
class Curve:
    """`result` is a function of `x`; `steps` are the numbers of the nodes that compute it, in order."""

    x: str
    result: str
    steps: tuple[int, ...]


@dataclass
class _Search:
    steps: list[Step]
    returned: frozenset[str]
    cuts: set[str] = field(default_factory=set)
    """Values that are read by more than the curve of their origin, where a function ends."""

    def origins(self) -> dict[int, str]:
        """By number of a node that is element by element: the value of which its result is a function."""
        seen: dict[str, str] = {}
        found: dict[int, str] = {}
        for number, step in enumerate(self.steps):
            sources = {seen.get(name, name) for name in step.inputs}
            known = step.op in STRAIGHT | CONDITIONS | CURVED
            if known and step.elementwise and len(sources) == 1:
                found[number] = sources.pop()
                if step.output not in self.cuts:
                    seen[step.output] = found[number]
        return found

    def ends(self, origins: Mapping[int, str]) -> set[str]:
        """Results that something else reads than functions of the same origin."""
        inside = {self.steps[number].output: origin for number, origin in origins.items()}
        read = {name for name in inside if name in self.returned}
        used = set(read)
        for number, step in enumerate(self.steps):
            for name in step.inputs:
                used.add(name)
                if name in inside and name not in self.cuts and origins.get(number) != inside[name]:
                    read.add(name)
        return read | (set(inside) - used)


def find_curves(steps: list[Step], returned: Iterable[str]) -> list[Curve]:
    """The curves of a graph, given as its nodes in topological order and the names of its outputs."""
    search = _Search(steps, frozenset(returned))
    origins = search.origins()
    while (ends := search.ends(origins)) - search.cuts:
        search.cuts |= ends
        origins = search.origins()
    made = {step.output: number for number, step in enumerate(steps)}
    readers: dict[str, list[int]] = {}
    for number, step in enumerate(steps):
        for name in set(step.inputs):
            readers.setdefault(name, []).append(number)
    found = []
    for number, x in origins.items():
        if steps[number].output in search.cuts and steps[number].op not in CONDITIONS:
            inside = _cone(steps, made, number, x)
            first = _first(steps, made, readers, inside, x)
            curve = Curve(first, steps[number].output, tuple(_cone(steps, made, number, first)))
            if any(steps[i].bends for i in curve.steps):
                found.append(curve)
    return found


def _cone(steps: list[Step], made: Mapping[str, int], last: int, x: str) -> list[int]:
    """Numbers of the nodes between `x` and the result of node `last`, in order."""
    found, wanted = set(), [last]
    while wanted:
        number = wanted.pop()
        found.add(number)
        wanted += [made[name] for name in steps[number].inputs if name != x and made[name] not in found]
    return sorted(found)


def _first(
    steps: list[Step], made: Mapping[str, int], readers: Mapping[str, list[int]], inside: list[int], x: str
) -> str:
    """`x`, or what the layer that makes it can absorb of the curve's first nodes: there the curve begins."""
    if x not in made or steps[made[x]].op not in ABSORBING:
        return x
    for number in inside[:-1]:
        step = steps[number]
        if readers[x] != [number] or step.op not in ABSORBED or step.bends:
            break
        x = step.output
        if step.op in ENDS:
            break
    return x


def is_elementwise(
    inputs: Sequence[tuple[int, ...] | None], output: tuple[int, ...] | None, constants: Sequence[int]
) -> bool:
    """Whether computed inputs have the shape of the output and constants one element, by shapes and sizes."""
    return output is not None and all(shape == output for shape in inputs) and all(size == 1 for size in constants)
