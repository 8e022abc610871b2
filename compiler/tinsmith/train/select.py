"""Which layers of a network a conversion is for, and how they are exchanged."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping
from fnmatch import fnmatchcase

from torch import nn

from tinsmith.errors import Problems
from tinsmith.train.geometry import LAYER_TYPES, Geometry


def weighted_layers(net: nn.Module) -> dict[str, nn.Module]:
    """Every Linear, Conv1d and Conv2d, subclasses included, by its name in the network."""
    return {name: module for name, module in net.named_modules() if isinstance(module, LAYER_TYPES)}


def is_skipped(name: str, skip: Iterable[str]) -> bool:
    """Whether a pattern (fnmatch) is for the module `name` or for one that holds it."""
    parts = name.split(".")
    holders = [".".join(parts[: end + 1]) for end in range(len(parts))]
    return any(fnmatchcase(holder, pattern) for holder in holders for pattern in skip)


def check_skip(layers: Iterable[str], skip: Iterable[str], problems: Problems) -> None:
    """Note every pattern that is for no layer, with the nearest names."""
    names = list(layers)
    holders = [".".join(name.split(".")[: end + 1]) for name in names for end in range(name.count(".") + 1)]
    for pattern in skip:
        if not any(is_skipped(name, [pattern]) for name in names):
            near = difflib.get_close_matches(pattern, dict.fromkeys(holders), n=3, cutoff=0.4) or names[:3]
            problems.add(
                f"skip={pattern!r} matches no layer",
                why="it would leave out nothing",
                fix="nearest: " + ", ".join(repr(name) for name in near) if near else "",
            )


def check_type(name: str, layer: nn.Module, problems: Problems) -> bool:
    """Whether `layer` can be replaced at all; why not is noted."""
    fix = f"skip={name!r}"
    if type(layer) not in LAYER_TYPES:
        why = (
            "only Linear, Conv1d and Conv2d themselves are replaced: a subclass may mean something else by its weights"
        )
        problems.add(f"the layer is a {type(layer).__name__}", where=name, why=why, fix=fix)
        return False
    if getattr(layer, "padding_mode", "zeros") != "zeros":
        why = "only padding with one value has an integer form"
        problems.add(f"the layer pads with {layer.padding_mode!r}", where=name, why=why, fix=f"zero padding, or {fix}")
        return False
    return True


def sees_input(net: nn.Module, layer: nn.Module) -> bool:
    """Whether no module with parameters comes before `layer` in the order in which they were made.

    Modules that hold `layer` do not count: their own parameters may come in anywhere.
    """
    for module in net.modules():
        if module is layer:
            return True
        holds = any(inner is layer for inner in module.modules())
        if not holds and any(True for _ in module.parameters(recurse=False)):
            return False
    return False


def replace(net: nn.Module, exchange: Mapping[nn.Module, nn.Module]) -> nn.Module:
    """Exchange modules wherever they stand in `net`, which is changed; returns it, or what stands for it."""
    for module in list(net.modules()):
        # named_children() leaves out the second name of a module that stands in two places.
        for name, child in list(module._modules.items()):
            if child in exchange:
                setattr(module, name, exchange[child])
    return exchange.get(net, net)


def describe(layer: nn.Module) -> str:
    """Its type and sizes, as in `Conv2d(8 → 16, kernel 3×3)`."""
    return f"{type(layer).__name__}({Geometry.of(layer)})"
