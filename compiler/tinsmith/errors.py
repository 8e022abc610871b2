"""The one exception a user sees, and the list of problems it carries."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

EXIT_MISMATCH = 1
"""Exit code when an artefact ran and its bits differ from the oracle's."""
EXIT_USER = 2
"""Exit code for everything that the user can put right."""


@dataclass(frozen=True)
class Problem:
    """One thing that is wrong, in four sentences at most.

    Attributes:
        what: what is wrong, naming the value that is wrong.
        where: the node, operator and Python line, or the file and key; empty when the whole input is meant.
        why: why Tinsmith cannot go on.
        fix: what to try, ideally a command or an option.
    """

    what: str
    where: str = ""
    why: str = ""
    fix: str = ""

    def __str__(self) -> str:
        lines = [f"{self.where}: {self.what}" if self.where else self.what]
        if self.why:
            lines.append(f"  why: {self.why}")
        if self.fix:
            lines.append(f"  try: {self.fix}")
        return "\n".join(lines)


class TinsmithError(Exception):
    """A mistake in what Tinsmith was given, with every problem found, not only the first."""

    def __init__(self, what: str | Iterable[Problem], *, where: str = "", why: str = "", fix: str = "") -> None:
        self.problems: list[Problem] = [Problem(what, where, why, fix)] if isinstance(what, str) else list(what)
        super().__init__("\n".join(str(p) for p in self.problems))


@dataclass
class Problems:
    """Collects problems, so that one run reports all of them; `check` raises if there are any."""

    found: list[Problem] = field(default_factory=list)

    def add(self, what: str, *, where: str = "", why: str = "", fix: str = "") -> None:
        """Note one more problem and go on."""
        self.found.append(Problem(what, where, why, fix))

    def check(self) -> None:
        """Raise `TinsmithError` with everything noted so far, if anything was."""
        if self.found:
            raise TinsmithError(self.found)
