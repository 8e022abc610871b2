"""The code of kernels/binary_conv.py. Import this module only inside `Kernel.prim_func`: it imports tvm."""

from __future__ import annotations

from contextlib import nullcontext
from typing import TYPE_CHECKING, Any

from tinsmith_backends.cpu.kernels.binary_counts import counts
from tinsmith_backends.cpu.kernels.binary_ending import ending
from tinsmith_backends.cpu.kernels.binary_gather import BinaryGather
from tinsmith_backends.cpu.kernels.binary_sums import Sums
from tinsmith_backends.cpu.kernels.emit import signature
from tinsmith_backends.cpu.kernels.vector import Expr, const, minimum, splat

if TYPE_CHECKING:
    from tinsmith_backends.cpu.kernels.binary_conv import BinaryConv


class BinaryConvEmitter:
    """Emits one kernel. All of scratch is read and written as uint32."""

    def __init__(self, kernel: BinaryConv) -> None:
        self.kernel, self.shape = kernel, kernel.shape
        self.f, self.k = signature(kernel)
        self.scratch, self.w = self.f.view(self.k.scratch, "uint32"), self.f.view(self.k.w, "uint32")
        self.zero = self.f.opaque_zero(self.k.shift)

    def function(self) -> Any:
        """The whole kernel."""
        f, s, kernel = self.f, self.shape, self.kernel
        rows, pixels = kernel.tile.rows, s.ho * s.wo
        tiles = -(-pixels // rows)
        gather = self.gather()
        finish = ending(f, self.k, self.scratch, kernel)
        with f.loop(-(-tiles // kernel.band), "band") as band:
            start = f.let(band * kernel.band, "start")
            count = kernel.band if tiles % kernel.band == 0 else f.let(minimum(tiles - start, kernel.band), "count")

            def first(tile: Expr) -> Expr:
                """The first pixel of a tile; the last tile starts earlier instead of being smaller."""
                at = (start + tile) * rows
                return f.let(minimum(at, const(pixels - rows)) if pixels % rows else at, "pixel")

            with f.loop(count, "tile") as tile, f.loop(rows, "row") as row:
                gather.window(f.let(first(tile) + row, "pixel"), f.let(tile * rows + row, "place"))
            with f.loop(kernel.blocks, "block") as block, f.loop(count, "tile") as tile:
                self.block(block, tile)
            with f.loop(count, "tile") as tile, f.loop(rows, "row") as row:
                finish.finish(f.let(first(tile) + row, "pixel"), f.let(tile * rows + row, "place"))
        return f.finish()

    def gather(self) -> BinaryGather:
        """What makes windows ready."""
        return BinaryGather(self.f, self.k, self.scratch, self.kernel)

    def block(self, block: Expr, tile: Expr) -> None:
        """The counts of one register tile."""
        Block(self, block, tile).emit()


class Block:
    """The chains of one register tile: all rows by the columns of one block."""

    def __init__(self, emitter: BinaryConvEmitter, block: Expr, tile: Expr) -> None:
        self.emitter, self.f = emitter, emitter.f
        kernel = emitter.kernel
        self.counts = counts(self.f, kernel.isa)
        self.kernel, self.chain, self.width = kernel, kernel.chain, kernel.lanes.words
        self.rows, self.columns = kernel.tile.rows, kernel.tile.columns
        self.x_at = self.f.let(tile * (self.rows * kernel.window_words) + emitter.zero, "x_at")
        place = kernel.counts_at + tile * (self.rows * kernel.pitch)
        self.counts_at = self.f.let(place + block * self.columns, "counts_at")
        # An opaque zero that depends on the tile: or else all weights of a block would be loaded in front of its loop.
        self.w_at = self.f.let(block * (self.columns * kernel.window_words) + tile * emitter.zero, "w_at")
        outputs = self.rows * self.columns
        self.states = [self.f.registers("uint32", self.width, outputs) for _ in range(self.chain.levels + 1)]
        self.waiting: dict[tuple[int, int], Expr] = {}

    def emit(self) -> None:
        """First vectors, the steps, and what is left in the states."""
        chain, body, room = self.chain, self.kernel.lanes.body, self.kernel.lanes.room
        self._start()
        sums = Sums(self.counts, self.kernel)
        turns, rest = divmod(chain.steps, body)
        most = max(1, room // (body >> chain.levels))
        parts = turns // most if turns > most or (turns == most and rest) else 0
        if parts > 1:
            sums.clear()
        with self.f.loop(parts, "part") if parts else nullcontext(const(0)) as part:
            if parts:
                sums.begin()
                self._turns(sums, part * (most * body), most)
                sums.flush(first=parts == 1)
        done = parts * most * body
        sums.begin()
        self._turns(sums, const(done), turns - parts * most)
        self._steps(sums, const(turns * body), rest)
        if not sums.narrow:
            sums.flush(first=not parts)
        self._finish(sums)

    def _x(self, row: int, vector: Expr) -> Expr:
        at = vector * self.width + (row * self.kernel.window_words)
        return self.f.let(self.emitter.scratch.load(self.x_at + at, self.width), "x")

    def _w(self, at: Expr) -> Expr:
        return self.f.let(self.emitter.w.load(self.w_at + at, self.width), "w")

    def _start(self) -> None:
        """States before the first step."""
        first = [self._x(row, 0) for row in range(self.rows)]
        for column in range(self.columns):
            w = self._w(column * self.width)
            for row in range(self.rows):
                self.states[0][row * self.columns + column] = first[row] ^ w
        for states in self.states[1:]:
            for i in range(self.rows * self.columns):
                states[i] = splat(const(0, "uint32"), self.width)

    def _turns(self, sums: Sums, first: Expr, count: int) -> None:
        if not count:
            return
        body = self.kernel.lanes.body
        with self.f.loop(count, "turn") as turn:
            self._steps(sums, self.f.let(first + turn * body, "step"), body)

    def _steps(self, sums: Sums, first: Expr, count: int) -> None:
        """`count` steps from an even one on."""
        pair = 2 * self.width
        for step in range(count):
            at = (first + step) * (pair * self.columns) + self.columns * self.width
            w: list[list[Expr]] = []
            for row in range(self.rows):
                x = [self._x(row, first * 2 + (2 * step + 1 + i)) for i in (0, 1)]
                for column in range(self.columns):
                    if self.kernel.lanes.ordered:
                        self.f.settle(self.w_at)
                    if row == 0:
                        w.append([self._w(at + (column * pair + i * self.width)) for i in (0, 1)])
                    self._add(sums, (row, column), x, w[column], step)

    def _add(self, sums: Sums, output: tuple[int, int], x: list[Expr], w: list[Expr], step: int) -> None:
        """The full adder of the first level."""
        f, i = self.f, self._index(output)
        state = f.let(self.states[0][i], "state")
        odd, following = f.let(x[0] ^ w[0], "odd"), f.let(x[1] ^ w[1], "following")
        self.states[0][i] = following
        self._carry(sums, output, 1, f.let(self.counts.select(odd, following, state), "carry"), step)

    def _carry(self, sums: Sums, output: tuple[int, int], level: int, value: Expr, number: int) -> None:
        """Carry `number` (from an even one on) of the adder below: into the adder of `level`, or counted."""
        if level > self.chain.levels:
            sums.carry(output, value, complemented=number % 2 == 1)
            return
        f, i = self.f, self._index(output)
        key = (level, i)
        if key not in self.waiting:
            self.waiting[key] = value
            return
        pair = (self.waiting.pop(key), value)
        state = f.let(self.states[level][i], "state")
        differ = f.let(pair[0] ^ value, "differ")
        self.states[level][i] = state ^ differ
        number //= 2
        self._carry(
            sums, output, level + 1, f.let(self.counts.select(differ, pair[number % 2], state), "carry"), number
        )

    def _index(self, output: tuple[int, int]) -> int:
        return output[0] * self.columns + output[1]

    def _finish(self, sums: Sums) -> None:
        """What is left, by weight from above; then the counts to scratch."""
        chain, steps = self.chain, self.chain.steps
        for level in range(chain.levels, -1, -1):
            sums.double()
            if chain.pending(level):
                sums.add(lambda o, level=level: self.waiting.pop((level, self._index(o))))  # type: ignore[misc]
            if level == 0 and chain.extra:
                self._extra(sums)
            if steps >> level or level == 0:
                complemented = chain.ends_complemented(level)
                sums.add(lambda o, level=level: self.states[level][self._index(o)], complemented)  # type: ignore[misc]
        sums.store(self.emitter.scratch, self.counts_at, self.kernel.pitch)

    def _extra(self, sums: Sums) -> None:
        last = self.chain.vectors - 1
        x = [self._x(row, last) for row in range(self.rows)]
        w = [self._w((last * self.columns + column) * self.width) for column in range(self.columns)]
        sums.add(lambda o: self.f.let(x[o[0]] ^ w[o[1]], "extra"))
