"""The order in which the caller hands over an input: the one that its first reader wants, so that no byte moves."""

from __future__ import annotations

from tinsmith.ir.exact import (
    Add,
    AveragePool,
    Binarize,
    Concat,
    Conv,
    ExactGraph,
    Layer,
    MaxPool,
    Multiply,
    PiecewiseLinear,
    Requantize,
    Reshape,
    ShiftConv,
    Table,
    Tensor,
    Transpose,
)

from tinsmith_backends.cpu.layout import Order, axes_of, nhwc, row_major, transposed


def preferred(graph: ExactGraph, tensor: Tensor) -> Order:
    """A permutation of the tensor's axes: channels last under a convolution, ONNX order under a matrix product."""
    order = _wanted(graph, tensor)
    return row_major(tensor.shape) if axes_of(order, tensor.shape) is None else order


def _wanted(graph: ExactGraph, tensor: Tensor) -> Order:
    """What the first layer that reads the tensor wants, seen through layers that do not care."""
    readers = [layer for layer in graph.layers if tensor.name in layer.inputs]
    return _through(graph, readers[0], tensor) if readers else row_major(tensor.shape)


def _through(graph: ExactGraph, layer: Layer, tensor: Tensor) -> Order:
    output = graph.tensors[layer.output]
    match layer:
        case Conv() | ShiftConv() | MaxPool() | AveragePool() | Concat():
            return nhwc(tensor.shape)
        case Binarize() | PiecewiseLinear() | Multiply() if len(tensor.shape) == 4 and layer.axis % 4 == 1:
            return nhwc(tensor.shape)
        case Reshape() | Requantize() | Table() | Add():
            return _wanted(graph, output)
        case Transpose(perm=perm):
            return transposed(tensor.shape, perm)[_wanted(graph, output)]
        case _:
            return row_major(tensor.shape)
