"""The code of kernels/shift_tiled.py. Import this module only inside `Kernel.prim_func`: it imports tvm."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tinsmith_backends.cpu.kernels.conv_gather import Gather
from tinsmith_backends.cpu.kernels.emit import signature
from tinsmith_backends.cpu.kernels.pack_bits import SignRows
from tinsmith_backends.cpu.kernels.requant_simd import Requantizer
from tinsmith_backends.cpu.kernels.shift_codes import run_bytes
from tinsmith_backends.cpu.kernels.shift_decode import Decoder
from tinsmith_backends.cpu.kernels.vector import Expr, const, minimum

if TYPE_CHECKING:
    from tinsmith_backends.cpu.kernels.shift_tiled import ShiftTiled


class ShiftTiledEmitter:
    """Emits one kernel."""

    def __init__(self, kernel: ShiftTiled) -> None:
        self.kernel, self.shape = kernel, kernel.shape
        self.f, self.k = signature(kernel, {"scratch": kernel.element})
        self.requantize = Requantizer(self.f, kernel.isa, self.k, wide=self.shape.wide)
        self.gather = Gather(self.f, self.k, kernel)
        self.decoder = Decoder(self.f, kernel.isa, self.shape.bits, kernel.element)
        self.zero = self.f.opaque_zero(self.k.shift)
        first, rows = kernel.sign_start, kernel.section
        packed = self.shape.packed
        self.signs = SignRows(self.f, kernel.isa, self.k.scratch, first, rows, self.shape.cout) if packed else None

    def function(self) -> Any:
        """The whole kernel."""
        s, f, kernel = self.shape, self.f, self.kernel
        pixels, section = s.ho * s.wo, kernel.section
        if not kernel.direct:
            self._clear_padding()
        with f.loop(-(-pixels // section), "section") as number:
            start = self._start(number, section, pixels)
            with f.loop(s.group, "group") as group:
                if not kernel.direct:
                    self.gather.windows(start, group, section)
                with f.loop(kernel.blocks // kernel.panel, "panel") as panel:
                    self._panel(group, start, panel)
            if self.signs:
                self.signs.pack(self.k.y, start)
        return f.finish()

    def _start(self, number: Expr, width: int, total: int) -> Expr:
        """Where piece `number` starts; the last one starts earlier where it would end behind `total`."""
        first = number * width
        return self.f.let(minimum(first, const(total - width)) if total % width else first, "start")

    def _clear_padding(self) -> None:
        """Zeros behind each window, where the multiplication reads more than there is."""
        f, kernel = self.f, self.kernel
        with f.loop(kernel.section, "row") as row:
            for at in range(kernel.window, kernel.padded_depth):
                self.k.scratch.store(row * kernel.padded_depth + at, const(0, kernel.element))

    def _panel(self, group: Expr, start: Expr, panel: Expr) -> None:
        """Decode a panel, then multiply all pixels of the section by it."""
        f, k, kernel = self.f, self.k, self.kernel
        number = group * (kernel.blocks // kernel.panel) + panel
        source = f.let(number * (kernel.panel_runs * run_bytes(self.shape.bits)), "source")
        self.decoder.runs(k.w, source, k.scratch, kernel.windows_elements, kernel.panel_runs)
        rows = kernel.tile.rows
        with f.loop(-(-kernel.section // rows), "tile") as tile, f.loop(kernel.panel, "of_panel") as of_panel:
            at = self._start(tile, rows, kernel.section)
            first = f.let(start + at, "pixel")
            if kernel.direct:
                a, addresses = k.x, [self.gather.address(first + m, group) for m in range(rows)]
            else:
                a, addresses = k.scratch, [f.let((at + m) * kernel.padded_depth, "row") for m in range(rows)]
            place = (group, first, f.let(panel * kernel.panel + of_panel, "block"))
            kernel._block(f, k, (a, addresses, self.zero), place, self.requantize, self.signs, at)
