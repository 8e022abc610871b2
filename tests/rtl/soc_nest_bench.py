"""The address generator: every step of random descriptors, clock by clock, with pauses, flushes and resets."""

from __future__ import annotations

import random
from typing import Any

from cocotb.triggers import FallingEdge, ReadOnly
from models import integers
from soc_bench import flush_or_reset, known, only, quiet, words
from soc_chip import ADD, RAW, Chip, Fields, Step, modes, pack, steps
from soc_random import program
from streams import start


def describe(dut: Any, chip: Chip, f: Fields) -> None:
    """A descriptor at the inputs, with the products that tsm_compute makes."""
    channelwise, packed = modes(chip, f)
    jump = f["in2_base"] - f["in_base"] if f["opcode"] == ADD else f["dil_y"] * f["in_row_bytes"]
    dut.desc_i.value = words(pack("COMPUTE", f))
    dut.channelwise_i.value, dut.packed_i.value = int(channelwise), int(packed)
    dut.raw_i.value = int(f["ending"] == RAW)
    dut.wide_in_i.value, dut.wide_out_i.value = f["wide_in"], f["wide_out"]
    dut.first_addr_i.value = (f["in_base"] - f["pad_top"] * f["in_row_bytes"]) % chip.act_bytes
    dut.dil_step_i.value = jump % chip.act_bytes
    dut.row_step_i.value = f["stride_y"] * f["in_row_bytes"] % chip.act_bytes


def told(chip: Chip, f: Fields, step: Step) -> dict[str, int]:
    """What the outputs say of a step."""
    there = [0 <= step.row < f["in_h"] and 0 <= step.column + j < f["in_row_bytes"] for j in range(16)]
    last = f.get("run_last", 0) if (step.k + 1) % f["run_n"] == 0 else 0
    address = step.address % chip.act_bytes
    found = {
        "run": last or 16,
        "w_addr": step.weight % chip.wgt_words,
        "p_addr": step.parameter % chip.par_words,
        "ky": step.ky % 8,
        "addr": address,
    }
    found |= {"first": int(step.k == 0), "last": int(step.ends), "count": step.count}
    return found | ({"out_addr": step.out % chip.act_bytes} if step.ends else {}) | {"there": there}


def shown(dut: Any, expected: dict[str, Any], lanes: int) -> bool:
    """The step at the outputs is the expected one."""
    before, inside = int(dut.before_o.value), int(dut.inside_o.value)
    there = [before <= j < inside for j in range(lanes)]
    numbers = {name: int(getattr(dut, f"{name}_o").value) for name in expected if name != "there"}
    return numbers == {name: expected[name] for name in numbers} and there == expected["there"][:lanes]


async def walk(dut: Any, chip: Chip, f: Fields, rng: random.Random, pauses: float, stop: int | None) -> None:
    """One descriptor; `stop` is the clock after which it is left alone."""
    describe(dut, chip, f)
    dut.start_i.value = 1
    await FallingEdge(dut.clk_i)
    dut.start_i.value = 0
    todo = list(steps(chip, f))
    at, free, due = 0, 0, None  # next step, clock from which on an accumulation may end, what the outputs must show
    for clock in range(10**6):
        if clock == stop:
            return
        pause = rng.random() < pauses
        dut.pause_i.value = int(pause)
        await ReadOnly()
        assert dut.step_o.value == int(due is not None), f"step {at} of {f}"
        assert due is None or shown(dut, told(chip, f, due), chip.lanes), f"step {at} of {f}"
        busy, due = at < len(todo), None
        held = busy and todo[at].ends and clock < free
        assert dut.busy_o.value == int(busy) and dut.stall_o.value == int(held)
        if busy and not held and not pause:
            due, at = todo[at], at + 1
            free = clock + due.gap if due.ends else free
        await FallingEdge(dut.clk_i)
        if not busy and due is None:
            return


@only("tsm_nest")
async def steps_are_those_of_the_loops(dut: Any, rng: random.Random) -> None:
    pes, lanes, rqs, address_w, weight_w, parameter_w = integers(
        dut, "PES", "LANES", "RQS", "ADDR_W", "W_ADDR_W", "P_ADDR_W"
    )
    sizes = {"act_bytes": 1 << address_w, "wgt_words": 1 << weight_w, "par_words": 1 << parameter_w}
    quiet(dut)
    await start(dut)
    known(dut, "busy_o", "step_o", "stall_o")
    for number in range(120):
        chip = Chip(pes=pes, lanes=lanes, rqs=rqs, kind=2 * (number % 5 == 4), **sizes)
        (f,) = program(rng, chip, 1).computes
        await walk(dut, chip, f, rng, (0.0, 0.3)[number % 2], rng.choice([None, None, rng.randrange(40)]))
        if dut.busy_o.value == 1 or dut.step_o.value == 1:
            await stop(dut, rng)


async def stop(dut: Any, rng: random.Random) -> None:
    """A flush or a reset in the middle: no step comes any more."""
    await flush_or_reset(dut, rng)
    for _ in range(4):
        known(dut, "busy_o", "step_o", "stall_o")
        assert dut.busy_o.value == 0 and dut.step_o.value == 0
        await FallingEdge(dut.clk_i)
