"""What an operator of the exact graph is: its meaning as a function body, and the way between its node and its record.

Nodes are written from records (ir/exact.py) and read back into them, so the two directions stand side by side in one
file an operator and a test compares them. Operators of `ai.tinsmith` carry their meaning as an ONNX function body in
ONNX's text format; standard operators need none.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any, ClassVar, Generic, TypeVar

import numpy as np
import numpy.typing as npt
import onnx_ir as ir

from tinsmith.errors import TinsmithError
from tinsmith.ir.domain import DOMAIN, OPSET, VERSION
from tinsmith.ir.exact import Ending, Layer, Requantization, Tensor
from tinsmith.ir.provenance import LAYER, SOURCE

L = TypeVar("L", bound=Layer)

TYPES: Mapping[str, ir.DataType] = {
    "uint8": ir.DataType.UINT8,
    "int8": ir.DataType.INT8,
    "int16": ir.DataType.INT16,
    "int32": ir.DataType.INT32,
    "int64": ir.DataType.INT64,
    "float32": ir.DataType.FLOAT,
}
"""ONNX element types of the exact graph, by the names that records use."""


LIMITS: Mapping[str, tuple[int, int]] = {"uint8": (0, 255), "int8": (-128, 127), "int16": (-(2**15), 2**15 - 1)}
"""Least and largest stored value of what layers pass on."""

STORED: Mapping[str, tuple[int, int]] = {**LIMITS, "int32": (-(2**31), 2**31 - 1)}
"""The same, and of accumulators that are stored whole."""


@dataclass(frozen=True)
class WriteContext:
    """What an operator needs to write a node: the graph's tensors, and a way to add constants.

    `constant(layer, kind, array)` makes the initializer `layer/kind`.
    """

    tensors: Mapping[str, Tensor]
    values: Mapping[str, ir.Value]
    constant: Callable[[str, str, npt.NDArray[Any]], ir.Value]

    def node(
        self,
        op: Operator[Any],
        layer: Layer,
        constants: Mapping[str, npt.NDArray[Any]] | None = None,
        attributes: Mapping[str, ir.Attr] | None = None,
    ) -> ir.Node:
        """The node of `layer`: its activations first, then its constants, with its name and source."""
        inputs = [self.values[name] for name in layer.inputs]
        inputs += [self.constant(layer.name, kind, array) for kind, array in (constants or {}).items()]
        return ir.Node(
            op.domain,
            op.name,
            inputs,
            attributes or {},
            outputs=[self.values[layer.output]],
            name=layer.name,
            metadata_props={LAYER: layer.name, SOURCE: layer.source},
        )


@dataclass(frozen=True)
class ReadContext:
    """One node being read: typed access to its attributes and constants; what is missing is a `TinsmithError`."""

    node: ir.Node
    tensors: Mapping[str, Tensor]

    @property
    def where(self) -> str:
        """The node, as an error names it."""
        return f"{self.node.op_type} {self.node.name!r}"

    def fail(self, what: str, why: str = "the exact graph's operators are read strictly") -> TinsmithError:
        """An error about this node, to raise."""
        return TinsmithError(what, where=self.where, why=why, fix="make the file again with `tinsmith quantize`")

    def _attribute(self, name: str, kind: ir.AttributeType) -> Any:
        attribute = self.node.attributes.get(name)
        if attribute is None or attribute.is_ref() or attribute.type != kind:
            raise self.fail(f"attribute {name!r} of type {kind.name} is missing")
        return attribute.value

    def integer(self, name: str) -> int:
        """An INT attribute."""
        return int(self._attribute(name, ir.AttributeType.INT))

    def real(self, name: str) -> float:
        """A FLOAT attribute, as the binary32 value that it is."""
        return float(np.float32(self._attribute(name, ir.AttributeType.FLOAT)))

    def ints(self, name: str, count: int) -> tuple[int, ...]:
        """An INTS attribute of exactly `count` numbers."""
        values = self.all_ints(name)
        if len(values) != count:
            raise self.fail(f"attribute {name!r} has {len(values)} numbers where {count} belong")
        return values

    def all_ints(self, name: str) -> tuple[int, ...]:
        """An INTS attribute of any length."""
        return tuple(int(v) for v in self._attribute(name, ir.AttributeType.INTS))

    def pair(self, name: str) -> tuple[int, int]:
        """An INTS attribute of two numbers (height, width)."""
        a, b = self.ints(name, 2)
        return a, b

    def pads(self) -> tuple[int, int, int, int]:
        """The attribute `pads`: top, left, bottom, right."""
        top, left, bottom, right = self.ints("pads", 4)
        return top, left, bottom, right

    def rank_of_constant(self, index: int) -> int | None:
        """The rank of the initializer that stands at input `index`; None where another value stands."""
        value = self.node.inputs[index] if index < len(self.node.inputs) else None
        return None if value is None or value.const_value is None else len(value.const_value.shape)

    def constant(self, index: int, dtype: str, rank: int) -> npt.NDArray[Any]:
        """The initializer that stands at input `index`; it must have this element type and rank."""
        value = self.node.inputs[index] if index < len(self.node.inputs) else None
        if value is None or value.const_value is None:
            raise self.fail(f"input {index} is not a constant")
        try:
            array: npt.NDArray[Any] = np.array(value.const_value.numpy(), order="C")
        except (OSError, ValueError) as error:  # its bytes do not fill its shape, or lie in a file that is not there
            raise self.fail(f"constant {value.name!r} cannot be read: {error}") from error
        if array.dtype != np.dtype(dtype) or array.ndim != rank:
            found = f"{array.dtype} of rank {array.ndim}"
            raise self.fail(f"constant {value.name!r} is {found} where {dtype} of rank {rank} belongs")
        return array

    def activation(self, index: int) -> Tensor:
        """The tensor that stands at input `index`."""
        value = self.node.inputs[index] if index < len(self.node.inputs) else None
        if value is None or value.name not in self.tensors:
            raise self.fail(f"input {index} is not a tensor of the graph")
        return self.tensors[value.name or ""]

    def output(self) -> Tensor:
        """The tensor that the node makes."""
        return self.tensors[self.node.outputs[0].name or ""]

    def common(self, activations: int) -> dict[str, Any]:
        """The fields that every record has; the first `activations` inputs are tensors."""
        return {
            "name": self.node.name or "",
            "source": self.node.metadata_props.get(SOURCE, ""),
            "inputs": tuple(self.activation(i).name for i in range(activations)),
            "output": self.node.outputs[0].name or "",
        }

    def requantization(self, multiplier: npt.NDArray[Any]) -> Requantization:
        """The requantization of this node; `wide` is settled by the range proof (numerics/ranges.py)."""
        y = self.output()
        shift, zero_point = self.integer("shift"), self.integer("zero_point")
        lo, hi = self.integer("lo"), self.integer("hi")
        least, most = LIMITS.get(y.dtype, (0, -1))
        if not 1 <= shift <= 62:
            raise self.fail(f"shift {shift} is outside 1…62")
        if not least <= lo <= hi <= most:
            raise self.fail(f"lo {lo} and hi {hi} are no range of {y.dtype}")
        if zero_point != y.zero_point or self.integer("to") != TYPES[y.dtype]:
            raise self.fail(f"zero_point and to differ from those of tensor {y.name!r}")
        if (multiplier < 1).any():
            raise self.fail("a multiplier is not positive")
        return Requantization(multiplier, shift, zero_point, lo, hi, wide=True)


def requantization_attributes(requant: Requantization, output: Tensor) -> dict[str, ir.Attr]:
    """The attributes by which a node states its requantization; `output` gives the element type."""
    numbers = {
        "shift": requant.shift,
        "zero_point": requant.zero_point,
        "lo": requant.lo,
        "hi": requant.hi,
        "to": int(TYPES[output.dtype]),
    }
    return {name: ir.AttrInt64(name, value) for name, value in numbers.items()}


class Operator(ABC, Generic[L]):
    """One operator of the exact graph."""

    name: str
    domain: ClassVar[str] = DOMAIN
    record: ClassVar[type[Layer]]
    ending: type[Ending] | None = None
    """The ending of the records that it writes, where they have the choice."""
    wide: bool = False
    """Whether it multiplies 16-bit inputs by weights."""
    body: str = ""
    """The function body in ONNX's text format, from the operator's name on; empty for standard operators."""

    @abstractmethod
    def write(self, layer: L, context: WriteContext) -> ir.Node:
        """The node that `layer` describes."""

    @abstractmethod
    def read(self, context: ReadContext) -> L:
        """The record of a node; raises `TinsmithError` when the node is malformed."""


@cache
def _function_bytes(body: str, domain: str) -> bytes:
    import onnx.parser

    header = f'<domain: "{domain}", opset_import: ["" : {OPSET}, "{domain}" : {VERSION}]>'
    function: bytes = onnx.parser.parse_function(f"{header}\n{body}").SerializeToString(deterministic=True)
    return function


def function(body: str, domain: str = DOMAIN) -> ir.Function:
    """A fresh ONNX function of `domain` from its text."""
    import onnx

    return ir.serde.deserialize_function(onnx.FunctionProto.FromString(_function_bytes(body, domain)))
