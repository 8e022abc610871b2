"""Builders of layers of one bit, of powers of two, and of what stands between them."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
from exact_base import LIMITS, NetBase, Pads, Pair
from tinsmith.ir import exact
from tinsmith.ir.exact import bit_tensor
from tinsmith.numerics.ranges import accumulator, true_interval


class BitLayers(NetBase):
    """Layers that trained methods lead to; keywords as for `Net`."""

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

    def binary_max_pool(
        self, x: str, kernel: Pair, strides: Pair = (1, 1), pads: Pads = (0, 0, 0, 0), dilations: Pair = (1, 1)
    ) -> str:
        """A maximum over windows of a 1-bit tensor, a minimum in channels of random choice."""
        fields = self._fields("binary_max_pool", x)
        sign = self._signs(self.tensors[x].shape[1])
        geometry = {"kernel": kernel, "strides": strides, "pads": pads, "dilations": dilations}
        layer = exact.BinaryMaxPool(**fields, **geometry, sign=sign)  # type: ignore[arg-type]
        return self._add(layer, bit_tensor(fields["output"], ()))

    def _shifts(self, bits: int, *shape: int) -> exact.Int16Array:
        """Every power that `bits` allow, of either sign; with `extreme` only the largest."""
        largest = 2 ** (bits - 1) - 1
        exponent = np.full(shape, largest) if self.extreme else self.rng.integers(0, largest + 1, shape)
        return (self._signs(*shape) * 2**exponent).astype(np.int16)

    def shift_conv(
        self,
        x: str,
        out_channels: int,
        kernel: Pair = (3, 3),
        strides: Pair = (1, 1),
        pads: Pads = (0, 0, 0, 0),
        dilations: Pair = (1, 1),
        group: int = 1,
        weight_bits: int = 3,
        **keywords: Any,
    ) -> str:
        """A convolution with random weights of ±2**S in `weight_bits` bits."""
        fields = self._fields("shift_conv", x)
        weight = self._shifts(weight_bits, out_channels, self.tensors[x].shape[1] // group, *kernel)
        geometry = {"strides": strides, "pads": pads, "dilations": dilations, "group": group, "bits": weight_bits}
        bias = self._bias(x, weight.reshape(out_channels, -1))
        return self._ended(
            lambda ending: exact.ShiftConv(**fields, weight=weight, bias=bias, **geometry, ending=ending),  # type: ignore[arg-type]
            fields,
            out_channels,
            **keywords,
        )

    def shift_matmul(self, x: str, columns: int, weight_bits: int = 3, **keywords: Any) -> str:
        """A matrix product of the last dimension by a random (K, columns) constant of ±2**S."""
        fields = self._fields("shift_matmul", x)
        weight = self._shifts(weight_bits, self.tensors[x].shape[-1], columns)
        numbers = {"bits": weight_bits, "bias": self._bias(x, weight.T)}
        return self._ended(
            lambda ending: exact.ShiftMatMul(**fields, weight=weight, **numbers, ending=ending),  # type: ignore[arg-type]
            fields,
            columns,
            **keywords,
        )

    def piecewise_linear(
        self,
        x: str,
        axis: int = 1,
        *,
        dtype: str = "uint8",
        zero_point: int = 0,
        lo: int | None = None,
        hi: int | None = None,
        gain: float = 1.5,
    ) -> str:
        """Two pieces of random slope and offset in each channel; with `extreme`, sums of nearly 31 bits."""
        fields = self._fields("piecewise_linear", x)
        span, channels = true_interval(self.tensors[x]), self.tensors[x].shape[axis]
        least, most = LIMITS[dtype]
        least, most = least if lo is None else lo, most if hi is None else hi
        shift = 22 if self.extreme else int(self.rng.integers(8, 20))
        step = gain * 255 / (span[1] - span[0] + 1) * 2**shift
        multiplier = np.rint(self.rng.uniform(-step, step, (2, channels)))
        offset = np.rint(self.rng.uniform(-100, 100, (2, channels)) * 2**shift)
        knee = self.rng.integers(span[0] - 5, span[1] + 6, channels)
        vectors = {"knee": knee, "multiplier": multiplier, "offset": offset}
        layer = exact.PiecewiseLinear(
            **fields,
            **{name: vector.astype(np.int32) for name, vector in vectors.items()},
            axis=axis,
            shift=shift,
            zero_point=zero_point,
            lo=least,
            hi=most,
        )
        scale = float(np.float32(self.rng.uniform(0.01, 0.1)))
        return self._add(layer, exact.Tensor(fields["output"], (), dtype, scale, zero_point, least, most))  # type: ignore[arg-type]

    def multiply(
        self, a: str, b: str | None = None, axis: int = 1, factor_shape: tuple[int, ...] = (), **keywords: Any
    ) -> str:
        """A product by the tensor `b`, or by random constants of `factor_shape`; biases for each channel."""
        fields = self._fields("multiply", a) if b is None else self._fields("multiply", a, b)
        channels = self.tensors[a].shape[axis]
        factor = self.rng.integers(-127, 128, factor_shape).astype(np.int8) if b is None else None
        bias = self.rng.integers(-5000, 5001, channels).astype(np.int32)
        return self._ended(
            lambda ending: exact.Multiply(**fields, axis=axis, factor=factor, bias=bias, ending=ending),
            fields,
            channels,
            **keywords,
        )

    def absolute_sum(self, x: str, axes: tuple[int, ...] = (1, 2, 3), **keywords: Any) -> str:
        """Sums of magnitudes over `axes`."""
        fields = self._fields("absolute_sum", x)
        return self._requantized(
            lambda ending: exact.AbsoluteSum(**fields, axes=axes, requant=ending), fields, 1, **keywords
        )
