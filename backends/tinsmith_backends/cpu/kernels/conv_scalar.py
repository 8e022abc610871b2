"""Convolution, grouped convolution and matrix product in plain loops, for the C target, and for rare types on all.

The window of two output pixels is gathered into scratch, padding as the zero point, and a 2×4 tile multiplies it with
four rows of weights. The innermost loop is a plain sum over k, which C compilers vectorize.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt

from tinsmith_backends.cpu.kernels.base import ConvShape, Isa, Packed, Shape, WeightedKernel
from tinsmith_backends.cpu.kernels.bits import sign_bytes
from tinsmith_backends.zero_points import folded_bias

PIXELS = 2
CHANNELS = 4


@dataclass(frozen=True)
class ConvScalar(WeightedKernel):
    """`weight` stays (Cout, kh, kw, Cin / group); `x_zero_point * sum(weight)` is subtracted from the bias."""

    kind: ClassVar[str] = "conv"
    shape: ConvShape
    isa: Isa

    @classmethod
    def supports(cls, kind: str, shape: Shape, isa: Isa) -> bool:
        """Every convolution and matrix product on the scalar target."""
        return isa == "scalar" and kind in ("conv", "matmul", "depthwise") and isinstance(shape, ConvShape)

    @property
    def depth(self) -> int:
        """Products in one output element."""
        return self.shape.kh * self.shape.kw * self.shape.cin // self.shape.group

    @property
    def x_bits(self) -> int:
        """Of an input, and of the windows in scratch."""
        return getattr(self.shape, "x_bits", 8)

    @property
    def y_bits(self) -> int:
        """Of an output that is not packed."""
        return getattr(self.shape, "y_bits", 8)

    @property
    def types(self) -> str:
        """What comes in and goes out, as names of kernels say it."""
        x, y = f"s{self.x_bits}", "b1" if self.shape.packed else f"s{self.y_bits}"
        return x if x == y else f"{x}_{y}"

    @property
    def name(self) -> str:
        """See docs/add-a-kernel.md."""
        return f"{self.types}_conv_{PIXELS}x{CHANNELS}_{self.isa}"

    @property
    def sign_start(self) -> int:
        """Where the signs start in scratch, behind the windows."""
        return min(PIXELS, self.shape.wo) * self.depth * self.x_bits // 8

    @property
    def scratch_bytes(self) -> int:
        """The gathered windows, and the signs of their pixels where the output is bits."""
        signs = sign_bytes(min(PIXELS, self.shape.wo), self.shape.cout) if self.shape.packed else 0
        return self.sign_start + signs

    def pack(
        self,
        weight: npt.NDArray[np.int8],
        bias: npt.NDArray[np.int32],
        multiplier: npt.NDArray[np.int32],
        x_zero_point: int,
    ) -> Packed:
        """Weights as they are; the bias wraps like the sum that it is added to."""
        folded = folded_bias(weight, bias, x_zero_point).astype("<i4")
        return Packed(weight.tobytes(), folded.tobytes(), multiplier.astype("<i4").tobytes())

    def _begin(self) -> tuple[Any, Any]:
        """The empty function and its parameters, with the windows in scratch and the step of a copy among them.

        Compilers of C may call memcpy for a copy; code that LLVM makes here must not.
        """
        from tinsmith_backends.cpu.kernels.emit import signature

        k: Any
        f, k = signature(self)
        k.windows = f.view(k.scratch, "int16") if self.x_bits == 16 else k.scratch
        k.step = 1 if self.isa == "scalar" else f.let(f.opaque_zero(k.x_zp + 128, 8) + 1, "step")
        return f, k

    def prim_func(self) -> Any:
        """Plain loops, for any code generator."""
        from tinsmith_backends.cpu.kernels.emit import blocks
        from tinsmith_backends.cpu.kernels.pack_bits import SignRows

        s, pixels = self.shape, min(PIXELS, self.shape.wo)
        f, k = self._begin()
        signs = SignRows(f, self.isa, k.scratch, self.sign_start, pixels, s.cout) if s.packed else None
        with f.loop(s.ho, "oh") as oh:
            for start, count, width in blocks(s.wo, (PIXELS, 1)):
                with f.loop(count, "tile") as tile:
                    ow = f.let(start + tile * width, "ow")
                    with f.loop(s.group, "group") as group:
                        self._tile(f, k, group, oh, ow, width, signs)
                    if signs:
                        signs.pack(k.y, oh * s.wo + ow, width)
        return f.finish()

    def _tile(self, f: Any, k: Any, group: Any, oh: Any, ow: Any, pixels: int, signs: Any) -> None:
        """Gather `pixels` neighbours in a row, then every output channel of the group, four at a time."""
        from tinsmith_backends.cpu.kernels.emit import blocks

        outputs = self.shape.cout // self.shape.group
        for pixel in range(pixels):
            self._gather(f, k, group, oh, ow + pixel, pixel * self.depth)
        for start, count, width in blocks(outputs, (CHANNELS, 1)):
            with f.loop(count, "block") as block:
                channel = f.let(group * outputs + start + block * width, "channel")
                self._multiply(f, k, (oh * self.shape.wo + ow), channel, pixels, width, signs=signs)

    def _gather(self, f: Any, k: Any, group: Any, oh: Any, ow: Any, at: int) -> None:
        """Copy the window of one output pixel to its place in scratch, `at` elements from the start."""
        from tvm import tirx

        from tinsmith_backends.cpu.kernels.vector import cast

        s = self.shape
        inputs = s.cin // s.group
        with f.loop(s.kh, "i") as i, f.loop(s.kw, "j") as j:
            ih = f.let(oh * s.stride_h - s.top + i * s.dilation_h, "ih")
            iw = f.let(ow * s.stride_w - s.left + j * s.dilation_w, "iw")
            to = at + (i * s.kw + j) * inputs
            inside = tirx.And(tirx.And(ih >= 0, ih < s.h), tirx.And(iw >= 0, iw < s.w))
            with f.when(inside), f.loop(inputs, "c") as c:
                k.windows.store(to + c * k.step, k.x.load((ih * s.w + iw) * s.cin + group * inputs + c))
            with f.otherwise(), f.loop(inputs, "c") as c:
                k.windows.store(to + c * k.step, cast(f"int{self.x_bits}", k.x_zp))

    def weight(self, f: Any, k: Any, channel: Any, n: int, d: Any) -> Any:
        """Weight number `d` of output channel `channel + n`, as int32."""
        from tinsmith_backends.cpu.kernels.emit import widened

        return f.let(widened(k.w.load((channel + n) * self.depth + d)), "w")

    def _multiply(
        self, f: Any, k: Any, pixel: Any, channel: Any, pixels: int, width: int, row: Any = 0, signs: Any = None
    ) -> None:
        """One register tile: `pixels` × `width` sums over the windows gathered in scratch from number `row` on."""
        from tinsmith_backends.cpu.kernels.emit import widened
        from tinsmith_backends.cpu.kernels.vector import cast

        # Unsigned, so that a partial sum that passes 2**31 before the bias brings it back is defined in C.
        acc = f.registers("uint32", 1, pixels * width)
        for n in range(width):
            for m in range(pixels):
                acc[m * width + n] = cast("uint32", k.bias.load(channel + n))
        with f.loop(self.depth, "d") as d:
            x = [f.let(widened(k.windows.load((row + m) * self.depth + d)), "x") for m in range(pixels)]
            for n in range(width):
                w = self.weight(f, k, channel, n, d)
                for m in range(pixels):
                    acc[m * width + n] = acc[m * width + n] + cast("uint32", x[m] * w)
        for m in range(pixels):
            for n in range(width):
                total = f.let(cast("int32", acc[m * width + n]), "total")
                if signs:
                    signs.store(row + m, channel + n, total)
                else:
                    self._store(f, k, pixel + m, channel + n, total)

    def _store(self, f: Any, k: Any, pixel: Any, channel: Any, total: Any) -> None:
        """What becomes of one sum."""
        from tinsmith_backends.cpu.kernels.emit import requantized

        element = f"int{self.y_bits}"
        y = requantized(f, total, k.multiplier.load(channel), k, wide=self.shape.wide, element=element)
        k.y.store(pixel * self.shape.cout + channel, y)
