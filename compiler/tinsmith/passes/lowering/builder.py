"""Collects the layers of the exact graph while a quantized model is lowered, proving ranges as it goes."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import onnx_ir as ir

from tinsmith.errors import Problems, TinsmithError
from tinsmith.ir.exact import Layer, Requantization, Tensor, Threshold
from tinsmith.numerics.ranges import Interval, accumulator, prove_layer
from tinsmith.numerics.requantize import choose_requantization
from tinsmith.numerics.thresholds import Reals, limits
from tinsmith.passes.lowering.qdq import Group, per_channel


def place(name: str, source: str, kind: str) -> str:
    """A layer as an error names it."""
    return f"{kind} {name!r}" + (f" ({source})" if source else "")


class Builder:
    """The exact graph so far: its tensors with proved ranges, its layers, and what is wrong with them."""

    def __init__(self, functions: Mapping[ir.OperatorIdentifier, ir.Function]) -> None:
        """`functions` are the model's: what its curves are."""
        self.functions = functions
        self.tensors: dict[str, Tensor] = {}
        self.layers: list[Layer] = []
        self.problems = Problems()

    def add(self, layer: Layer, output: Tensor) -> None:
        """Append a layer, with its accumulator and output ranges proved."""
        self.tensors[output.name] = output
        proved, self.tensors[output.name] = prove_layer(layer, self.tensors, self.problems)
        self.layers.append(proved)

    def add_requantized(self, make: Callable[[Requantization], Layer], group: Group, ratio: Reals) -> None:
        """Append the layer that `make` builds, with the requantization that its proved accumulator asks for.

        Args:
            make: builds the layer around a requantization.
            group: the nodes that it stands for; gives the output's grid and clamp.
            ratio: (C,) real units of the accumulator in units of the output.
        """
        y, (lo, hi) = group.output, group.clamp()
        self.tensors[y.name] = y
        plain = Requantization(np.ones(ratio.shape, np.int32), 1, y.zero_point, lo, hi, wide=True)
        draft = make(plain)
        acc = self._accumulator(draft)
        where = place(draft.name, draft.source, draft.kind)
        try:
            requant = choose_requantization(
                ratio, acc.lo, acc.hi, zero_point=y.zero_point, lo=lo, hi=hi, bits=y.bits, where=where
            )
        except TinsmithError as error:
            self.problems.found.extend(error.problems)
            requant = plain
        self.add(make(requant), replace(y, lo=lo, hi=hi))

    def add_thresholded(self, make: Callable[[Threshold], Layer], group: Group, unit: Reals, bias: Reals) -> None:
        """Append the layer that `make` builds, with the limits of the Binarize that ends `group`.

        Args:
            make: builds the layer around a threshold; its accumulator has no bias, which is in the limits.
            group: the nodes that it stands for.
            unit: (C,) real value of one step of the accumulator, not negative.
            bias: (C,) real, added behind.
        """
        channels = len(unit)
        draft = make(Threshold(np.zeros(channels, np.int32)))
        acc = self._accumulator(draft)
        limit = limits(unit, bias, per_channel(group.end.inputs[1], channels), acc.lo, acc.hi)
        self.add(make(Threshold(limit)), group.output)

    def _accumulator(self, draft: Layer) -> Interval:
        acc = accumulator(draft, self.tensors)
        if acc is None:
            raise ValueError(f"{draft.kind} has no accumulator")
        return acc


def fields(group: Group, *inputs: str) -> dict[str, Any]:
    """The fields that every record has, for the layer of `group`."""
    return {"name": group.name, "source": group.source, "inputs": inputs, "output": group.output.name}
