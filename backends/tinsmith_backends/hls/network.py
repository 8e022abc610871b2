"""The network as hls4ml takes it: a list of layers, channels last, and a number type for everything that they hold."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from tinsmith_backends.hls.numbers import Fixed

Form = Literal["value", "plus", "minus"]
"""How a tensor is held. One of 1 bit is ±1 itself, or one unsigned bit that says where it is +1, or where it is -1."""


@dataclass(frozen=True)
class Node:
    """One layer of the hls4ml project.

    Attributes:
        name: also the C++ name.
        class_name: hls4ml's name of the layer's kind.
        inputs: names of nodes.
        shape: of the output, without batch, channels last.
        attributes: what this kind of layer needs besides, as hls4ml's frontends pass it.
        types: number types, by hls4ml's name of what has it: result, weight, bias, accum, scale.
        layer: the layer of the exact graph that it does, or helps to do; empty for an input.
    """

    name: str
    class_name: str
    inputs: tuple[str, ...]
    shape: tuple[int, ...]
    types: Mapping[str, Fixed]
    layer: str = ""
    attributes: Mapping[str, Any] = field(default_factory=dict)

    @property
    def result(self) -> Fixed:
        """Type of the output."""
        return self.types["result"]

    @property
    def is_weighted(self) -> bool:
        """Whether hls4ml lets strategy and reuse factor say how it is built."""
        return self.class_name in ("Conv2D", "Dense")


@dataclass(frozen=True)
class Held:
    """A tensor of the exact graph in the project.

    Attributes:
        node: whose output it is.
        form: how it is held.
        axes: axis i of the stored array is axis `axes[i]` of the ONNX tensor `shape`.
        shape: of the ONNX tensor that was last given this order; a flattened tensor keeps its image's.
    """

    node: str
    form: Form
    shape: tuple[int, ...]
    axes: tuple[int, ...]


@dataclass(frozen=True)
class Network:
    """All layers in order, and where the exact graph's tensors are."""

    name: str
    nodes: tuple[Node, ...]
    held: Mapping[str, Held]
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]


def order(held: Held) -> npt.NDArray[np.int64]:
    """Position in ONNX order of the i-th stored element."""
    count = int(np.prod(held.shape))
    return np.arange(count, dtype=np.int64).reshape(held.shape).transpose(held.axes).ravel()
