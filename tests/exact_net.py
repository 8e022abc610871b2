"""Builds small exact graphs for tests, layer by layer.

    net = Net(seed=3)
    x = net.quantize(net.input("x", (1, 8, 5, 5)))
    net.dequantize(net.conv(x, 16, kernel=(3, 3), pads=(1, 1, 1, 1), lo=0))
    graph, model = net.graph(), net.model()

Scales are chosen so that outputs use their whole range and some of them saturate.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt
import onnx_ir as ir
from exact_base import LIMITS, Pads, Pair, Precision
from exact_bits import BitLayers
from tinsmith.ir import exact
from tinsmith.ir.exact import ExactGraph, Layer, Tensor
from tinsmith.ir.writer import write_exact
from tinsmith.numerics.ranges import prove, true_interval
from tinsmith.numerics.requantize import choose_addition
from tinsmith.numerics.softmax import exponentials

__all__ = ["LIMITS", "Net", "Pads", "Pair", "Precision", "random_sample"]


class Net(BitLayers):
    """An exact graph under construction. Each method adds one layer and returns the name of its output tensor.

    Common keywords: `dtype` and `zero_point` of the output (default: uint8 with 0), `lo` and `hi` of its clamp,
    `gain` (1.0 lets the output just use its range; larger values saturate), `precision` of the multipliers. With
    `bits=1` a layer ends in a threshold instead, with `bits=32` in its accumulator, and those keywords mean nothing.
    """

    def conv(
        self,
        x: str,
        out_channels: int,
        kernel: Pair = (3, 3),
        strides: Pair = (1, 1),
        pads: Pads = (0, 0, 0, 0),
        dilations: Pair = (1, 1),
        group: int = 1,
        **keywords: Any,
    ) -> str:
        """A convolution with random weights and biases; `group` equal to both channel counts makes it depthwise."""
        fields = self._fields("conv", x)
        weight = self._weight(out_channels, self.tensors[x].shape[1] // group, *kernel)
        geometry = {"strides": strides, "pads": pads, "dilations": dilations, "group": group}
        bias = self._bias(x, weight.reshape(out_channels, -1))
        return self._ended(
            lambda ending: exact.Conv(**fields, weight=weight, bias=bias, **geometry, ending=ending),  # type: ignore[arg-type]
            fields,
            out_channels,
            **keywords,
        )

    def depthwise(self, x: str, kernel: Pair = (3, 3), **keywords: Any) -> str:
        """A depthwise convolution with as many outputs as inputs; keywords as for `conv`."""
        channels = self.tensors[x].shape[1]
        return self.conv(x, channels, kernel, group=channels, **keywords)

    def matmul(self, x: str, columns: int, **keywords: Any) -> str:
        """A matrix product of the last dimension by a random (K, columns) constant."""
        fields = self._fields("matmul", x)
        rows = self._weight(columns, self.tensors[x].shape[-1])
        bias, weight = self._bias(x, rows), np.ascontiguousarray(rows.T)
        return self._ended(
            lambda ending: exact.MatMul(**fields, weight=weight, bias=bias, ending=ending),
            fields,
            columns,
            **keywords,
        )

    def requantize(self, x: str, **keywords: Any) -> str:
        """A standalone requantization, such as a ReLU with `lo=zero_point`."""
        fields = self._fields("requantize", x)
        return self._requantized(lambda requant: exact.Requantize(**fields, requant=requant), fields, 1, **keywords)

    def table(self, x: str, *, dtype: str = "uint8", zero_point: int = 0) -> str:
        """A random function of one value, of which the first and last entries are extreme."""
        fields = self._fields("table", x)
        least, most = LIMITS[dtype]
        table = self.rng.integers(least, most + 1, 256).astype(dtype)
        table[[0, 127, 128, 255]] = (least, most, most, least) if self.rng.integers(2) else (most, least, least, most)
        output = Tensor(fields["output"], (), dtype, 0.0625, zero_point, least, most)  # type: ignore[arg-type]
        return self._add(exact.Table(**fields, table=table), output)

    def average_pool(
        self, x: str, kernel: Pair, strides: Pair = (1, 1), pads: Pads = (0, 0, 0, 0), **keywords: Any
    ) -> str:
        """An average over windows; padding counts as zero."""
        fields = self._fields("average_pool", x)
        return self._requantized(
            lambda requant: exact.AveragePool(**fields, kernel=kernel, strides=strides, pads=pads, requant=requant),
            fields,
            1,
            **keywords,
        )

    def add(
        self,
        a: str,
        b: str,
        *,
        dtype: str = "uint8",
        zero_point: int = 0,
        lo: int | None = None,
        hi: int | None = None,
        ratios: tuple[float, float] = (0.7, 0.9),
    ) -> str:
        """Sum of two tensors of equal shape; `ratios` are their scales over the output's."""
        fields = self._fields("add", a, b)
        least, most = LIMITS[dtype]
        least, most = least if lo is None else lo, most if hi is None else hi
        spans = [true_interval(self.tensors[name]) for name in (a, b)]
        reach = [max(-span[0], span[1]) for span in spans]
        multipliers, requant = choose_addition(ratios, reach, zero_point=zero_point, lo=least, hi=most)
        scale = float(np.float32(self.tensors[a].scale / ratios[0]))
        output = Tensor(fields["output"], (), dtype, scale, zero_point, least, most)  # type: ignore[arg-type]
        return self._add(exact.Add(**fields, multipliers=multipliers, requant=requant), output)

    def _moved(self, layer: Layer, shape: tuple[int, ...] = ()) -> str:
        return self._add(layer, replace(self.tensors[layer.inputs[0]], name=layer.output, shape=shape))

    def max_pool(
        self,
        x: str,
        kernel: Pair,
        strides: Pair = (1, 1),
        pads: Pads = (0, 0, 0, 0),
        dilations: Pair = (1, 1),
    ) -> str:
        """A maximum over windows."""
        fields = self._fields("max_pool", x)
        return self._moved(exact.MaxPool(**fields, kernel=kernel, strides=strides, pads=pads, dilations=dilations))

    def concat(self, *xs: str, axis: int = 1) -> str:
        """Concatenation; the tensors must share scale, zero point and type."""
        first = self.tensors[xs[0]]
        for name in xs[1:]:  # a test may join any tensors of one type: their scale is a label here
            self.tensors[name] = replace(self.tensors[name], scale=first.scale)
        return self._moved(exact.Concat(**self._fields("concat", *xs), axis=axis))

    def reshape(self, x: str, shape: tuple[int, ...]) -> str:
        """The same elements under another shape."""
        return self._moved(exact.Reshape(**self._fields("reshape", x)), shape)

    def flatten(self, x: str) -> str:
        """All elements of each sample in one row."""
        return self.reshape(x, (1, int(np.prod(self.tensors[x].shape))))

    def transpose(self, x: str, perm: tuple[int, ...]) -> str:
        """Permutes axes."""
        return self._moved(exact.Transpose(**self._fields("transpose", x), perm=perm))

    def softmax(self, x: str) -> str:
        """Probabilities along the last axis; becomes a graph output."""
        tensor = self.tensors[x]
        table = exponentials(tensor.scale, tensor.shape[-1])
        return self._output(exact.Softmax(**self._fields("softmax", x), table=table), "float32")

    def arg_max(self, x: str, *, keepdims: bool = False) -> str:
        """Index of the first maximum along the last axis; becomes a graph output."""
        shape = (*self.tensors[x].shape[:-1], 1) if keepdims else self.tensors[x].shape[:-1]
        return self._output(exact.ArgMax(**self._fields("arg_max", x)), "int64", shape)

    def graph(self) -> ExactGraph:
        """What was built, with its ranges proved."""
        return prove(
            ExactGraph(self.name, tuple(self.inputs), tuple(self.outputs), dict(self.tensors), tuple(self.layers))
        )

    def model(self) -> ir.Model:
        """What was built, as the ONNX model."""
        return write_exact(self.graph())

    def sample(self, seed: int = 0, *, extreme: bool = False) -> dict[str, npt.NDArray[np.float32]]:
        """Float inputs by name that use, and now and then pass, the quantized range; `extreme` only its ends."""
        return random_sample(self.graph(), seed, extreme=extreme)


def random_sample(graph: ExactGraph, seed: int = 0, *, extreme: bool = False) -> dict[str, npt.NDArray[np.float32]]:
    """Float inputs for any exact graph, as `Net.sample`."""
    rng = np.random.default_rng(seed)
    quantized = {layer.inputs[0]: graph.tensors[layer.output] for layer in graph.layers if layer.kind == "Quantize"}
    sample = {}
    for name in graph.inputs:
        q = quantized[name]
        lo, hi = (q.lo - q.zero_point) * q.scale, (q.hi - q.zero_point) * q.scale
        margin = 0.05 * (hi - lo)
        shape = graph.tensors[name].shape
        values = rng.choice([lo, hi], shape) if extreme else rng.uniform(lo - margin, hi + margin, shape)
        sample[name] = values.astype(np.float32)
    return sample
