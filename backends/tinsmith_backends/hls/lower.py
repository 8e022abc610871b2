"""From the exact graph (ONNX layout) to hls4ml's layers (channels last), number type by number type.

Every value stands at binary point 0: integers are themselves, less their zero point, so that padding is 0; only the
products of a requantization have fraction bits. So `RND,SAT` of the 8- or 16-bit type behind them is the exact graph's
rounding and clamp.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
from tinsmith.ir.exact import Dequantize, ExactGraph, Layer, Quantize, Requantization, Tensor

from tinsmith_backends.hls.network import Form, Held, Network, Node, order
from tinsmith_backends.hls.numbers import Fixed, integers, with_fraction
from tinsmith_backends.identifiers import identifier

Ints = npt.NDArray[np.int64]
TAKEN = frozenset(("ac", "ap", "defines", "hls", "main", "nnet", "parameters", "std", "weights"))
"""Names of headers, folders and namespaces of a project, which the network's function cannot have."""
BIT = Fixed(2, 2, saturate=True)
"""Type of a bit, 0 or 1."""


def lower(graph: ExactGraph) -> Network:
    """The hls4ml network of `graph`, which must have passed `constraints.problems`."""
    from tinsmith_backends.hls.lower_layers import HANDLERS

    state = Lowering(graph)
    for layer in graph.layers:
        if isinstance(layer, Quantize):
            state.add_input(layer)
        elif not isinstance(layer, Dequantize):
            HANDLERS[type(layer)](state, layer)
    return state.network()


class Lowering:
    """What the handlers of single layers build on: nodes so far, and where tensors are."""

    def __init__(self, graph: ExactGraph) -> None:
        self.graph = graph
        self.nodes: dict[str, Node] = {}
        self.held: dict[str, dict[Form, Held]] = {}
        self._inputs: list[str] = []

    def tensor(self, name: str) -> Tensor:
        """The exact graph's record of a tensor."""
        return self.graph.tensors[name]

    def network(self) -> Network:
        """Everything so far; what a Dequantize reads is an output of the project."""
        ends = [layer.inputs[0] for layer in self.graph.layers if isinstance(layer, Dequantize)]
        held = {tensor: next(iter(forms.values())) for tensor, forms in self.held.items()}
        outputs = tuple(dict.fromkeys(held[name].node for name in ends))
        name = identifier(self.graph.name)
        return Network(
            f"n_{name}" if name in TAKEN else name, tuple(self.nodes.values()), held, tuple(self._inputs), outputs
        )

    def add_input(self, layer: Quantize) -> None:
        """An input of integers: who calls the project quantizes."""
        tensor = self.tensor(layer.output)
        axes = channels_last(len(tensor.shape))
        node = Node(
            f"input{len(self._inputs)}",
            "InputLayer",
            (),
            _without_batch(tensor.shape, axes),
            {"result": of_values(tensor)},
        )
        self.nodes[node.name] = node
        self._inputs.append(node.name)
        self.keep(tensor.name, node, "value", axes)

    def add(
        self,
        layer: Layer,
        class_name: str,
        inputs: Sequence[Node],
        shape: tuple[int, ...],
        types: Mapping[str, Fixed],
        **attributes: Any,
    ) -> Node:
        """Append a node that does `layer`, or a part of it."""
        name = f"n{len(self.nodes)}_{class_name.lower()}"
        node = Node(name, class_name, tuple(n.name for n in inputs), shape, types, layer.name, attributes)
        self.nodes[name] = node
        return node

    def keep(
        self, tensor: str, node: Node, form: Form, axes: tuple[int, ...], shape: tuple[int, ...] | None = None
    ) -> None:
        """Say that `node` holds a tensor of the exact graph; `shape` is the one that `axes` speak of."""
        held = Held(node.name, form, shape or self.tensor(tensor).shape, axes)
        self.held.setdefault(tensor, {})[form] = held

    def source(self, tensor: str, form: Form = "value") -> tuple[Node, Held]:
        """The node that holds a tensor in a form; a conversion is added where only another form is there."""
        forms = self.held[tensor]
        if form not in forms:
            self._convert(tensor, next(iter(forms.values())), form)
        held = forms[form]
        return self.nodes[held.node], held

    def channels(self, layer: Layer, tensor: str, *constants: npt.NDArray[Any]) -> tuple[Node, Held, list[Ints]]:
        """The node that holds `tensor` with its channels last, and constants of one number a channel for them.

        In a flattened image every element is a channel: one pixel holds all of them, unless the numbers of every
        channel of the image are one. (A stream of pixels stays one behind hls4ml's flattening.)
        """
        node, held = self.source(tensor)
        if len(self.tensor(tensor).shape) > 2 or len(node.shape) == 1:
            return node, held, [values.astype(np.int64) for values in constants]
        places = order(held)
        stored = [np.broadcast_to(values, places.shape).astype(np.int64)[places] for values in constants]
        pixels = [values.reshape(-1, node.shape[-1]) for values in stored]
        if all((values == values[0]).all() for values in pixels):
            return node, held, [values[0] for values in pixels]
        pixel = (1, 1, places.size)
        one = self.add(layer, "Reshape", (node,), pixel, {"result": node.result}, target_shape=list(pixel))
        return one, held, stored

    def flattened(self, layer: Layer, x: Node) -> Node:
        """The same stored elements as a vector."""
        if len(x.shape) == 1:
            return x
        size = int(np.prod(x.shape))
        return self.add(layer, "Reshape", (x,), (size,), {"result": x.result}, target_shape=[size])

    def _convert(self, tensor: str, held: Held, form: Form) -> None:
        """Between ±1 and the two bits that say the same: all are value = scale * bit + offset."""
        scale, offset = {"value": (1, 0), "plus": (2, -1), "minus": (-2, 1)}[held.form]
        wanted = {"value": (1, 0), "plus": (0.5, 0.5), "minus": (-0.5, 0.5)}[form]
        factor, bias = int(scale * wanted[0] * 2), int((offset * wanted[0] + wanted[1]) * 2)
        node = self.nodes[held.node]
        layer = next(layer for layer in self.graph.layers if layer.output == tensor)
        channels = np.ones(node.shape[-1], np.int64)
        half = self.affine(layer, node, factor * channels, bias * channels, fraction=1)
        node = self.cast(layer, half, integers(-1, 1)) if form == "value" else self.bit(layer, half)
        self.keep(tensor, node, form, held.axes, held.shape)

    def affine(self, layer: Layer, x: Node, multiplier: Ints, bias: Ints, *, fraction: int) -> Node:
        """(x * multiplier[c] + bias[c]) * 2**-fraction, no bit lost; one pair of numbers a channel."""
        least, most = x.result.limits  # of a type without fraction bits
        ends = np.array([least * multiplier, most * multiplier])
        sums = [int((ends + bias).min()), int((ends + bias).max()), int(ends.min()), int(ends.max())]
        unit = 2.0**-fraction
        return self.add(
            layer,
            "BatchNormalization",
            (x,),
            x.shape,
            {
                "scale": _type_of(multiplier, fraction),
                "bias": _type_of(bias, fraction),
                "result": with_bits(min(sums), max(sums), fraction),
            },
            scale_data=multiplier * unit,
            bias_data=bias * unit,
        )

    def cast(self, layer: Layer, x: Node, result: Fixed) -> Node:
        """x rounded half up and clamped to the limits of a type."""
        saturating = Fixed(result.width, result.integer, result.signed, saturate=True)
        return self.add(layer, "Activation", (x,), x.shape, {"result": saturating}, activation="linear")

    def bit(self, layer: Layer, x: Node) -> Node:
        """1 where x >= 1, 0 where x <= 0: a ReLU that saturates. (Catapult's least unsigned type reaches 1.5.)"""
        return self.add(layer, "Activation", (x,), x.shape, {"result": BIT}, activation="relu")

    def requantize(self, layer: Layer, acc: Node, requant: Requantization) -> Node:
        """The exact graph's requantization of an accumulator."""
        channels = acc.shape[-1]
        multiplier = np.broadcast_to(requant.multiplier, (channels,)).astype(np.int64)
        scaled = self.affine(layer, acc, multiplier, np.zeros(channels, np.int64), fraction=requant.shift)
        return self.clamp(layer, scaled, requant)

    def clamp(self, layer: Layer, x: Node, requant: Requantization) -> Node:
        """x rounded half up and clamped, by saturation where a type has the limits less the zero point.

        For others: a type of the form [0, 2**n - 1] clamps x - lo from below; raised so that hi is at its upper limit,
        it clamps from above; then the offsets are taken back.
        """
        lo, hi = (limit - requant.zero_point for limit in (requant.lo, requant.hi))
        exact = integers(lo, hi)
        if exact.limits == (lo, hi):
            return self.cast(layer, x, exact)
        span = integers(0, hi - lo)
        slack = span.limits[1] - (hi - lo)
        node = self.cast(layer, self.shifted(layer, x, -lo), span)
        if slack:
            node = self.cast(layer, self.shifted(layer, node, slack), span)
        return self.cast(layer, self.shifted(layer, node, lo - slack), exact) if lo != slack else node

    def shifted(self, layer: Layer, x: Node, offset: int) -> Node:
        """x + offset, with all fraction bits of x."""
        if offset == 0:
            return x
        channels = np.ones(x.shape[-1], np.int64)
        fraction = max(x.result.width - x.result.integer, 0)
        reach = 1 << max(x.result.integer, 0)
        return self.add(
            layer,
            "BatchNormalization",
            (x,),
            x.shape,
            {
                "scale": integers(0, 1),
                "bias": integers(min(offset, 0), max(offset, 0)),
                "result": with_fraction(-reach - abs(offset), reach + abs(offset), fraction),
            },
            scale_data=channels,
            bias_data=channels * offset,
        )


def of_values(tensor: Tensor) -> Fixed:
    """Type of a tensor's values: what is stored less the zero point, signed if either has a sign."""
    lo, hi = tensor.lo - tensor.zero_point, tensor.hi - tensor.zero_point
    return integers(lo, hi, signed=lo < 0 or tensor.dtype != "uint8")


def with_bits(lo: int, hi: int, fraction: int, *, signed: bool | None = True) -> Fixed:
    """The least type for integers of [lo, hi], all of them times 2**-fraction; `signed` as of `integers`."""
    whole = integers(lo, hi, signed=signed)
    return Fixed(whole.width, whole.integer - fraction, whole.signed)


def _type_of(values: Ints, fraction: int) -> Fixed:
    return with_bits(int(values.min()), int(values.max()), fraction)


def channels_last(rank: int) -> tuple[int, ...]:
    """The order of axes in which the project holds a tensor of this rank: batch, space, channels."""
    return (0, *range(2, rank), 1) if rank > 2 else tuple(range(rank))


def _without_batch(shape: tuple[int, ...], axes: tuple[int, ...]) -> tuple[int, ...]:
    stored = tuple(shape[axis] for axis in axes)
    return stored[1:] if len(stored) > 1 else stored
