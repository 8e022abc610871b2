"""What a target can be told besides the network: `--set KEY=VALUE`, or a table of a recipe (docs/recipe.md).

`KEY@PATTERN` is the value for the layers that the pattern matches; where several match, a later one wins.
"""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from tinsmith.errors import Problems
from tinsmith.patterns import check_patterns, matches

Settings = Mapping[str, str]
"""Values as the user wrote them, by `KEY` or `KEY@PATTERN`, in the user's order."""


@dataclass(frozen=True)
class Setting:
    """One key of a target.

    Attributes:
        key: its name.
        meaning: what it does, with its unit.
        default: its value where nobody sets it.
        wrong: the reason why a value cannot be taken, or None.
        layers: whether single layers can be told, by `KEY@PATTERN`.
    """

    key: str
    meaning: str
    default: str
    wrong: Callable[[str], str | None]
    layers: bool = False


def resolve(known: Sequence[Setting], given: Settings, target: str) -> dict[str, str]:
    """Every setting with its value for the whole network: the given one or the default.

    Raises:
        TinsmithError: every key that the target lacks, with the nearest ones, every value that it cannot take, and
            every key for single layers that holds for the whole network only.
    """
    problems = Problems()
    by_key = {setting.key: setting for setting in known}
    for name, value in given.items():
        key, at, pattern = name.partition("@")
        setting = by_key.get(key)
        if setting is None:
            near = difflib.get_close_matches(key, by_key, n=1, cutoff=0.4) or sorted(by_key)
            fix = f"--set {near[0]}=…" if near else "leave it out"
            problems.add(f"{target} has no setting {key!r}", where=_where(name), fix=fix)
        elif (reason := setting.wrong(value)) is not None:
            fix = f"--set {name}={setting.default}"
            problems.add(f"{name} cannot be {value!r}", where=_where(name), why=reason, fix=fix)
        elif at and not (setting.layers and pattern):
            why = "the pattern is empty" if setting.layers else "it holds for the whole network"
            problems.add(f"{key} cannot be set for {pattern!r}", where=_where(name), why=why, fix=f"--set {key}=…")
    problems.check()
    return {setting.key: given.get(setting.key, setting.default) for setting in known}


def of_layer(known: Sequence[Setting], given: Settings, layer: str) -> dict[str, str]:
    """The value for one layer of every setting that single layers can be told."""
    values = {setting.key: given.get(setting.key, setting.default) for setting in known if setting.layers}
    for name, value in given.items():
        key, at, pattern = name.partition("@")
        if at and key in values and matches(pattern, layer):
            values[key] = value
    return values


def check_layers(given: Settings, layers: Iterable[str], *, kind: str = "layer") -> None:
    """Raise `TinsmithError` for every `KEY@PATTERN` whose pattern matches no layer, with the nearest names.

    A backend calls it again with the layers of the `kind` that a setting can change.
    """
    patterns = {name.partition("@")[2]: _where(name) for name in given if "@" in name}
    check_patterns(patterns, layers, kind=kind)


def from_table(table: Mapping[str, Any]) -> dict[str, str]:
    """Settings from a table of a TOML file: its keys, and in its tables `layers."PATTERN"` the keys of single layers.

    Raises:
        ValueError: a value is no text, number or truth value.
    """
    found: dict[str, str] = {}
    for key, value in table.items():
        if key != "layers":
            found[key] = _text(key, value)
            continue
        for pattern, keys in _table(key, value).items():
            for inner, one in _table(f"layers.{pattern!r}", keys).items():
                found[f"{inner}@{pattern}"] = _text(inner, one)
    return found


def overlaid(first: Settings, second: Settings) -> dict[str, str]:
    """Both; where they speak of the same, the second is right, for patterns too."""
    return {**{key: value for key, value in first.items() if key not in second}, **second}


def positive(value: str) -> str | None:
    """Why a text is no positive whole number."""
    return None if value.isdecimal() and int(value) > 0 else "it is a positive whole number"


def one_of(*values: str) -> Callable[[str], str | None]:
    """Why a text is none of these."""
    return lambda value: None if value in values else f"it is one of {', '.join(values)}"


def _where(name: str) -> str:
    return f"--set {name}, or the recipe's [targets]"


def _table(key: str, value: Any) -> Mapping[str, Any]:
    if not isinstance(value, Mapping):
        raise ValueError(f"{key} is {value!r}, and not a table")
    return value


def _text(key: str, value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if not isinstance(value, str | int | float):
        raise ValueError(f"{key} is {value!r}, and not a text, a number or a truth value")
    return str(value)
