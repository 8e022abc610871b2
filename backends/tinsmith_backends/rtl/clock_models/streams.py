"""Clocks of the modules that pass words on: queues, gearboxes, forks, joins, registers."""

from __future__ import annotations

from collections.abc import Mapping

from tinsmith_backends.rtl.clock_models.model import Flags, Model, Ports


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
