"""Makes the weights of a network's layers ± powers of two, to be trained as such."""

from __future__ import annotations

import copy
from collections.abc import Sequence

from torch import nn

from tinsmith.errors import Problems
from tinsmith.train.select import check_skip, check_type, is_skipped, replace, weighted_layers
from tinsmith.train.shift_layer import BITS, ShiftLayer


def shift(net: nn.Module, bits: int = 3, skip: Sequence[str] = ()) -> nn.Module:
    """A copy of `net` in which every Linear, Conv1d and Conv2d is a `ShiftLayer` with new random weights.

    Args:
        net: a network; it is left as it was.
        bits: of a weight: 2 (±1, ±2), 3 (±1 … ±8) or 4 (±1 … ±128).
        skip: names or patterns (`blocks.*.shortcut`) of layers, or of modules that hold layers, to leave as they are.

    Raises:
        TinsmithError: with everything found at once: other bits, a pattern that matches no layer, a layer that cannot
            be replaced.
    """
    net = copy.deepcopy(net)
    skip = (skip,) if isinstance(skip, str) else tuple(skip)
    layers = weighted_layers(net)
    problems = Problems()
    if bits not in BITS:
        problems.add(f"bits={bits!r}", why="shift weights have 2, 3 or 4 bits", fix="bits=3")
    check_skip(layers, skip, problems)
    taken = {name: layer for name, layer in layers.items() if not is_skipped(name, skip)}
    for name, layer in taken.items():
        check_type(name, layer, problems)
    if not taken:
        problems.add("no layer is left to shift", why=f"the network has {len(layers)}", fix="skip fewer layers")
    problems.check()
    return replace(net, {layer: ShiftLayer(layer, bits) for layer in taken.values()})
