"""How good a network is, and whether it can be trained on these samples at all."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from tinsmith.errors import Problems, TinsmithError
from tinsmith.train.binary_layer import BinaryLayer
from tinsmith.train.data import Samples

_BATCH = 512


def device_of(net: nn.Module) -> torch.device:
    """Where the network's parameters are."""
    return next((p.device for p in net.parameters()), torch.device("cpu"))


def accuracy(net: nn.Module, samples: Samples) -> float:
    """Share of the samples whose class has the largest output; the network is switched to inference."""
    net.eval()
    device = device_of(net)
    right = 0
    with torch.no_grad():
        for x, y in zip(samples.x.split(_BATCH), samples.y.split(_BATCH), strict=True):
            right += int((net(x.to(device)).argmax(dim=1).cpu() == y).sum())
    return right / len(samples)


def try_out(net: nn.Module, train: Samples, valid: Samples, batch: int) -> None:
    """Run one batch without learning from it; sizes that depend on the input are settled by it.

    Raises:
        TinsmithError: the outputs are not one number a class, a label has none, or a binary layer would see nothing
            but one sign.
    """
    constant: dict[str, float] = {}
    layers = {name: module for name, module in net.named_modules() if isinstance(module, BinaryLayer)}
    hooks = [layer.register_forward_pre_hook(_note_constant(name, constant)) for name, layer in layers.items()]
    net.eval()
    try:
        with torch.no_grad():
            logits = net(train.x[:batch].to(device_of(net)))
    except RuntimeError as error:
        what = f"the network fails on samples of shape {tuple(train.x.shape[1:])}"
        raise TinsmithError(what, why=str(error).splitlines()[0], fix="samples of the shape it takes") from error
    finally:
        for hook in hooks:
            hook.remove()
    _check_logits(logits, train, valid)
    problems = Problems()
    for name, value in constant.items():
        problems.add(
            f"every sign of its input is {value:+.0f}",
            where=name,
            why="the layer would compute a constant; what comes from a ReLU, or is a pixel, is never negative",
            fix=f"batch normalization or nn.Hardtanh right before it, an input of both signs, or skip={name!r}",
        )
    problems.check()


def _note_constant(name: str, constant: dict[str, float]) -> Any:
    def hook(layer: nn.Module, inputs: tuple[Tensor, ...]) -> None:
        bits = layer.method.activation(inputs[0])
        if not layer.method.learns_threshold and bool((bits == bits.flatten()[0]).all()):
            constant[name] = float(bits.flatten()[0])

    return hook


def _check_logits(logits: Any, train: Samples, valid: Samples) -> None:
    if not isinstance(logits, Tensor) or logits.dim() != 2:
        got = f"{tuple(logits.shape)}" if isinstance(logits, Tensor) else type(logits).__name__
        raise TinsmithError(f"the network returns {got}", why="training takes (samples, classes) logits")
    classes = int(max(train.y.max(), valid.y.max())) + 1
    if classes > logits.shape[1]:
        why = f"the labels go up to {classes - 1}"
        raise TinsmithError(f"the network has {logits.shape[1]} outputs", why=why, fix=f"{classes} outputs")
