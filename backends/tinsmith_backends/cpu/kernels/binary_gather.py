"""Gathers windows of packed bits to scratch and turns them into prefix XORs (binary_chain.py).

Import this module only inside `Kernel.prim_func`: it imports tvm.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from tinsmith_backends.cpu.kernels.base import ConvShape, Isa
from tinsmith_backends.cpu.kernels.bits import WORD, words
from tinsmith_backends.cpu.kernels.conv_gather import Gather
from tinsmith_backends.cpu.kernels.vector import Expr, Function, const, splat

if TYPE_CHECKING:
    from tinsmith_backends.cpu.kernels.binary_conv import BinaryConv

_UNROLLED = 24
"""Windows of up to this many vectors are written out; longer ones are loops."""


@dataclass(frozen=True)
class _Windows:
    """What `Gather` asks a kernel: a convolution of words, the tail of whole vectors included."""

    shape: ConvShape
    isa: Isa
    inputs: int
    window: int
    padded_depth: int
    element: str = "uint32"


class BinaryGather:
    """The windows of one kernel, `kernel.window_words` words each, from the start of scratch on."""

    def __init__(self, f: Function, arguments: Any, scratch: Any, kernel: BinaryConv) -> None:
        self._f, self._scratch, self._kernel = f, scratch, kernel
        self._copy = BitGather(f, arguments, scratch, kernel)

    def window(self, pixel: Expr, place: Expr) -> None:
        """The window of an output pixel as number `place` in scratch: its prefix XORs."""
        to = self._f.let(place * self._kernel.window_words, "window")
        self._copy.window(pixel, to)
        self._prefix(to)

    def _prefix(self, window: Expr) -> None:
        f, width = self._f, self._kernel.lanes.words
        count = self._kernel.chain.vectors - (1 if self._kernel.chain.extra else 0)
        if count < 2:
            return
        total = f.registers("uint32", width, 1)
        total[0] = self._scratch.load(window, width)

        def add(at: Expr) -> None:
            total[0] = total[0] ^ self._scratch.load(at, width)
            self._scratch.store(at, total[0], width)

        if count <= _UNROLLED:
            for k in range(1, count):
                add(window + k * width)
        else:
            with f.loop(count - 1, "k") as k:
                add(f.let(window + (k + 1) * width, "at"))


class BitGather(Gather):
    """Padding is +1, whose bits are 0, or -1: 1 in the bits of channels that exist."""

    def __init__(self, f: Function, arguments: Any, scratch: Any, kernel: BinaryConv) -> None:
        s = kernel.shape
        inputs = words(s.cin)
        shape = ConvShape(
            **{name: getattr(s, name) for name in vars(s) if name not in ("cin", "pad_value", "packed")},
            cin=inputs,
            group=1,
        )
        super().__init__(
            f,
            _Pointers(arguments.x, scratch, arguments.shift),
            _Windows(shape, kernel.isa, inputs, s.kh * s.kw * inputs, kernel.window_words),  # type: ignore[arg-type]
        )
        self._channels, self._minus = s.cin, s.pad_value == -1

    def window(self, pixel: Expr, to: Expr) -> None:
        """Copy one window to the word `to` of scratch, and clear what it does not fill."""
        for at in range(self._kernel.window, self._kernel.padded_depth):
            self._k.scratch.store(to + at, const(0, "uint32"))
        self._window(pixel, const(0), to)

    def _fill(self, to: Expr, count: int) -> None:
        ones = 0xFFFFFFFF if self._minus else 0
        tail = self._channels % WORD
        whole = count - 1 if tail else count

        def move(at: Expr, lanes: int) -> None:
            self._k.scratch.store(to + at, splat(const(ones, "uint32"), lanes), lanes)

        if whole:
            self._cover(whole, move)
        if tail:
            self._k.scratch.store(to + whole, const(ones & ((1 << tail) - 1), "uint32"))


@dataclass(frozen=True)
class _Pointers:
    x: Any
    scratch: Any
    shift: Any
