"""Reads the quantizers of a QONNX file, as Brevitas exports it; the qonnx package is not needed.

A quantizer of a constant becomes what it computes: the weights keep their grid, which numerics/lattice.py finds again.
A quantizer of a value becomes QuantizeLinear and DequantizeLinear, with a Clip before them where it has fewer than 8
bits, or a Binarize where it has one.

The version converter and shape inference do not know these operators. So `take_out` puts an Identity in the place of
each, and `put_back`, after the conversion, what it means.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np
import numpy.typing as npt
import onnx
import onnx.numpy_helper
from onnx.helper import make_node

from tinsmith.constraints.view import GraphView, NodeView
from tinsmith.errors import Problems
from tinsmith.frontend.fold_constants import fold_constants
from tinsmith.frontend.names import unique
from tinsmith.frontend.qonnx_quantizer import Array, Quantizer, read_quantizer
from tinsmith.frontend.trained_functions import put_in
from tinsmith.ir.domain import TRAINED_DOMAIN

DOMAINS = ("qonnx.custom_op.general", "onnx.brevitas")
_MOST_BITS_OF_A_BIAS = 32
_LARGEST_WEIGHT = 127


def is_qonnx(model: onnx.ModelProto) -> bool:
    """Whether the model holds operators of QONNX."""
    return any(node.domain in DOMAINS for node in model.graph.node)


def take_out(model: onnx.ModelProto) -> dict[str, Quantizer]:
    """Compute quantizers of constants, and put an Identity in the place of each other one, in place.

    Args:
        model: of any opset, its tensors whole; loses what no output needs and what is constant.

    Returns:
        The quantizers of values, by the name of their output.

    Raises:
        TinsmithError: with everything about the quantizers that is not taken.
    """
    problems = Problems()
    fold_constants(model)
    while constant := [n for n in _quantizers(model) if n.is_constant(0)]:
        for node in constant:
            _compute(model, node, problems)
        fold_constants(model)
    found = {node: _read_value_quantizer(node, problems) for node in _quantizers(model)}
    problems.check()
    for node in found:
        _become_identity(node.proto)
    return {node.proto.output[0]: quantizer for node, quantizer in found.items() if quantizer is not None}


def _quantizers(model: onnx.ModelProto) -> list[NodeView]:
    return [node for node in GraphView(model).nodes if node.domain in DOMAINS]


def _compute(model: onnx.ModelProto, node: NodeView, problems: Problems) -> None:
    """An initializer in place of a quantizer of a constant."""
    axes = list(_weight_axes(node))
    quantizer = read_quantizer(node, problems, *(() if axes else (_MOST_BITS_OF_A_BIAS,)))
    x = np.asarray(node.constant(0), np.float32)
    y = x
    if quantizer is not None:
        steps = quantizer.steps(x)
        y = (steps * quantizer.scale).astype(np.float32)
        if axes:
            _check_weight(node, quantizer, steps, axes, problems)
    model.graph.node.remove(node.proto)
    model.graph.initializer.append(onnx.numpy_helper.from_array(y, node.proto.output[0]))


def _weight_axes(node: NodeView) -> Iterator[int]:
    """For each layer that reads the result as its weight, perhaps transposed: the axis of its output channels."""
    rank = len(node.shape() or ())
    for reader in node.consumers():
        place = list(reader.proto.input).index(node.proto.output[0])
        if reader.op == "Transpose" and rank:
            order = reader.attributes.get("perm", range(rank)[::-1])
            yield from (order[axis] for axis in _layer_axes(reader, rank))
        elif place == 1:
            yield from _layer_axis(reader, rank)


def _layer_axes(transpose: NodeView, rank: int) -> Iterator[int]:
    for reader in transpose.consumers():
        if list(reader.proto.input).index(transpose.proto.output[0]) == 1:
            yield from _layer_axis(reader, rank)


def _layer_axis(reader: NodeView, rank: int) -> Iterator[int]:
    if reader.op == "Conv" or (reader.op == "Gemm" and reader.attributes.get("transB", 0)):
        yield 0
    elif reader.op in ("Gemm", "MatMul"):
        yield rank - 1


def _check_weight(node: NodeView, quantizer: Quantizer, steps: Array, axes: list[int], problems: Problems) -> None:
    scale = np.broadcast_to(quantizer.scale, steps.shape)
    for axis in set(axes):
        others = tuple(i for i in range(steps.ndim) if i != axis)
        if (scale.min(others) != scale.max(others)).any():
            what = f"its scale has shape {list(quantizer.scale.shape)}"
            why = f"a weight has one scale, or one an output channel (axis {axis})"
            problems.add(what, where=node.label, why=why, fix="train with one scale an output channel")
    if np.abs(steps).max(initial=0) > _LARGEST_WEIGHT:
        why = f"weights lie in -{_LARGEST_WEIGHT}…{_LARGEST_WEIGHT}"
        problems.add(f"a weight is {steps.min():g}", where=node.label, why=why, fix="train with a narrow range")


def _read_value_quantizer(node: NodeView, problems: Problems) -> Quantizer | None:
    quantizer = read_quantizer(node, problems)
    if quantizer is None or quantizer.scale.size == 1:
        return quantizer
    what, why = f"its scale has shape {list(quantizer.scale.shape)}", "a value between layers has one scale"
    problems.add(what, where=node.label, why=why, fix="train with one scale a tensor")
    return None


def _become_identity(node: onnx.NodeProto) -> None:
    node.op_type, node.domain = "Identity", ""
    del node.input[1:], node.attribute[:]


def put_back(model: onnx.ModelProto, quantizers: Mapping[str, Quantizer]) -> None:
    """Replace the Identity that makes each of `quantizers` by the operators that do what it does, in place.

    Args:
        model: of an opset that has QuantizeLinear.
        quantizers: as `take_out` returned them.
    """
    if not quantizers:
        return
    graph = model.graph
    names = {name for node in graph.node for name in (*node.input, *node.output)} | {t.name for t in graph.initializer}
    nodes: list[onnx.NodeProto] = []
    for node in graph.node:
        quantizer = quantizers.get(node.output[0])
        nodes += [node] if quantizer is None else _spelt_out(node, quantizer, graph, names)
    nodes = [onnx.NodeProto.FromString(node.SerializeToString()) for node in nodes]
    del graph.node[:]
    graph.node.extend(nodes)
    put_in(model)


def _spelt_out(
    node: onnx.NodeProto, quantizer: Quantizer, graph: onnx.GraphProto, names: set[str]
) -> list[onnx.NodeProto]:
    x, y, scale = node.input[0], node.output[0], quantizer.scale.reshape(())

    def constant(part: str, value: npt.ArrayLike) -> str:
        name = unique(f"{y}_{part}", names)
        graph.initializer.append(onnx.numpy_helper.from_array(np.asarray(value), name))
        return name

    def step(op: str, *inputs: str, part: str = "", domain: str = "") -> onnx.NodeProto:
        output = unique(f"{y}_{part}", names) if part else y
        return make_node(op, inputs, [output], f"{node.name}/{part}" if part else node.name, domain=domain)

    if quantizer.bipolar:
        threshold, scaled = constant("threshold", np.float32(0)), scale != 1
        bits = step("Binarize", x, threshold, part="bits" if scaled else "", domain=TRAINED_DOMAIN)
        return [bits, step("Mul", bits.output[0], constant("scale", scale))] if scaled else [bits]
    kind = np.int8 if quantizer.lo < 0 else np.uint8
    limits, steps = np.iinfo(kind), []
    if (quantizer.lo, quantizer.hi) != (limits.min, limits.max):
        bounds = [constant(p, np.float32(b) * scale) for p, b in (("min", quantizer.lo), ("max", quantizer.hi))]
        steps.append(step("Clip", x, *bounds, part="clipped"))
        x = steps[-1].output[0]
    grid = (constant("scale", scale), constant("zero_point", kind(0)))
    stored = step("QuantizeLinear", x, *grid, part="stored")
    return [*steps, stored, step("DequantizeLinear", stored.output[0], *grid)]
