"""What a target can be told besides the network: `--set KEY=VALUE`."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from tinsmith.errors import Problems

Settings = Mapping[str, str]
"""Values as the user wrote them, by key."""


@dataclass(frozen=True)
class Setting:
    """One key of a target.

    Attributes:
        key: its name.
        meaning: what it does, with its unit.
        default: its value where nobody sets it.
        wrong: the reason why a value cannot be taken, or None.
    """

    key: str
    meaning: str
    default: str
    wrong: Callable[[str], str | None]


def resolve(known: Sequence[Setting], given: Settings, target: str) -> dict[str, str]:
    """Every setting with its value: the given one or the default.

    Raises:
        TinsmithError: every key that the target lacks, with the nearest ones, and every value that it cannot take.
    """
    problems = Problems()
    by_key = {setting.key: setting for setting in known}
    for key, value in given.items():
        setting = by_key.get(key)
        if setting is None:
            near = difflib.get_close_matches(key, by_key, n=1, cutoff=0.4) or sorted(by_key)
            fix = f"--set {near[0]}=…" if near else "leave it out"
            problems.add(f"{target} has no setting {key!r}", where="--set", fix=fix)
        elif (reason := setting.wrong(value)) is not None:
            problems.add(f"{key} cannot be {value!r}", where="--set", why=reason, fix=f"--set {key}={setting.default}")
    problems.check()
    return {setting.key: given.get(setting.key, setting.default) for setting in known}


def positive(value: str) -> str | None:
    """Why a text is no positive whole number."""
    return None if value.isdecimal() and int(value) > 0 else "it is a positive whole number"


def one_of(*values: str) -> Callable[[str], str | None]:
    """Why a text is none of these."""
    return lambda value: None if value in values else f"it is one of {', '.join(values)}"
