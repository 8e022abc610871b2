"""cocotb bench of the machine: `make test`. It needs cocotb and Icarus Verilog, and nothing of Tinsmith.

vectors.json holds the words of each stream, inference after inference, as hexadecimal numbers; tinsmith.json describes
the machine.
"""

from __future__ import annotations

import itertools
import json
import os
import random
from pathlib import Path
from typing import Any

import cocotb
from cocotb.clock import Clock
from cocotb.triggers import Combine, FallingEdge, RisingEdge, Timer

VECTORS = json.loads(Path(os.environ.get("TINSMITH_VECTORS", "vectors.json")).read_text())
MACHINE = json.loads(Path("tinsmith.json").read_text())
if VECTORS["network"] != MACHINE["network"]:
    raise ValueError("vectors.json holds the vectors of another network: take those of this build, or compile again")
RECORD = "TINSMITH_RECORD" in os.environ
COUNT = max(map(len, VECTORS["inputs"].values()))
PERIOD = 10
"""Of the clock."""
LIMIT = 50_000 + 10 * (MACHINE["latency"] + MACHINE["interval"] * COUNT)
"""Clocks after which a machine that gives too few words has failed."""


def words(side: str, port: str) -> list[int]:
    """The words of a stream, all inferences one after the other."""
    return [int(word, 16) for inference in VECTORS[side][port] for word in inference]


async def reset(dut: Any) -> None:
    """Two clocks of reset with idle streams."""
    for port in VECTORS["inputs"]:
        getattr(dut, f"{port}_axis_tvalid").value = 0
    for port in VECTORS["outputs"]:
        getattr(dut, f"{port}_axis_tready").value = 0
    dut.rst_ni.value = 0
    for _ in range(2):
        await RisingEdge(dut.clk_i)
    await FallingEdge(dut.clk_i)
    dut.rst_ni.value = 1


async def start(dut: Any) -> None:
    """Clock and reset."""
    cocotb.start_soon(Clock(dut.clk_i, PERIOD, "step").start())
    await reset(dut)


async def feed(dut: Any, port: str, gap: float, seed: int) -> None:
    """Offer every word of an input, each after a pause with probability `gap`."""
    rng = random.Random(seed)
    valid, ready, data = (getattr(dut, f"{port}_axis_{name}") for name in ("tvalid", "tready", "tdata"))
    for word in words("inputs", port):
        while rng.random() < gap:
            valid.value = 0
            await FallingEdge(dut.clk_i)
        valid.value, data.value = 1, word
        while True:
            await RisingEdge(dut.clk_i)
            taken = ready.value == 1
            await FallingEdge(dut.clk_i)
            if taken:
                break
    valid.value = 0


async def take(dut: Any, port: str, stall: float, seed: int, count: int) -> tuple[list[int], list[int]]:
    """Take and time `count` words; a word that was offered must stay, and nothing may be X."""
    rng = random.Random(seed)
    valid, ready, data = (getattr(dut, f"{port}_axis_{name}") for name in ("tvalid", "tready", "tdata"))
    last, result = getattr(dut, f"{port}_axis_tlast"), len(VECTORS["outputs"][port][0])
    found: list[int] = []
    clocks: list[int] = []
    offered = None
    for clock in range(LIMIT):
        ready.value = int(rng.random() >= stall)
        await RisingEdge(dut.clk_i)
        assert valid.value.is_resolvable, f"{port}: valid is X after reset"
        if valid.value == 1:
            assert data.value.is_resolvable, f"{port}: word {len(found)} is X"
            word = int(data.value)
            assert last.value == (len(found) % result == result - 1), f"{port}: tlast of word {len(found)} is wrong"
            assert offered in (None, word), f"{port}: a word that nobody took has changed"
            offered = word
            if ready.value == 1:
                found.append(word)
                clocks.append(clock)
                offered = None
        else:
            assert offered is None, f"{port}: a word that nobody took is gone"
        await FallingEdge(dut.clk_i)
        if len(found) == count:
            return found, clocks
    raise AssertionError(f"{port}: {len(found)} of {count} words after {LIMIT} clocks")


async def run(dut: Any, gap: float, stall: float) -> dict[str, tuple[list[int], list[int]]]:
    """All inferences; the clocks at which words of each output were taken."""
    for number, port in enumerate(VECTORS["inputs"]):
        cocotb.start_soon(feed(dut, port, gap, 10 + number))
    counts = {port: sum(map(len, inferences)) for port, inferences in VECTORS["outputs"].items()}
    tasks = {
        port: cocotb.start_soon(take(dut, port, stall, 20 + number, count))
        for number, (port, count) in enumerate(counts.items())
    }
    await Combine(*tasks.values())
    return {port: task.result() for port, task in tasks.items()}


def compare(results: dict[str, tuple[list[int], list[int]]]) -> None:
    """Every word is the expected one."""
    for port, (found, _) in results.items():
        for number, (got, expected) in enumerate(zip(found, words("outputs", port), strict=True)):
            assert got == expected, f"{port}: word {number} is {got:#x}, expected {expected:#x}"


@cocotb.test(skip=RECORD)
async def inferences_back_to_back(dut: Any) -> None:
    """Right, and in exactly the clocks that were promised."""
    await start(dut)
    results = await run(dut, 0.0, 0.0)
    compare(results)
    as_promised(dut, results)


def as_promised(dut: Any, results: dict[str, tuple[list[int], list[int]]]) -> None:
    """Latency and interval are those of the machine's description."""
    ends = [max(clocks) for clocks in zip(*(last_words(clocks) for _, clocks in results.values()), strict=True)]
    intervals = [after - before for before, after in itertools.pairwise(ends)]
    dut._log.info(f"first inference complete after {ends[0]} clocks, later ones after {intervals} more")
    assert ends[0] == MACHINE["latency"], f"latency {ends[0]}, promised {MACHINE['latency']}"
    if later := intervals[MACHINE["filling"] : -1]:  # the last one has nothing behind it
        longest = max(later)
        assert longest == MACHINE["interval"], f"interval {longest}, promised {MACHINE['interval']}"


def last_words(clocks: list[int]) -> list[int]:
    """When each inference is complete at an output."""
    count = len(clocks) // COUNT
    return clocks[count - 1 :: count]


@cocotb.test(skip=RECORD)
async def gaps_and_back_pressure(dut: Any) -> None:
    """Right however the streams stop and go."""
    await start(dut)
    compare(await run(dut, 0.3, 0.4))


@cocotb.test(skip=RECORD)
async def reset_in_mid_inference(dut: Any) -> None:
    """Nothing of an inference that a reset cut off is left behind."""
    await start(dut)
    for wait in (7, MACHINE["interval"] // 2 + 3):
        tasks = [cocotb.start_soon(feed(dut, port, 0.0, 1)) for port in VECTORS["inputs"]]
        for _ in range(wait):
            await RisingEdge(dut.clk_i)
        for task in tasks:
            task.cancel()
        await reset(dut)
    compare(await run(dut, 0.0, 0.2))


@cocotb.test(skip=not RECORD)
async def record(dut: Any) -> None:
    """Run everything for the sake of the traces, which Tinsmith compares."""
    await start(dut)
    as_promised(dut, await run(dut, 0.0, 0.0))
    await Timer(PERIOD * MACHINE["latency"], "step")  # what no window reads, behind a stride, is still on its way
