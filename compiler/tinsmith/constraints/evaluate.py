"""Constant arithmetic: the value of a node all of whose inputs are known.

Exporters compute pads, shapes and zero biases with chains of small nodes. The operators that occur there are written
out in numpy, because importing `onnx.reference` takes longer than all else that `tinsmith ops` does; it is the
fallback for every other operator.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    import onnx

Array = npt.NDArray[Any]
Inputs = Sequence[Array | None]
Attributes = Mapping[str, Any]

RANDOM = frozenset(
    {"RandomNormal", "RandomNormalLike", "RandomUniform", "RandomUniformLike", "Multinomial", "Bernoulli"}
)


def _constant(_: Inputs, attributes: Attributes) -> Array:
    ((key, value),) = attributes.items()
    dtype = {"value_float": np.float32, "value_floats": np.float32, "value_int": np.int64, "value_ints": np.int64}
    return np.asarray(value, dtype.get(key))


def _axes(inputs: Inputs, attributes: Attributes) -> tuple[int, ...] | None:
    """`axes` stood in an attribute before opset 13 and is an input since."""
    if len(inputs) > 1 and inputs[1] is not None:
        return tuple(int(a) for a in inputs[1].reshape(-1))
    return tuple(attributes["axes"]) if "axes" in attributes else None


def _unsqueeze(inputs: Inputs, attributes: Attributes) -> Array:
    return np.expand_dims(_first(inputs), _axes(inputs, attributes) or ())


def _squeeze(inputs: Inputs, attributes: Attributes) -> Array:
    return np.squeeze(_first(inputs), _axes(inputs, attributes))


def _reshape(inputs: Inputs, attributes: Attributes) -> Array:
    x, shape = _given(inputs)
    keep = not attributes.get("allowzero", 0)
    return x.reshape([x.shape[i] if d == 0 and keep else int(d) for i, d in enumerate(shape)])


def _slice(inputs: Inputs, _: Attributes) -> Array:
    x, starts, ends, *rest = _given(inputs)
    axes = rest[0] if rest else np.arange(len(starts))
    steps = rest[1] if len(rest) > 1 else np.ones_like(starts)
    index = [slice(None)] * x.ndim
    for axis, start, end, step in zip(axes, starts, ends, steps, strict=True):
        index[int(axis)] = onnx_slice(int(start), int(end), int(step), x.shape[int(axis)])
    return x[tuple(index)]


def onnx_slice(start: int, end: int, step: int, size: int) -> slice:
    """The Python slice of ONNX's start, end and step, where an end before the first element means "to the start"."""
    stop: int | None = end
    if step < 0 and end < -size:
        stop = None
    return slice(start, stop, step)


def _cast(inputs: Inputs, attributes: Attributes) -> Array:
    import onnx

    return _first(inputs).astype(onnx.helper.tensor_dtype_to_np_dtype(attributes["to"]))


def _expand(inputs: Inputs, _: Attributes) -> Array:
    x, shape = _given(inputs)
    return np.broadcast_to(x, np.broadcast_shapes(x.shape, tuple(int(d) for d in shape)))


def _constant_of_shape(inputs: Inputs, attributes: Attributes) -> Array:
    value = np.asarray(attributes.get("value", np.zeros(1, np.float32)))
    return np.full(tuple(int(d) for d in _first(inputs)), value.reshape(-1)[0], value.dtype)


def _divide(inputs: Inputs, _: Attributes) -> Array:
    a, b = _given(inputs)
    if a.dtype.kind == "f":
        return np.asarray(a / b)
    return np.asarray(np.trunc(a / b)).astype(a.dtype)


def _dequantize(inputs: Inputs, attributes: Attributes) -> Array:
    if attributes.get("block_size", 0):
        raise ValueError("blocks of a tensor have scales of their own")
    x, scale, *zero = _given(inputs)
    shape = [1] * x.ndim
    if scale.size > 1:
        shape[attributes.get("axis", 1)] = -1
    steps = x.astype(np.int32) - (zero[0].astype(np.int32).reshape(shape) if zero else 0)
    return np.asarray(steps.astype(np.float32) * scale.reshape(shape))


def _first(inputs: Inputs) -> Array:
    return _given(inputs)[0]


def _given(inputs: Inputs) -> list[Array]:
    return [x for x in inputs if x is not None]


SIMPLE: dict[str, Callable[[Inputs, Attributes], Array]] = {
    "Add": lambda x, _: np.add(*_given(x)),
    "Cast": _cast,
    "CastLike": lambda x, _: _first(x).astype(_given(x)[1].dtype),
    "Concat": lambda x, a: np.concatenate(_given(x), a["axis"]),
    "Constant": _constant,
    "ConstantOfShape": _constant_of_shape,
    "DequantizeLinear": _dequantize,
    "Div": _divide,
    "Expand": _expand,
    "Gather": lambda x, a: np.take(_first(x), _given(x)[1].astype(np.int64), axis=a.get("axis", 0)),
    "Identity": lambda x, _: _first(x),
    "Mul": lambda x, _: np.multiply(*_given(x)),
    "Reshape": _reshape,
    "Shape": lambda x, a: np.asarray(_first(x).shape[a.get("start", 0) : a.get("end")], np.int64),
    "Slice": _slice,
    "Squeeze": _squeeze,
    "Sub": lambda x, _: np.subtract(*_given(x)),
    "Transpose": lambda x, a: np.transpose(_first(x), a.get("perm")),
    "Unsqueeze": _unsqueeze,
}


def evaluate(node: onnx.NodeProto, inputs: Inputs, attributes: Attributes, opset: int) -> list[Array] | None:
    """The outputs of `node` for constant inputs, or None where its value is not determined by them.

    Args:
        node: any node of the standard domain without subgraphs.
        inputs: its inputs in order, None for one that is left out.
        attributes: its attributes as Python values, tensors as numpy arrays.
        opset: version of the standard operators.
    """
    if node.domain not in ("", "ai.onnx") or node.op_type in RANDOM:
        return None
    if node.op_type in SIMPLE:
        return [np.array(SIMPLE[node.op_type](inputs, attributes), order="C")]
    return _evaluate_reference(node, inputs, opset)


def _evaluate_reference(node: onnx.NodeProto, inputs: Inputs, opset: int) -> list[Array] | None:
    import onnx
    from onnx.reference import ReferenceEvaluator

    feeds = {name: x for name, x in zip(node.input, inputs, strict=True) if x is not None}
    dtype = onnx.helper.np_dtype_to_tensor_dtype
    infos = [onnx.helper.make_tensor_value_info(n, dtype(x.dtype), x.shape) for n, x in feeds.items()]
    outputs = [onnx.ValueInfoProto(name=name) for name in node.output if name]
    graph = onnx.helper.make_graph([node], "constant", infos, outputs)
    model = onnx.helper.make_model(graph, opset_imports=[onnx.helper.make_opsetid("", opset)])
    try:
        return [np.asarray(y) for y in ReferenceEvaluator(model).run(None, feeds)]
    except (NotImplementedError, RuntimeError):
        return None
