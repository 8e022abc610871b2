"""Output shapes of the exact graph's layers, computed from the inputs' shapes."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy.typing as npt

from tinsmith.ir.exact import (
    AbsoluteSum,
    ArgMax,
    AveragePool,
    Binarize,
    BinaryConv,
    BinaryMatMul,
    BinaryMaxPool,
    Concat,
    Conv,
    Layer,
    MatMul,
    MaxPool,
    Multiply,
    PiecewiseLinear,
    Reshape,
    ShiftConv,
    ShiftMatMul,
    Tensor,
    Transpose,
)

Shape = tuple[int, ...]
_Convolution = Conv | BinaryConv | ShiftConv
_Pool = AveragePool | MaxPool | BinaryMaxPool


def window_count(size: int, kernel: int, stride: int, pads: int, dilation: int) -> int:
    """How many windows fit along one axis; `pads` is the sum of both ends. At most 0 when none does."""
    return (size + pads - dilation * (kernel - 1) - 1) // stride + 1


def _image(shape: Shape, kernel: tuple[int, int], layer: _Convolution | _Pool) -> Shape:
    top, left, bottom, right = layer.pads
    dilation = (1, 1) if isinstance(layer, AveragePool) else layer.dilations
    return (
        window_count(shape[2], kernel[0], layer.strides[0], top + bottom, dilation[0]),
        window_count(shape[3], kernel[1], layer.strides[1], left + right, dilation[1]),
    )


def _windowed(layer: _Convolution | _Pool, x: Shape) -> Shape | str:
    if len(x) != 4:
        return f"its input has {len(x)} dimensions, not 4"
    kernel = layer.weight.shape[2:] if isinstance(layer, _Convolution) else layer.kernel
    if min(*kernel, *layer.strides) < 1 or min(layer.pads) < 0:
        return "a kernel size or stride is below 1, or a pad below 0"
    if not isinstance(layer, AveragePool) and min(layer.dilations) < 1:
        return "a dilation is below 1"
    if isinstance(layer, _Convolution):
        group = 1 if isinstance(layer, BinaryConv) else layer.group
        if x[1] != layer.weight.shape[1] * group:
            return f"its input has {x[1]} channels, its weight {layer.weight.shape[1]} for each of {group} groups"
        return (x[0], layer.weight.shape[0], *_image(x, kernel, layer))
    if any(pad >= kernel[axis % 2] for axis, pad in enumerate(layer.pads)):
        return "a pad is as large as the kernel, so that a window could hold padding only"
    return (*x[:2], *_image(x, kernel, layer))


def _concat(layer: Concat, shapes: list[Shape]) -> Shape | str:
    first, axis = shapes[0], layer.axis
    for shape in shapes:
        if len(shape) != len(first) or any(
            a != b for i, (a, b) in enumerate(zip(shape, first, strict=False)) if i != axis
        ):
            return f"its inputs {first} and {shape} differ off axis {axis}"
    return (*first[:axis], sum(shape[axis] for shape in shapes), *first[axis + 1 :])


def _per_channel(shape: Shape, axis: int, *vectors: npt.NDArray[Any]) -> Shape | str:
    """`shape`, if every vector has one number for each channel along `axis`."""
    if not 0 <= axis < len(shape):
        return f"its axis {axis} is none of {len(shape)} dimensions"
    wrong = [vector.shape[-1] for vector in vectors if vector.shape[-1] != shape[axis]]
    return f"it has constants for {wrong[0]} channels where axis {axis} has {shape[axis]}" if wrong else shape


def _broadcasts(b: Shape, to: Shape) -> bool:
    return len(b) <= len(to) and all(n in (1, m) for n, m in zip(reversed(b), reversed(to), strict=False))


def _reduced(layer: AbsoluteSum, x: Shape) -> Shape | str:
    if not layer.axes or len(set(layer.axes)) < len(layer.axes) or not set(layer.axes) <= set(range(len(x))):
        return f"its axes {layer.axes} are none, or not different ones of {len(x)} dimensions"
    return tuple(1 if axis in layer.axes else n for axis, n in enumerate(x))


def output_shape(layer: Layer, tensors: Mapping[str, Tensor]) -> Shape | str:
    """The shape of `layer.output`, or, as a string, why there is none.

    Reshape and ArgMax (`keepdims`) take theirs from the output tensor, after checking that it is possible.
    """
    shapes = [tensors[name].shape for name in layer.inputs]
    x, stated = shapes[0], tensors[layer.output].shape
    match layer:
        case Conv() | BinaryConv() | ShiftConv() | AveragePool() | MaxPool():
            return _windowed(layer, x)
        case BinaryMaxPool():
            shape = _windowed(layer, x)
            return shape if isinstance(shape, str) else _per_channel(shape, 1, layer.sign)
        case AbsoluteSum():
            return _reduced(layer, x)
        case Multiply():
            b = shapes[1] if layer.factor is None else layer.factor.shape
            return _per_channel(x, layer.axis, layer.bias) if _broadcasts(b, x) else f"{b} does not broadcast to {x}"
        case PiecewiseLinear():
            return _per_channel(x, layer.axis, layer.knee, layer.multiplier, layer.offset)
        case Binarize():
            return _per_channel(x, layer.axis, layer.sign, layer.limit)
        case MatMul() | BinaryMatMul() | ShiftMatMul():
            inner, outer = layer.weight.shape
            return (*x[:-1], outer) if x and x[-1] == inner else f"its input's last dimension is not {inner}"
        case Concat():
            return _concat(layer, shapes)
        case Reshape():
            return stated if math.prod(stated) == math.prod(x) else f"{x} and {stated} differ in element count"
        case Transpose():
            return tuple(x[axis] for axis in layer.perm)
        case ArgMax():
            return stated if stated in (x[:-1], (*x[:-1], 1)) else f"{stated} is not {x} without its last dimension"
        case _:
            return x if all(shape == x for shape in shapes) else "its inputs differ in shape"
