"""When each module of rtl/ takes and gives words: its handshakes clock by clock, without the data.

A model's `clock` is one rising edge. It sees which of its inputs are valid and which of its outputs are ready, says
which inputs it is ready for, and leaves in `valid` what its outputs offer behind the edge. Tests hold every model
against its module.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Protocol

from tinsmith_backends.rtl.instances import Parameter

Flags = list[bool]
"""Valid or ready of each stream of the machine."""
Ports = Mapping[str, int]
"""Index of a stream, by port prefix."""


class Model(Protocol):
    """A module between two edges.

    Attributes:
        s: a stream in.
        idle: whether an edge changes nothing while no word is offered at `s`.
    """

    s: int
    idle: bool

    def clock(self, valid: Flags, ready: Flags) -> None:
        """One edge: reads valid of inputs and ready of outputs; sets ready of inputs and the next valid of outputs."""
        ...


class Fifo:
    """tsm_fifo."""

    def __init__(self, p: Mapping[str, int], ports: Ports) -> None:
        self.s, self.m, self.idle = ports["s"], ports["m"], False
        self.depth = p["DEPTH"]
        self.level = self.used = 0

    def clock(self, valid: Flags, ready: Flags) -> None:
        """See `Model`."""
        level = self.level
        ready[self.s] = level != self.depth
        if valid[self.s] and level != self.depth:
            self.level += 1
            self.used = max(self.used, self.level)  # the word that leaves with this edge still has its place
        self.level -= level != 0 and ready[self.m]
        valid[self.m] = self.level != 0
        self.idle = self.level == 0


class Pack:
    """tsm_gearbox to wider words."""

    def __init__(self, p: Mapping[str, int], ports: Ports) -> None:
        self.s, self.m, self.idle = ports["s"], ports["m"], False
        self.parts = p["OUT_LANES"] // p["IN_LANES"]
        self.count = 0

    def clock(self, valid: Flags, ready: Flags) -> None:
        """See `Model`."""
        full = self.count == self.parts
        step = not full or ready[self.m]
        ready[self.s] = step
        if step:
            self.count = (0 if full else self.count) + valid[self.s]
        valid[self.m] = self.count == self.parts
        self.idle = self.count != self.parts


class Unpack:
    """tsm_gearbox to narrower words."""

    def __init__(self, p: Mapping[str, int], ports: Ports) -> None:
        self.s, self.m, self.idle = ports["s"], ports["m"], False
        self.parts = p["IN_LANES"] // p["OUT_LANES"]
        self.left = 0

    def clock(self, valid: Flags, ready: Flags) -> None:
        """See `Model`."""
        empty = self.left == 0 or (self.left == 1 and ready[self.m])
        ready[self.s] = empty
        if empty and valid[self.s]:
            self.left = self.parts
        elif self.left and ready[self.m]:
            self.left -= 1
        valid[self.m] = self.left != 0
        self.idle = self.left == 0


def gearbox(p: Mapping[str, int], ports: Ports) -> Model:
    """tsm_gearbox between words of two sizes."""
    return Pack(p, ports) if p["IN_LANES"] < p["OUT_LANES"] else Unpack(p, ports)


class Fork:
    """tsm_fork: its outputs follow its input within a clock, which `offer` does."""

    def __init__(self, p: Mapping[str, int], ports: Ports) -> None:
        self.s, self.a, self.b, self.idle = ports["s"], ports["a"], ports["b"], False
        self.a_done = self.b_done = False

    def offer(self, valid: Flags) -> None:
        """Offer what the input offers to those who have not taken it."""
        valid[self.a] = valid[self.s] and not self.a_done
        valid[self.b] = valid[self.s] and not self.b_done

    def clock(self, valid: Flags, ready: Flags) -> None:
        """See `Model`; leaves valid to `offer`."""
        a, b = self.a_done or ready[self.a], self.b_done or ready[self.b]
        ready[self.s] = a and b
        if valid[self.s]:
            self.a_done, self.b_done = a and not b, b and not a


class Slices:
    """Some of them, one behind the other: a graph of adders."""

    def __init__(self, count: int, ports: Ports) -> None:
        self.s, self.m, self.idle = ports["s"], ports["m"], False
        self.held = [False] * count

    def clock(self, valid: Flags, ready: Flags) -> None:
        """See `Model`."""
        held = self.held
        step = ready[self.m]
        for place in range(len(held) - 1, -1, -1):
            step = not held[place] or step
            if step:
                held[place] = held[place - 1] if place else valid[self.s]
        ready[self.s] = step
        valid[self.m] = held[-1]
        self.idle = not any(held)


class Join:
    """tsm_join and tsm_concat."""

    def __init__(self, p: Mapping[str, int], ports: Ports) -> None:
        self.s, self.a, self.b, self.m, self.idle = ports["a"], ports["a"], ports["b"], ports["m"], False

    def clock(self, valid: Flags, ready: Flags) -> None:
        """See `Model`."""
        step = not valid[self.m] or ready[self.m]
        both = valid[self.a] and valid[self.b]
        ready[self.a] = ready[self.b] = step and both
        if step:
            valid[self.m] = both


class Ending:
    """tsm_ending."""

    def __init__(self, p: Mapping[str, int], ports: Ports) -> None:
        self.s, self.m, self.idle = ports["s"], ports["m"], False
        self.first = False

    def clock(self, valid: Flags, ready: Flags) -> None:
        """See `Model`."""
        second = not valid[self.m] or ready[self.m]
        step = not self.first or second
        ready[self.s] = step
        if second:
            valid[self.m] = self.first
        if step:
            self.first = valid[self.s]
        self.idle = not self.first and not valid[self.m]


class Lanes:
    """tsm_lanes."""

    def __init__(self, p: Mapping[str, int], ports: Ports) -> None:
        self.s, self.m, self.idle = ports["s"], ports["m"], False
        steps, folds = p["TAPS"] // p["PARALLEL"], p["FOLDS"]
        self.words = steps * folds
        inner = folds if p["PIXELS_OUTER"] else 1
        self.gives = [word // inner % steps == steps - 1 for word in range(self.words)]
        self.word = 0
        self.first = self.second = False  # a word that completes a result is in this stage

    def clock(self, valid: Flags, ready: Flags) -> None:
        """See `Model`."""
        step = not valid[self.m] or ready[self.m] or not self.second
        ready[self.s] = step
        if ready[self.m]:
            valid[self.m] = False
        if not step:
            return
        if self.second:
            valid[self.m] = True
        self.second, self.first = self.first, False
        if valid[self.s]:
            self.first = self.gives[self.word]
            self.word = (self.word + 1) % self.words
        self.idle = not (self.first or self.second or valid[self.m])


class Mvu:
    """tsm_mvu."""

    def __init__(self, p: Mapping[str, int], ports: Ports) -> None:
        self.s, self.m, self.idle = ports["s"], ports["m"], False
        self.inputs, self.all = p["INPUT_FOLDS"], p["INPUT_FOLDS"] * p["OUTPUT_FOLDS"]
        self.hold = bool(p["HOLD"])
        self.at = 0
        self.first, self.first_ends, self.second, self.second_ends = False, False, False, False

    def clock(self, valid: Flags, ready: Flags) -> None:
        """See `Model`."""
        step = not valid[self.m] or ready[self.m] or not self.second
        first_pass = self.at < self.inputs
        ready[self.s] = step and (self.at == self.all - 1 if self.hold else first_pass)
        if ready[self.m]:
            valid[self.m] = False
        if not step:
            return
        if self.second:
            valid[self.m] = self.second_ends
        self.second, self.second_ends = self.first, self.first_ends
        self.first = valid[self.s] or not (self.hold or first_pass)
        if self.first:
            self.at += 1
            self.first_ends = self.at % self.inputs == 0
            if self.at == self.all:
                self.at = 0
        self.idle = not (self.first or self.second or valid[self.m])


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


MODELS: Mapping[str, Callable[[Mapping[str, int], Ports], Model]] = {
    "tsm_concat": Join,
    "tsm_ending": Ending,
    "tsm_fifo": Fifo,
    "tsm_fork": Fork,
    "tsm_gearbox": gearbox,
    "tsm_join": Join,
    "tsm_lanes": Lanes,
    "tsm_mvu": Mvu,
    "tsm_slice": lambda p, ports: Slices(1, ports),
    "tsm_slide": Slide,
    "tsm_window": Window,
}
"""By module name."""


def model_of(module: str, parameters: Mapping[str, Parameter], ports: Ports) -> Model:
    """The model of an instance."""
    return MODELS[module]({name: value for name, value in parameters.items() if isinstance(value, int)}, ports)
