"""When a module of rtl/ takes and gives words: its handshakes clock by clock, without the data.

Tests hold the model of each module against it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

Flags = list[bool]
"""Valid or ready of each stream of the machine."""
Ports = Mapping[str, int]
"""Index of a stream, by port prefix."""


class Model(Protocol):
    """A module between two edges.

    A model's `clock` is one rising edge. It sees which of its inputs are valid and which of its outputs are ready, says
    which inputs it is ready for, and leaves in `valid` what its outputs offer behind the edge.

    Attributes:
        s: a stream in.
        idle: whether an edge changes nothing while no word is offered at `s`.
    """

    s: int
    idle: bool

    def clock(self, valid: Flags, ready: Flags) -> None:
        """One edge: reads valid of inputs and ready of outputs; sets ready of inputs and the next valid of outputs."""
        ...
