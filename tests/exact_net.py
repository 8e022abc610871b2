"""Builds small exact graphs for tests, layer by layer.

    net = Net(seed=3)
    x = net.quantize(net.input("x", (1, 8, 5, 5)))
    net.dequantize(net.conv(x, 16, kernel=(3, 3), pads=(1, 1, 1, 1), lo=0))
    graph, model = net.graph(), net.model()

Scales are chosen so that outputs use their whole range and some of them saturate.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
import onnx_ir as ir
from tinsmith.errors import Problems
from tinsmith.ir import exact
from tinsmith.ir.exact import Ending, ExactGraph, Layer, Requantization, Tensor, Threshold, bit_tensor
from tinsmith.ir.shapes import output_shape
from tinsmith.ir.writer import write_exact
from tinsmith.numerics.ranges import Interval, accumulator, prove, prove_layer, true_interval
from tinsmith.numerics.requantize import choose_addition, choose_requantization
from tinsmith.numerics.softmax import exponentials

Precision = Literal["chosen", "wide", "power-of-two"]
Pair = tuple[int, int]
Pads = tuple[int, int, int, int]

LIMITS = {"uint8": (0, 255), "int8": (-128, 127)}


class Net:
    """An exact graph under construction. Each method adds one layer and returns the name of its output tensor.

    Common keywords: `dtype` and `zero_point` of the output (default: uint8 with 0), `lo` and `hi` of its clamp,
    `gain` (1.0 lets the output just use its range; larger values saturate), `precision` of the multipliers. With
    `bits=1` a layer ends in a threshold instead, and those keywords mean nothing.
    """

    def __init__(self, seed: int = 0, name: str = "net", *, extreme: bool = False) -> None:
        """With `extreme`, weights are -127, 0 or 127."""
        self.rng = np.random.default_rng(seed)
        self.name = name
        self.extreme = extreme
        self.tensors: dict[str, Tensor] = {}
        self.layers: list[Layer] = []
        self.inputs: list[str] = []
        self.outputs: list[str] = []

    def _name(self, kind: str) -> str:
        return f"{kind}_{len(self.layers)}"

    def _add(self, layer: Layer, output: Tensor) -> str:
        self.tensors[output.name] = output
        shape = output_shape(layer, self.tensors)
        assert not isinstance(shape, str), f"{layer.name}: {shape}"
        self.tensors[output.name] = replace(output, shape=shape)
        problems = Problems()
        proved, self.tensors[output.name] = prove_layer(layer, self.tensors, problems)
        problems.check()
        self.layers.append(proved)
        return output.name

    def _fields(self, kind: str, *inputs: str) -> dict[str, Any]:
        name = self._name(kind)
        return {"name": name, "source": f"net.py:{len(self.layers) + 1}", "inputs": inputs, "output": f"{name}_out"}

    def _weight(self, *shape: int) -> npt.NDArray[np.int8]:
        if self.extreme:
            return self.rng.choice(np.array([-127, 0, 127], np.int8), shape)
        spread = self.rng.choice([3, 20, 60, 127], shape[0]).reshape(-1, *[1] * (len(shape) - 1))
        return np.clip(np.rint(self.rng.normal(0, spread / 2, shape)), -127, 127).astype(np.int8)

    def _signs(self, *shape: int) -> npt.NDArray[np.int8]:
        return self.rng.choice(np.array([-1, 1], np.int8), shape)

    def _limits(self, acc: Interval) -> npt.NDArray[np.int32]:
        """Limits that accumulators meet or miss by little; about one channel in ten is constant."""
        middle, reach = (acc.hi + acc.lo) // 2, (acc.hi - acc.lo) // 2
        near = middle + np.rint(self.rng.normal(0, 1, middle.shape) * np.minimum(np.sqrt(reach), reach / 4))
        constant = self.rng.choice([acc.lo, acc.hi + 1], axis=0)
        return np.where(self.rng.random(near.shape) < 0.1, constant, near).astype(np.int32)

    def _ended(
        self, make: Callable[[Ending], Layer], fields: dict[str, Any], channels: int, bits: int = 8, **keywords: Any
    ) -> str:
        if bits == 8:
            return self._requantized(make, fields, channels, **keywords)
        acc = accumulator(make(Threshold(np.zeros(channels, np.int32))), self.tensors)
        assert acc is not None and bits == 1
        return self._add(make(Threshold(self._limits(acc))), bit_tensor(fields["output"], ()))

    def _requantized(
        self,
        make: Callable[[Requantization], Layer],
        fields: dict[str, Any],
        channels: int,
        *,
        dtype: str = "uint8",
        zero_point: int = 0,
        lo: int | None = None,
        hi: int | None = None,
        gain: float = 1.5,
        precision: Precision = "chosen",
    ) -> str:
        least, most = LIMITS[dtype]
        least, most = least if lo is None else lo, most if hi is None else hi
        unit = Requantization(np.ones(channels, np.int32), 1, zero_point, least, most, wide=True)
        acc = accumulator(make(unit), self.tensors)
        assert acc is not None
        ratio = gain * 255 / np.maximum(np.abs(acc.hi - acc.lo), 1) * self.rng.uniform(0.5, 1.5, acc.lo.shape)
        requant = self._choose(ratio, acc, unit, precision)
        scale = float(np.float32(self.rng.uniform(0.01, 0.1)))
        output = Tensor(fields["output"], (), dtype, scale, zero_point, least, most)  # type: ignore[arg-type]
        return self._add(make(requant), output)

    @staticmethod
    def _choose(ratio: Any, acc: Interval, unit: Requantization, precision: Precision) -> Requantization:
        numbers = {"zero_point": unit.zero_point, "lo": unit.lo, "hi": unit.hi}
        if precision == "power-of-two":
            shift = int(np.clip(np.rint(-np.log2(ratio.mean())), 1, 30))
            return replace(unit, shift=shift)
        if precision == "wide":  # an accumulator of nearly 31 bits leaves no room for a 32-bit product
            huge = np.full(ratio.shape, 2**30, np.int64)
            return choose_requantization(ratio, -huge, huge, **numbers)
        return choose_requantization(ratio, acc.lo, acc.hi, **numbers)

    def input(self, name: str, shape: tuple[int, ...]) -> str:
        """A float32 graph input, batch first."""
        self.tensors[name] = Tensor(name, shape, "float32")
        self.inputs.append(name)
        return name

    def quantize(self, x: str, *, dtype: str = "uint8", zero_point: int = 0, scale: float = 1 / 64) -> str:
        """float32 → 8 bit."""
        fields = self._fields("quantize", x)
        output = Tensor(fields["output"], (), dtype, float(np.float32(scale)), zero_point, *LIMITS[dtype])  # type: ignore[arg-type]
        return self._add(exact.Quantize(**fields), output)

    def dequantize(self, x: str) -> str:
        """8 bit → float32; becomes a graph output."""
        return self._output(exact.Dequantize(**self._fields("dequantize", x)), "float32")

    def _output(self, layer: Layer, dtype: str, shape: tuple[int, ...] = ()) -> str:
        self.outputs.append(layer.output)
        return self._add(layer, Tensor(layer.output, shape, dtype))  # type: ignore[arg-type]

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

    def _bias(self, x: str, rows: npt.NDArray[np.int8]) -> npt.NDArray[np.int32]:
        lo, hi = true_interval(self.tensors[x])
        reach = np.abs(rows.astype(np.int64)).sum(axis=1) * (hi - lo) // 4
        return self.rng.integers(-reach - 1, reach + 2).astype(np.int32)

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

    def binarize(self, x: str, axis: int = 1) -> str:
        """8 bit → 1 bit, a sign and a limit for each channel along `axis`."""
        fields = self._fields("binarize", x)
        sign = self._signs(self.tensors[x].shape[axis])
        draft = exact.Binarize(**fields, axis=axis, sign=sign, limit=np.zeros(sign.shape, np.int32))
        acc = accumulator(draft, self.tensors)
        assert acc is not None
        return self._add(replace(draft, limit=self._limits(acc)), bit_tensor(fields["output"], ()))

    def bit_input(self, name: str, shape: tuple[int, ...], axis: int = 1) -> str:
        """A float32 graph input, quantized and binarized: a 1-bit tensor."""
        return self.binarize(self.quantize(self.input(name, shape), dtype="int8"), axis)

    def binary_conv(
        self,
        x: str,
        out_channels: int,
        kernel: Pair = (3, 3),
        strides: Pair = (1, 1),
        pads: Pads = (0, 0, 0, 0),
        dilations: Pair = (1, 1),
        pad_value: int = 1,
        **keywords: Any,
    ) -> str:
        """A convolution of a 1-bit tensor with random signs and biases."""
        fields = self._fields("binary_conv", x)
        weight = self._signs(out_channels, self.tensors[x].shape[1], *kernel)
        geometry = {"strides": strides, "pads": pads, "dilations": dilations, "pad_value": pad_value}
        bias = self._bias(x, weight.reshape(out_channels, -1))
        return self._ended(
            lambda ending: exact.BinaryConv(**fields, weight=weight, bias=bias, **geometry, ending=ending),  # type: ignore[arg-type]
            fields,
            out_channels,
            **keywords,
        )

    def binary_matmul(self, x: str, columns: int, **keywords: Any) -> str:
        """A 1-bit tensor's last dimension by random (K, columns) signs."""
        fields = self._fields("binary_matmul", x)
        weight = self._signs(self.tensors[x].shape[-1], columns)
        bias = self._bias(x, weight.T)
        return self._ended(
            lambda ending: exact.BinaryMatMul(**fields, weight=weight, bias=bias, ending=ending),
            fields,
            columns,
            **keywords,
        )

    def requantize(self, x: str, **keywords: Any) -> str:
        """A standalone requantization, such as a ReLU with `lo=zero_point`."""
        fields = self._fields("requantize", x)
        return self._requantized(lambda requant: exact.Requantize(**fields, requant=requant), fields, 1, **keywords)

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
