"""From ONNX to records: reads an exact graph strictly, and proves its ranges anew rather than believe the file."""

from __future__ import annotations

import onnx_ir as ir

from tinsmith.errors import Problems, TinsmithError
from tinsmith.ir.domain import DOMAIN
from tinsmith.ir.exact import (
    MAKE_16,
    READ_16,
    Accumulator,
    ArgMax,
    Binarize,
    BinaryConv,
    BinaryMatMul,
    BinaryMaxPool,
    Concat,
    Dequantize,
    ExactGraph,
    Layer,
    MaxPool,
    Quantize,
    Reshape,
    Softmax,
    Tensor,
    Threshold,
    Transpose,
    Weighted,
    bit_tensor,
    ending_of,
)
from tinsmith.ir.metadata import read_tensor
from tinsmith.ir.ops import OPERATORS, function_bytes, needed_functions
from tinsmith.ir.ops.base import LIMITS, STORED, TYPES, ReadContext
from tinsmith.ir.rules.sound import SOUND, place
from tinsmith.ir.shapes import output_shape
from tinsmith.numerics.ranges import prove

_DTYPES = {onnx_type: name for name, onnx_type in TYPES.items()}
_AGAIN = "make the file again with `tinsmith quantize`"


def _tensor(value: ir.Value) -> Tensor:
    where = f"tensor {value.name!r}"
    dtype = _DTYPES.get(value.dtype) if value.dtype is not None else None
    if dtype is None or value.shape is None or not value.shape.is_static():
        raise TinsmithError("its type or shape is unknown", where=where, why="targets need both", fix=_AGAIN)
    tensor = read_tensor(value, tuple(int(n) for n in value.shape.numpy()), dtype)
    if min(tensor.shape, default=1) < 1:
        raise TinsmithError(f"its shape {tensor.shape} has a zero", where=where, why="it holds nothing", fix=_AGAIN)
    limits = STORED.get(dtype)
    if limits and not limits[0] <= tensor.lo <= tensor.hi <= limits[1]:
        raise TinsmithError(f"[{tensor.lo}, {tensor.hi}] is no range of {dtype}", where=where, fix=_AGAIN)
    if tensor.bits == 1 and tensor != bit_tensor(tensor.name, tensor.shape):
        raise TinsmithError("it has one bit, but another type, scale or range than bits have", where=where, fix=_AGAIN)
    if (tensor.bits == 16) != (dtype == "int16"):
        raise TinsmithError(f"it has {tensor.bits} bits, and its type is {dtype}", where=where, fix=_AGAIN)
    zeros = (0, 0) if dtype in ("int16", "int32") else limits
    if limits and zeros and not (0 < tensor.scale < float("inf") and zeros[0] <= tensor.zero_point <= zeros[1]):
        raise TinsmithError(f"scale {tensor.scale}, zero point {tensor.zero_point}", where=where, fix=_AGAIN)
    return tensor


def _check_types(layer: Layer, tensors: dict[str, Tensor], context: ReadContext) -> None:
    inputs, output = [tensors[name] for name in layer.inputs], tensors[layer.output]
    made = {Dequantize: ("float32",), Softmax: ("float32",), ArgMax: ("int64",)}.get(type(layer), tuple(LIMITS))
    taken = ("float32",) if isinstance(layer, Quantize) else tuple(LIMITS)
    if isinstance(layer, Dequantize | Reshape):
        taken = tuple(STORED)
    if isinstance(layer, Reshape):
        made = tuple(STORED)
    if isinstance(ending_of(layer), Accumulator):
        made = ("int32",)
    if output.dtype not in made or any(x.dtype not in taken for x in inputs):
        raise context.fail(f"it takes {' or '.join(taken)} and makes {' or '.join(made)}")
    if isinstance(layer, MaxPool | Concat | Reshape | Transpose):
        kinds = {(t.dtype, t.scale, t.zero_point, t.bits) for t in (*inputs, output)}
        if len(kinds) != 1:
            raise context.fail(f"it moves values, but types, scales, zero points or bits differ: {sorted(kinds)}")


def _check_bits(layer: Layer, wide: bool, tensors: dict[str, Tensor], context: ReadContext) -> None:
    if isinstance(layer, Concat | Reshape | Transpose):
        return  # they move tensors of any width
    taken: tuple[int, ...] = (8, 16) if isinstance(layer, READ_16) else (8,)
    made: tuple[int, ...] = (8, 16) if isinstance(layer, MAKE_16) else (8,)
    if isinstance(layer, Weighted):
        taken = (16,) if wide else (8,)
    if isinstance(layer, BinaryConv | BinaryMatMul | BinaryMaxPool):
        taken = (1,)
    if isinstance(layer, Binarize | BinaryMaxPool) or isinstance(ending_of(layer), Threshold):
        made = (1,)
    if any(tensors[name].bits not in taken for name in layer.inputs) or tensors[layer.output].bits not in made:
        raise context.fail(f"it takes tensors of {_either(taken)} bits and makes one of {_either(made)}")


def _either(widths: tuple[int, ...]) -> str:
    return " or ".join(map(str, widths))


def _check_functions(model: ir.Model, problems: Problems) -> None:
    used = {node.op_type for node in model.graph if node.domain == DOMAIN}
    for name in needed_functions(used):
        function = model.functions.get((DOMAIN, name, ""))
        if function is None:
            why = "the function body is what an operator means"
            problems.add("its function body is missing", where=f"{DOMAIN}:{name}", why=why, fix=_AGAIN)
        elif ir.to_proto(function).SerializeToString(deterministic=True) != function_bytes(name):
            why = "targets compute what this version of Tinsmith defines, the file something else"
            problems.add("its function body is another one", where=f"{DOMAIN}:{name}", why=why, fix=_AGAIN)


def _check_structure(model: ir.Model, problems: Problems) -> None:
    names: set[str] = set()
    for rule in SOUND:
        for where, what in rule(model):
            problems.add(what, where=where, why="the graph is not in order", fix=_AGAIN)
    for node in model.graph:
        if len(node.outputs) != 1 or not node.name or node.name in names:
            problems.add("it has several outputs, or no name of its own", where=place(node), fix=_AGAIN)
        names.add(node.name or "")


def _layer(node: ir.Node, tensors: dict[str, Tensor]) -> Layer:
    operator = OPERATORS.get((node.domain, node.op_type))
    context = ReadContext(node, tensors)
    if operator is None:
        raise context.fail(f"operator {node.domain or 'ai.onnx'}:{node.op_type} is not one of the exact graph's")
    layer: Layer = operator.read(context)
    _check_types(layer, tensors, context)
    _check_bits(layer, operator.wide, tensors, context)
    shape = output_shape(layer, tensors)
    if isinstance(shape, str):
        raise context.fail(shape, why="its shapes do not go together")
    output = tensors[layer.output]
    if shape != output.shape or min(shape, default=1) < 1:
        raise context.fail(f"its output has shape {output.shape}, computed {shape}")
    return layer


def read_exact(model: ir.Model) -> ExactGraph:
    """The records of an exact graph, every range proved from the weights themselves.

    Raises:
        TinsmithError: every node or tensor that is malformed, or every accumulator that could pass int32.
    """
    problems = Problems()
    _check_structure(model, problems)
    _check_functions(model, problems)
    tensors: dict[str, Tensor] = {}
    layers: list[Layer] = []
    for value in (*model.graph.inputs, *(v for node in model.graph for v in node.outputs)):
        try:
            tensors[value.name or ""] = _tensor(value)
        except TinsmithError as error:
            problems.found.extend(error.problems)
    problems.check()
    for node in model.graph:
        try:
            layers.append(_layer(node, tensors))
        except TinsmithError as error:
            problems.found.extend(error.problems)
    problems.check()
    names = [v.name or "" for v in model.graph.inputs], [v.name or "" for v in model.graph.outputs]
    graph = ExactGraph(model.graph.name or "", tuple(names[0]), tuple(names[1]), tensors, tuple(layers))
    return prove(graph)
