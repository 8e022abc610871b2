"""The cocotb bench of every stream module: words in, words out, compared with models.py by ==."""

from __future__ import annotations

import random
from typing import Any

import cocotb
from cocotb.triggers import Combine, RisingEdge
from models import MODELS, parameters
from streams import feed, reset, start, take, watch
from tinsmith_backends.rtl.clock_models.modules import model_of
from tinsmith_backends.rtl.clock_models.streams import Fork


def quiet(dut: Any, given: Any, made: Any) -> None:
    for port in given:
        getattr(dut, f"{port}_valid_i").value = 0
    for port in made:
        getattr(dut, f"{port}_ready_i").value = 0


def replay(dut: Any, given: Any, made: Any, seen: list[dict[str, bool]]) -> None:
    """What the module did at each edge is what its model of clocks does when it meets the same streams."""
    ports = {name: number for number, name in enumerate((*given, *made))}
    model = model_of(dut._name, parameters(dut), ports)
    valid, ready = [False] * len(ports), [False] * len(ports)
    for clock, edge in enumerate(seen):
        for name in given:
            valid[ports[name]] = edge[f"{name}_valid"]
        for name in made:
            ready[ports[name]] = edge[f"{name}_ready"]
        if isinstance(model, Fork):
            model.offer(valid)
        offered = {name: valid[ports[name]] for name in made}
        model.clock(valid, ready)
        for name in made:
            assert edge[f"{name}_valid"] == offered[name], f"valid of {name} at clock {clock}"
        for name in given:
            assert edge[f"{name}_ready"] == ready[ports[name]], f"ready of {name} at clock {clock}"


async def compare(dut: Any, given: Any, made: Any, *, gap: float, stall: float) -> None:
    for number, (port, words) in enumerate(given.items()):
        cocotb.start_soon(feed(dut, words, port=port, gap=gap, seed=10 + number))
    tasks = {
        port: cocotb.start_soon(take(dut, len(words), port=port, stall=stall, seed=20 + number))
        for number, (port, words) in enumerate(made.items())
    }
    await Combine(*tasks.values())
    for port, words in made.items():
        assert tasks[port].result() == words, f"words of port {port} differ"


@cocotb.test()
@cocotb.parametrize(gap=[0.0, 0.5], stall=[0.0, 0.6])
async def words_are_right_with_gaps_and_back_pressure(dut: Any, gap: float, stall: float) -> None:
    given, made = MODELS[dut._name](dut, random.Random(7))
    quiet(dut, given, made)
    await start(dut)
    seen: list[dict[str, bool]] = []
    watching = cocotb.start_soon(watch(dut, given, made, seen))
    await compare(dut, given, made, gap=gap, stall=stall)
    watching.cancel()
    replay(dut, given, made, seen)


@cocotb.test()
async def a_reset_in_mid_stream_leaves_nothing_behind(dut: Any) -> None:
    given, made = MODELS[dut._name](dut, random.Random(8))
    quiet(dut, given, made)
    await start(dut)
    for wait in (3, 17):
        tasks = [cocotb.start_soon(feed(dut, words, port=port)) for port, words in given.items()]
        for port in made:
            getattr(dut, f"{port}_ready_i").value = 1
        for _ in range(wait):
            await RisingEdge(dut.clk_i)
        for task in tasks:
            task.cancel()
        quiet(dut, given, made)
        await reset(dut)
    await compare(dut, given, made, gap=0.2, stall=0.2)
