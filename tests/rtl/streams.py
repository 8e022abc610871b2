"""Valid/ready streams for cocotb: drives words with gaps, takes them with back-pressure, and watches the protocol."""

from __future__ import annotations

import random
from collections.abc import Iterable, Sequence
from typing import Any

import cocotb
from cocotb.clock import Clock
from cocotb.triggers import FallingEdge, RisingEdge

IN = (("valid", "i"), ("ready", "o"))
"""Ports of a stream into the module."""
OUT = (("valid", "o"), ("ready", "i"))
"""Ports of a stream out of it."""


async def start(dut: Any) -> None:
    """Clock, and a reset of two clocks."""
    cocotb.start_soon(Clock(dut.clk_i, 10, "ns").start())
    await reset(dut)


async def reset(dut: Any) -> None:
    """Two clocks of reset, released on a falling edge."""
    dut.rst_ni.value = 0
    await RisingEdge(dut.clk_i)
    await RisingEdge(dut.clk_i)
    await FallingEdge(dut.clk_i)
    dut.rst_ni.value = 1


async def feed(dut: Any, words: Sequence[int], *, port: str = "s", gap: float = 0.0, seed: int = 1) -> None:
    """Offer words one after the other, each after a pause with probability `gap`. Changes on falling edges."""
    rng = random.Random(seed)
    valid, ready, data = (getattr(dut, f"{port}_{name}") for name in ("valid_i", "ready_o", "data_i"))
    for word in words:
        while rng.random() < gap:
            valid.value = 0
            await FallingEdge(dut.clk_i)
        valid.value = 1
        data.value = word
        while True:
            await RisingEdge(dut.clk_i)
            taken = ready.value == 1  # sampled in the edge, before anything moves
            await FallingEdge(dut.clk_i)
            if taken:
                break
    valid.value = 0


async def take(
    dut: Any, count: int, *, port: str = "m", stall: float = 0.0, seed: int = 2, limit: int | None = None
) -> list[int]:
    """Take `count` words, each clock ready with probability 1 - stall; a word that is offered must stay until taken.

    `limit` is the clocks that it may take, 2000 and 60 a word unless it is given.
    """
    limit = limit or 2000 + 60 * count
    rng = random.Random(seed)
    valid, ready, data = (getattr(dut, f"{port}_{name}") for name in ("valid_o", "ready_i", "data_o"))
    words: list[int] = []
    offered = None
    for _ in range(limit):
        ready.value = int(rng.random() >= stall)
        await RisingEdge(dut.clk_i)
        assert valid.value.is_resolvable, "valid is X after reset"
        if valid.value == 1:
            assert data.value.is_resolvable, f"word {len(words)} is X"
            word = int(data.value)
            assert offered in (None, word), "a word that nobody took has changed"
            offered = word
            if ready.value == 1:
                words.append(word)
                offered = None
        else:
            assert offered is None, "a word that nobody took is gone"
        await FallingEdge(dut.clk_i)
        if len(words) == count:
            ready.value = 0
            return words
    raise AssertionError(f"only {len(words)} of {count} words in {limit} clocks")


def pack(values: Sequence[int], width: int) -> int:
    """A word of lanes, lane 0 in the low bits."""
    word = 0
    for lane, value in enumerate(values):
        word |= (int(value) & ((1 << width) - 1)) << (lane * width)
    return word


def unpack(word: int, lanes: int, width: int, *, signed: bool) -> list[int]:
    """The lanes of a word."""
    found = [(word >> (lane * width)) & ((1 << width) - 1) for lane in range(lanes)]
    return [value - (1 << width) if signed and value >> (width - 1) else value for value in found]


async def watch(dut: Any, given: Iterable[str], made: Iterable[str], seen: list[dict[str, bool]]) -> None:
    """Append valid and ready of every stream at each rising edge, until cancelled."""
    signals = {f"{name}_{what}": getattr(dut, f"{name}_{what}_{i}") for name in given for what, i in IN}
    signals |= {f"{name}_{what}": getattr(dut, f"{name}_{what}_{o}") for name in made for what, o in OUT}
    while True:
        await RisingEdge(dut.clk_i)
        seen.append({name: signal.value == 1 for name, signal in signals.items()})
