"""A build folder, opened: the exact graph, its report, the backend that made it, and ways to run it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from tinsmith.backend import Backend, Registry, Runner, Target
from tinsmith.errors import TinsmithError
from tinsmith.ir.exact import ExactGraph
from tinsmith.report.model import Report
from tinsmith.toolcheck import require_tools

EXACT_NAME = "exact.onnx"
VECTORS_NAME = "vectors.npz"


@dataclass(frozen=True)
class Artefact:
    """One build folder, read and checked."""

    folder: Path
    report: Report
    graph: ExactGraph
    backend: Backend
    target: Target

    @staticmethod
    def open(folder: str | Path, registry: Registry | None = None) -> Artefact:
        """Read a build folder.

        Raises:
            TinsmithError: it is no build, it is damaged, or no installed backend knows its target.
        """
        from tinsmith.exact_file import load_exact
        from tinsmith.ir.reader import read_exact
        from tinsmith.report.write import read_report

        folder = Path(folder)
        report = read_report(folder)
        missing = [name for name in report.files if not (folder / name).is_file()]
        if missing:
            what = f"the build folder {str(folder)!r} lacks {', '.join(missing[:5])}"
            raise TinsmithError(what, why="its report.json lists them", fix="compile again")
        backend, target = (registry or Registry.load()).target(report.target)
        backend = backend.configured(target.name, report.settings)
        return Artefact(folder, report, read_exact(load_exact(folder / EXACT_NAME)), backend, target)

    def runner(self, name: str | None = None) -> Runner:
        """The runner called `name`, or the target's own; raises `TinsmithError` when a tool for it is missing."""
        if name in (None, self.target.runner):
            require_tools(self.target, "verify")
        return self.backend.runner(self.folder, self.graph, self.target.name, name)
