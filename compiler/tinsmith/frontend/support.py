"""What of a model is taken, operator by operator: the answer of `tinsmith ops`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from tinsmith.errors import Problem

if TYPE_CHECKING:
    import onnx

    from tinsmith.backend import Registry
    from tinsmith.constraints.check import OperatorRow


@dataclass(frozen=True)
class Support:
    """Operators of a model with everything against each, and what is against the model as a whole."""

    target: str
    rows: tuple[OperatorRow, ...]
    problems: tuple[Problem, ...]

    @property
    def supported(self) -> bool:
        """Whether the model is taken."""
        return not self.problems and all(row.supported for row in self.rows)


def support(
    ref: str | Path, target: str, shapes: Mapping[str, tuple[int, ...]], registry: Registry | None = None
) -> Support:
    """Check every operator of a model against the constraints, or an exact graph against the target.

    A float model meets the constraints of docs/operators.md; what a target adds can only be told of an exact graph,
    for which this asks its backend.

    Args:
        ref: an `.onnx` file or `file.py:name`.
        target: a name of `tinsmith targets`.
        shapes: shapes of inputs that have dynamic dimensions.
        registry: which backends there are; None is every installed one.

    Raises:
        TinsmithError: no target has that name, or the file cannot be read as a model.
    """
    from tinsmith.backend import Registry
    from tinsmith.constraints import GraphView, check, survey
    from tinsmith.frontend.prepare import is_exact_file
    from tinsmith.frontend.reference import read

    found = registry or Registry.load()
    found.target(target)
    proto = read(ref, shapes)
    if is_exact_file(proto):
        return _exact_support(proto, target, found)
    view = GraphView(proto)
    rows = survey(view)
    told = {problem for row in rows for problem in row.problems}
    return Support(target, tuple(rows), tuple(p for p in check(view) if p not in told))


def _exact_support(proto: onnx.ModelProto, target: str, registry: Registry) -> Support:
    import onnx_ir as ir

    from tinsmith.constraints.check import OperatorRow
    from tinsmith.ir.reader import read_exact

    backend, _ = registry.target(target)
    graph = read_exact(ir.from_proto(proto))
    counts: dict[str, int] = {}
    for layer in graph.layers:
        counts[layer.kind] = counts.get(layer.kind, 0) + 1
    rows = tuple(OperatorRow(kind, counts[kind]) for kind in sorted(counts))
    return Support(target, rows, tuple(backend.problems(graph, target)))
