"""Copies the windows of a convolution's output pixels to scratch, one row a pixel, padding as the zero point.

Import this module only inside `Kernel.prim_func`: it imports tvm.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from tvm import tirx

from tinsmith_backends.cpu.kernels.isa import ISAS
from tinsmith_backends.cpu.kernels.vector import Expr, Function, cast, const, splat

if TYPE_CHECKING:
    from tinsmith_backends.cpu.kernels.conv_tiled import TiledConv

_UNROLLED = 4
"""Copies of up to this many vectors are written out; longer ones are loops."""


class Gather:
    """The gather of one kernel."""

    def __init__(self, f: Function, arguments: Any, kernel: TiledConv) -> None:
        self._f = f
        self._k = arguments
        self._kernel = kernel
        self._shape = kernel.shape
        # Vectors of as many elements as one register holds, widened.
        self._chunk = max(1, ISAS[kernel.isa].vector_bytes // np.dtype(kernel.element).itemsize)
        # Only copies that do not widen could become calls of memcpy.
        self._zero = f.opaque_zero(arguments.shift) if kernel.element != "int16" else 0

    def clear_padding(self, rows: int) -> None:
        """Fill what `windows` never writes: the end of each row, whose weights are zero."""
        kernel = self._kernel
        for row in range(rows):
            for at in range(kernel.window, kernel.padded_depth):
                self._k.scratch.store(row * kernel.padded_depth + at, const(0, kernel.element))

    def address(self, pixel: Expr, group: Expr) -> Expr:
        """Index in x of the first input of an output pixel, for a window of one pixel without padding."""
        s = self._shape
        if s.stride_h == s.stride_w == 1 and s.wo == s.w:
            return self._f.let(pixel * s.cin + group * self._kernel.inputs, "row")
        oh, ow = self._place(pixel)
        at = (oh * s.stride_h * s.w + ow * s.stride_w) * s.cin
        return self._f.let(at + group * self._kernel.inputs, "row")

    def windows(self, first: Expr, group: Expr, rows: int) -> None:
        """Copy the windows of `rows` pixels from `first` on."""
        with self._f.loop(rows, "row") as row:
            self._window(self._f.let(first + row), group, self._f.let(row * self._kernel.padded_depth, "to"))

    def _place(self, pixel: Expr) -> tuple[Expr, Expr]:
        if self._shape.ho == 1:
            return const(0), pixel
        oh = self._f.let(tirx.truncdiv(pixel, const(self._shape.wo)), "oh")
        return oh, self._f.let(pixel - oh * self._shape.wo, "ow")

    def _window(self, pixel: Expr, group: Expr, to: Expr) -> None:
        f, s = self._f, self._shape
        oh, ow = self._place(pixel)
        ih = f.let(oh * s.stride_h - s.top, "ih")
        iw = f.let(ow * s.stride_w - s.left, "iw")
        reach_h, reach_w = (s.kh - 1) * s.dilation_h, (s.kw - 1) * s.dilation_w
        safe_h = s.top == 0 and (s.ho - 1) * s.stride_h + reach_h < s.h
        safe_w = s.left == 0 and (s.wo - 1) * s.stride_w + reach_w < s.w
        if safe_h and safe_w:
            self._inner(ih, iw, group, to)
            return
        inside = _both(_both(ih >= 0, ih + reach_h < s.h), _both(iw >= 0, iw + reach_w < s.w))
        with f.when(inside):
            self._inner(ih, iw, group, to)
        with f.otherwise():
            self._border(ih, iw, group, to)

    def _inner(self, ih: Expr, iw: Expr, group: Expr, to: Expr) -> None:
        """A window that lies wholly in the image; taps in one row of it are neighbours in memory where possible."""
        f, s, inputs = self._f, self._shape, self._kernel.inputs
        joined = s.kw if s.dilation_w == 1 and s.group == 1 else 1
        with f.loop(s.kh, "i") as i, f.loop(s.kw // joined, "j") as j:
            at = ((ih + i * s.dilation_h) * s.w + iw + j * s.dilation_w) * s.cin + group * inputs
            self._copy(f.let(at, "from"), f.let(to + (i * s.kw + j * joined) * inputs, "to"), joined * inputs)

    def _border(self, ih: Expr, iw: Expr, group: Expr, to: Expr) -> None:
        f, s, inputs = self._f, self._shape, self._kernel.inputs
        with f.loop(s.kh, "i") as i, f.loop(s.kw, "j") as j:
            h = f.let(ih + i * s.dilation_h, "h")
            w = f.let(iw + j * s.dilation_w, "w")
            tap = f.let(to + (i * s.kw + j) * inputs, "to")
            with f.when(_both(_both(h >= 0, h < s.h), _both(w >= 0, w < s.w))):
                self._copy(f.let((h * s.w + w) * s.cin + group * inputs, "from"), tap, inputs)
            with f.otherwise():
                self._fill(tap, inputs)

    def _copy(self, source: Expr, to: Expr, count: int) -> None:
        def move(at: Expr, lanes: int) -> None:
            element = self._kernel.element if lanes == 1 else f"{self._kernel.element}x{lanes}"
            self._k.scratch.store(to + at, cast(element, self._k.x.load(source + at, lanes)), lanes)

        self._cover(count, move)

    def _fill(self, to: Expr, count: int) -> None:
        value = cast(self._kernel.element, self._k.x_zp)

        def move(at: Expr, lanes: int) -> None:
            self._k.scratch.store(to + at, splat(value, lanes), lanes)

        self._cover(count, move)

    def _cover(self, count: int, move: Any) -> None:
        """Call `move(at, lanes)` until 0..count-1 is covered; the last vector overlaps the one before it."""
        lanes = min(self._chunk, 1 << (count.bit_length() - 1))
        whole = count // lanes
        if whole > _UNROLLED:
            with self._f.loop(whole, "chunk") as chunk:
                move(self._f.let(chunk * (self._zero + lanes), "at"), lanes)
        else:
            for chunk in range(whole):
                move(chunk * lanes, lanes)
        if count % lanes:
            move(count - lanes, lanes)


def _both(a: Any, b: Any) -> Any:
    return tirx.And(a, b)
