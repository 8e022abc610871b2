"""Clocks of the window formers and of the rows that they hold."""

from __future__ import annotations

from collections.abc import Mapping

from tinsmith_backends.rtl.clock_models.model import Flags, Ports


class Rows:
    """tsm_rows."""

    def __init__(self, p: Mapping[str, int]) -> None:
        self.h, self.stride, self.top, self.rows = p["H"], p["SH"], p["TOP"], p["ROWS"]
        self.span = (p["KH"] - 1) * p["DH"] + 1
        self.last_base = (p["OH"] - 1) * self.stride - self.top
        self.base, self.first, self.held, self.freeing = -self.top, 0, 0, False
        self.used = max(self.span, self.stride)

    @property
    def ready(self) -> bool:
        """Everything for an output row is there."""
        return not self.freeing and self.held > min(self.base + self.span, self.h) - 1 - self.first

    def clock(self, row_in: bool, row_out: bool) -> None:
        """One edge."""
        self.freeing |= row_out
        last, following = self.base == self.last_base, self.base + self.stride
        next_first = self.h if last else min(max(following, 0), self.h)
        freed = next_first - self.first
        if self.freeing and self.held >= freed:
            self.freeing = False
            self.held -= freed
            self.base, self.first = (-self.top, 0) if last else (following, next_first)
        self.held += row_in


class Window:
    """tsm_window."""

    def __init__(self, p: Mapping[str, int], ports: Ports) -> None:
        self.s, self.m, self.idle = ports["s"], ports["m"], False
        self.rows = Rows(p)
        self.row_words = p["W"] * p["WORDS"]
        self.row_reads = p["OW"] * p["KH"] * p["KW"] * p["WORDS"]
        self.word = self.reads = 0

    def clock(self, valid: Flags, ready: Flags) -> None:
        """See `Model`."""
        rows = self.rows
        ready[self.s] = rows.held != rows.rows
        row_in = row_out = False
        if valid[self.s] and ready[self.s]:
            rows.used = max(rows.used, rows.held + 1)
            self.word += 1
            if row_in := self.word == self.row_words:
                self.word = 0
        if not valid[self.m] or ready[self.m]:
            valid[self.m] = rows.ready
            if rows.ready:
                self.reads += 1
                if row_out := self.reads == self.row_reads:
                    self.reads = 0
        if row_in or row_out or rows.freeing:
            rows.clock(row_in, row_out)
        self.idle = not (valid[self.m] or rows.freeing or rows.ready)


class Slide:
    """tsm_slide."""

    def __init__(self, p: Mapping[str, int], ports: Ports) -> None:
        self.s, self.m, self.idle = ports["s"], ports["m"], False
        self.rows = None if p["KH"] == 1 and p["SH"] == 1 and p["TOP"] == 0 else Rows(p)
        self.queue, self.level = p["QUEUE"], 0
        words, w = p["WORDS"], p["W"]
        span = (p["KW"] - 1) * p["DW"] + 1
        first = span - 1 - p["LEFT"]
        gives = {first + x * p["SW"] for x in range(p["OW"])}
        columns = range(max(max(gives) + 1, w))
        emits = [column in gives for column in columns for _ in range(words)]
        self.words, self.row_words = words, w * words
        self.emits, self.tail_emits = emits[: self.row_words], emits[self.row_words :]
        self.word = self.address = self.empty = 0
        self.tail = len(self.tail_emits)
        self.moved = self.first_emits = False

    def clock(self, valid: Flags, ready: Flags) -> None:
        """See `Model`."""
        row_ok, word_ok, row_in = self._arrive(valid, ready)
        row_out = False
        if not valid[self.m] or ready[self.m]:
            valid[self.m] = self.moved and self.first_emits
            between, tail = self.address == 0, self.tail < len(self.tail_emits)
            read = word_ok if not between else row_ok and self.empty == 0
            self.moved = read or self.empty > 0 or (between and tail)
            if self.moved:
                self.first_emits = self.tail_emits[self.tail] if tail else read and self.emits[self.address]
                self.tail += tail
                self.empty = 0 if read else (self.empty + 1) % self.words
            if read:
                self.level -= 1
                self.address += 1
                if row_out := self.address == self.row_words:
                    self.address = self.tail = 0
        if self.rows and (row_in or row_out or self.rows.freeing):
            self.rows.clock(row_in, row_out)

    def _arrive(self, valid: Flags, ready: Flags) -> tuple[bool, bool, bool]:
        """Whether a row may begin, whether its next word may be read, and whether a row is complete with this edge."""
        if self.rows is None:
            need = max(len(self.tail_emits), 1) if self.tail < len(self.tail_emits) else 1
            row_ok, word_ok = self.level >= need, self.level != 0
            ready[self.s] = self.level != self.queue
            self.level += valid[self.s] and ready[self.s]
            return row_ok, word_ok, False
        row_ok = self.rows.ready
        ready[self.s] = self.rows.held != self.rows.rows
        if not (valid[self.s] and ready[self.s]):
            return row_ok, True, False
        self.rows.used = max(self.rows.used, self.rows.held + 1)
        self.word = (self.word + 1) % self.row_words
        return row_ok, True, self.word == 0
