"""Makes the weights and inputs of a network's layers bits, to be trained as such."""

from __future__ import annotations

import copy
from collections.abc import Sequence

from torch import nn

from tinsmith.errors import Problems
from tinsmith.train.binary_layer import BinaryLayer
from tinsmith.train.geometry import Geometry
from tinsmith.train.methods import METHODS, find_method
from tinsmith.train.methods.base import BinaryMethod
from tinsmith.train.select import check_skip, check_type, describe, is_skipped, replace, sees_input, weighted_layers

PAD_VALUES = (1, -1, 0)


def binarize(
    net: nn.Module,
    method: str,
    skip: Sequence[str] = (),
    *,
    pad_value: int = 1,
    binary_input: bool = False,
    keep_relu: bool = False,
) -> nn.Module:
    """A copy of `net` in which every Linear, Conv1d and Conv2d is a `BinaryLayer` with the same weights.

    Every `nn.ReLU` and `nn.ReLU6` becomes `nn.Hardtanh`, also those of skipped modules: what a ReLU lets through is
    never negative, so its signs would say nothing.

    Args:
        net: a network; its weights, trained or not, are where training starts. It is left as it was.
        method: one of bnn, xnor, dorefa, birealnet, xnor++, reactnet, fda, recu.
        skip: names or patterns (`blocks.*.shortcut`) of layers, or of modules that hold layers, to leave as they are.
        pad_value: what binary convolutions are padded with: 1 or -1, which are bits, or 0.
        binary_input: the network's input is ±1 already, so its first layer may be binary too.
        keep_relu: leave every ReLU as it is.

    Raises:
        TinsmithError: with everything found at once: an unknown method, a pattern that matches no layer, a layer that
            cannot be binary, and a pad value that is none.
    """
    net = copy.deepcopy(net)
    skip = (skip,) if isinstance(skip, str) else tuple(skip)
    layers = weighted_layers(net)
    problems = Problems()
    chosen = find_method(method, problems)
    if pad_value not in PAD_VALUES:
        problems.add(f"pad_value={pad_value!r}", why="a bit is 1 or -1, and 0 adds nothing", fix="1, -1 or 0")
    check_skip(layers, skip, problems)
    taken = {name: layer for name, layer in layers.items() if not is_skipped(name, skip)}
    for name, layer in taken.items():
        if check_type(name, layer, problems):
            first = not binary_input and sees_input(net, layer)
            _check_layer(name, layer, chosen, problems, first=first)
    if not taken:
        problems.add("no layer is left to be binary", why=f"the network has {len(layers)}", fix="skip fewer layers")
    problems.check()
    exchange: dict[nn.Module, nn.Module] = {layer: BinaryLayer(layer, chosen, pad_value) for layer in taken.values()}
    if not keep_relu:
        exchange |= {relu: nn.Hardtanh() for relu in net.modules() if isinstance(relu, nn.ReLU | nn.ReLU6)}
    return replace(net, exchange)


def _check_layer(name: str, layer: nn.Module, method: type[BinaryMethod], problems: Problems, *, first: bool) -> None:
    geometry = Geometry.of(layer)
    fix = f"skip={name!r}"
    if geometry.groups != 1:
        kind = "depthwise" if geometry.groups == geometry.in_channels else "grouped"
        why = (
            f"a {kind} convolution adds up {geometry.fan_in} products: one bit each leaves too few values to tell apart"
        )
        problems.add(f"{describe(layer)} cannot be binary", where=name, why=why, fix=f"{fix}, or a dense convolution")
        return
    refusal = method.refusal(geometry)
    if refusal:
        others = ", ".join(other for other, each in METHODS.items() if not each.refusal(geometry))
        problems.add(f"{describe(layer)} cannot be binary", where=name, why=refusal, fix=f"{fix}, or one of {others}")
    if first:
        why = "one bit of a pixel or sample says next to nothing, and of a value that is never negative nothing at all"
        cure = f"{fix}: keep the first layer real-valued; or binary_input=True if the input is ±1 already"
        problems.add(f"{describe(layer)} sees the network's input", where=name, why=why, fix=cure)
