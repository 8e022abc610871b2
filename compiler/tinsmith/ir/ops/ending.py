"""How an accumulator becomes the output: `Rescale` to 8 bit or `Threshold` to one, wherever there is the choice.

Such an operator has two nodes: `Conv` ends in `Rescale` and reads a multiplier a channel, `ConvThreshold` ends in
`Threshold` and reads a limit a channel. All else about them is written once (`EndedOperator`).
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar, TypeVar

import onnx_ir as ir

from tinsmith.ir.exact import Ending, Int32Array, Layer, Requantization, Tensor, Threshold
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
        vector: the input that the ending reads, one int32 a channel.
        call: the function that the body ends in, called with (acc, vector).
    """

    record: type[Ending]
    suffix: str
    attributes: str
    vector: str
    call: str


RESCALED = Form(Requantization, "", ", shift, zero_point, lo, hi, to", "multiplier", rescale.CALL)
THRESHOLDED = Form(Threshold, "Threshold", "", "limit", threshold.CALL)
FORMS = (RESCALED, THRESHOLDED)


class EndedOperator(Operator[L]):
    """An operator that ends in either form; one object for each."""

    stem: ClassVar[str]

    def __init__(self, form: Form) -> None:
        self.form = form
        self.ending = form.record
        self.name = self.stem + form.suffix
        self.body = self.text(form)

    @abstractmethod
    def text(self, form: Form) -> str:
        """The function body, with `form` in the places of its ending."""

    def read_ending(self, context: ReadContext, vector: Int32Array) -> Ending:
        """The ending of a node whose multipliers or limits are `vector` (C,)."""
        if self.form is RESCALED:
            return context.requantization(vector)
        if context.output().bits != 1:
            raise context.fail("its output has 8 bits where a threshold makes one")
        return Threshold(vector)


def ending_vector(ending: Ending) -> Int32Array:
    """(C,) the multipliers or limits of an ending."""
    return ending.limit if isinstance(ending, Threshold) else ending.multiplier


def ending_attributes(ending: Ending, output: Tensor) -> Mapping[str, ir.Attr]:
    """The attributes by which a node states its ending."""
    return {} if isinstance(ending, Threshold) else requantization_attributes(ending, output)
