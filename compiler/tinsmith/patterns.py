"""Names that users give to several things at once: a name itself, or a pattern of `*`, `?` and `[…]`."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping
from fnmatch import fnmatchcase

from tinsmith.errors import Problems


def matches(pattern: str, name: str) -> bool:
    """Whether `pattern` is `name` or a glob for it; names may hold brackets, so the plain name comes first."""
    return pattern == name or fnmatchcase(name, pattern)


def check_patterns(patterns: Mapping[str, str], names: Iterable[str], *, kind: str) -> None:
    """Raise `TinsmithError` for every pattern that matches none of `names`, with the nearest of them.

    Args:
        patterns: where each pattern stands, for the error, by pattern.
        names: what there is.
        kind: what the names are names of: layer, target.
    """
    known = list(names)
    problems = Problems()
    for pattern, where in patterns.items():
        if any(matches(pattern, name) for name in known):
            continue
        near = difflib.get_close_matches(pattern, known, n=3, cutoff=0.3) or known[:3]
        problems.add(
            f"no {kind} matches {pattern!r}",
            where=where,
            why="what changes nothing is most likely a misspelt name",
            fix="nearest: " + ", ".join(repr(name) for name in near),
        )
    problems.check()
