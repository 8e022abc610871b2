"""What every builder of exact graphs for tests stands on: names, scales, limits, and layers proved one by one."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
from tinsmith.errors import Problems
from tinsmith.ir import exact
from tinsmith.ir.exact import Accumulator, Ending, Layer, Requantization, Tensor, Threshold, bit_tensor
from tinsmith.ir.shapes import output_shape
from tinsmith.numerics.ranges import Interval, accumulator, prove_layer, true_interval
from tinsmith.numerics.requantize import choose_requantization

Precision = Literal["chosen", "wide", "power-of-two"]
Pair = tuple[int, int]
Pads = tuple[int, int, int, int]

LIMITS = {"uint8": (0, 255), "int8": (-128, 127), "int16": (-32768, 32767)}
BITS: dict[str, Literal[8, 16]] = {"uint8": 8, "int8": 8, "int16": 16}


class NetBase:
    """An exact graph under construction, without kinds of layers: `Net` (exact_net.py) and `BitLayers` have those."""

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
        if bits == 32:
            scale = float(np.float32(self.rng.uniform(1e-6, 1e-3)))
            return self._add(make(Accumulator()), Tensor(fields["output"], (), "int32", scale))
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
        ratio = (
            gain
            * (2 ** BITS[dtype] - 1)
            / np.maximum(np.abs(acc.hi - acc.lo), 1)
            * self.rng.uniform(0.5, 1.5, acc.lo.shape)
        )
        requant = self._choose(ratio, acc, unit, precision, BITS[dtype])
        scale = float(np.float32(self.rng.uniform(0.01, 0.1)))
        output = Tensor(fields["output"], (), dtype, scale, zero_point, least, most, BITS[dtype])  # type: ignore[arg-type]
        return self._add(make(requant), output)

    @staticmethod
    def _choose(ratio: Any, acc: Interval, unit: Requantization, precision: Precision, bits: int) -> Requantization:
        numbers = {"zero_point": unit.zero_point, "lo": unit.lo, "hi": unit.hi, "bits": bits}
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
        """float32 → 8 or 16 bit."""
        fields = self._fields("quantize", x)
        grid = (dtype, float(np.float32(scale)), zero_point, *LIMITS[dtype], BITS[dtype])
        output = Tensor(fields["output"], (), *grid)  # type: ignore[arg-type]
        return self._add(exact.Quantize(**fields), output)

    def dequantize(self, x: str) -> str:
        """8 bit → float32; becomes a graph output."""
        return self._output(exact.Dequantize(**self._fields("dequantize", x)), "float32")

    def _output(self, layer: Layer, dtype: str, shape: tuple[int, ...] = ()) -> str:
        self.outputs.append(layer.output)
        return self._add(layer, Tensor(layer.output, shape, dtype))  # type: ignore[arg-type]

    def _bias(self, x: str, rows: npt.NDArray[np.integer]) -> npt.NDArray[np.int32]:
        lo, hi = true_interval(self.tensors[x])
        reach = np.abs(rows.astype(np.int64)).sum(axis=1) * (hi - lo) // 4
        return self.rng.integers(-reach - 1, reach + 2).astype(np.int32)
