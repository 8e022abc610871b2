"""How an accumulator becomes the output, where there is a choice: `Rescale`, `Threshold` to one bit, or as it is.

Such an operator has a node for each: `Conv` ends in `Rescale` and reads a multiplier a channel, `ConvThreshold` ends in
`Threshold` and reads a limit a channel, `ConvAccumulator` gives the sum. All else is written once (`EndedOperator`).
What multiplies inputs of 16 bits by weights has the number behind its stem: `Conv16`, `Conv16Threshold`.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar, TypeVar

import onnx_ir as ir

from tinsmith.ir.exact import Accumulator, Ending, Int32Array, Layer, Requantization, Tensor, Threshold
from tinsmith.ir.ops import rescale, threshold
from tinsmith.ir.ops.base import Operator, ReadContext, requantization_attributes

L = TypeVar("L", bound=Layer)


@dataclass(frozen=True)
class Form:
    """One way to end.

    Attributes:
        record: what the layer's `ending` is.
        suffix: what the operator's name has behind its stem.
        attributes: the attributes that the body takes for its ending, as text behind others.
        vector: the input that the ending reads, one int32 a channel; empty where it reads none.
        call: the function that the body ends in, called with (acc, vector); empty where y is acc.
    """

    record: type[Ending]
    suffix: str
    attributes: str
    vector: str
    call: str

    @property
    def input(self) -> str:
        """The vector as text behind the inputs of a body."""
        return f", {self.vector}" if self.vector else ""

    def header(self, *attributes: str) -> str:
        """All attributes of a body as text, its ending's behind `attributes`; empty where there is none."""
        text = ", ".join(attributes) + self.attributes
        return f" <{text.removeprefix(', ')}>" if text else ""

    def columns(self) -> str:
        """The end of a convolution's body: from `products` (1, O, H, W) and `bias` (O,) to y."""
        return (_COLUMNS if self.vector else _PLAIN_COLUMNS).format(vector=self.vector, call=self.call)

    def rows(self) -> str:
        """The end of a matrix product's body: from `products` (..., N) and `bias` (N,) to y."""
        return (_ROWS if self.vector else _PLAIN_ROWS).format(vector=self.vector, call=self.call)


_COLUMNS = """
  column = Constant <value_ints = [-1, 1, 1]> ()
  bias_column = Reshape (bias, column)
  vector_column = Reshape ({vector}, column)
  acc = Add (products, bias_column)
  y = {call} (acc, vector_column)
"""
_PLAIN_COLUMNS = """
  column = Constant <value_ints = [-1, 1, 1]> ()
  bias_column = Reshape (bias, column)
  y = Add (products, bias_column)
"""
_ROWS = """
  acc = Add (products, bias)
  y = {call} (acc, {vector})
"""
_PLAIN_ROWS = """
  y = Add (products, bias)
"""

RESCALED = Form(Requantization, "", ", shift, zero_point, lo, hi, to", "multiplier", rescale.CALL)
THRESHOLDED = Form(Threshold, "Threshold", "", "limit", threshold.CALL)
ACCUMULATED = Form(Accumulator, "Accumulator", "", "", "")
SHORT = (RESCALED, THRESHOLDED)
"""Endings of every operator that has the choice: 8 bits or one."""
FORMS = (*SHORT, ACCUMULATED)
"""Endings of products by real-valued weights."""


class EndedOperator(Operator[L]):
    """An operator that ends in either form; one object for each, and for each width of inputs where there are two."""

    stem: ClassVar[str]

    def __init__(self, form: Form, *, wide: bool = False) -> None:
        self.form = form
        self.wide = wide
        self.ending = form.record
        self.name = self.stem + ("16" if wide else "") + form.suffix
        self.body = self.text(form)

    @abstractmethod
    def text(self, form: Form) -> str:
        """The function body, with `form` in the places of its ending."""

    def read_ending(self, context: ReadContext, vector: Int32Array) -> Ending:
        """The ending of a node whose multipliers or limits are `vector` (C,); empty where it has none."""
        if self.form is RESCALED:
            return context.requantization(vector)
        if self.form is ACCUMULATED:
            return Accumulator()
        if context.output().bits != 1:
            raise context.fail("its output has 8 bits where a threshold makes one")
        return Threshold(vector)


def ending_constants(form: Form, ending: Ending) -> Mapping[str, Int32Array]:
    """The multipliers or limits (C,) of an ending, by the name of the input that reads them."""
    if isinstance(ending, Accumulator):
        return {}
    return {form.vector: ending.limit if isinstance(ending, Threshold) else ending.multiplier}


def ending_attributes(ending: Ending, output: Tensor) -> Mapping[str, ir.Attr]:
    """The attributes by which a node states its ending."""
    return requantization_attributes(ending, output) if isinstance(ending, Requantization) else {}
