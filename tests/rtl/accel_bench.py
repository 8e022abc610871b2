"""The cocotb bench of tsm_accel: random programs against soc_chip.py, faults, and resets in mid-run."""

from __future__ import annotations

import random
from typing import Any

import cocotb
import numpy as np
import soc_bus as bus
from cocotb.triggers import FallingEdge
from soc_chip import Chip, compute
from soc_random import Program, program
from streams import reset, start

COUNT = 5


def chip_of(dut: Any) -> Chip:
    names = ("pes", "lanes", "rqs", "act_bytes", "wgt_words", "par_words", "desc_words", "kind")
    return Chip(**{name: int(getattr(dut, name.upper()).value) for name in names})


async def given(dut: Any, rng: random.Random, count: int = COUNT) -> tuple[Chip, Program]:
    """A chip after reset with random activations, and a program in its descriptor memory."""
    chip = chip_of(dut)
    chip.act[:] = np.array(rng.choices(range(256), k=chip.act_bytes), np.uint8)
    made = program(rng, chip, count)
    await bus.fill(dut, chip.act)
    await bus.describe(dut, made)
    return chip, made


def run(chip: Chip, made: Program) -> tuple[int, int]:
    """The model's run: steps and stalls."""
    loads = iter(made.loads)
    done = steps = stalls = 0
    for f in made.computes:
        while done < f["after_load"]:
            load = next(loads)
            first = load["ext_addr"] // 4
            chip.load(
                load["opcode"], load["dest"], np.array(made.payload[first : first + load["ext_words"]], np.uint32)
            )
            done += 1
        work = compute(chip, f)
        steps, stalls = steps + work.steps, stalls + work.stalls
    return steps, stalls


def differ(chip: Chip, found: Any, made: Program) -> str:
    wrong = np.flatnonzero(found != chip.act)
    return f"{len(wrong)} bytes differ, first {wrong[:8]}: {found[wrong[:8]]} is not {chip.act[wrong[:8]]}\\n{made.computes}"


@cocotb.test()
@cocotb.parametrize(seed=range(4))
async def random_programs_are_right(dut: Any, seed: int) -> None:
    rng = random.Random(100 + seed)
    bus.quiet(dut)
    await start(dut)
    chip, made = await given(dut, rng)
    stall = (0.0, 0.7)[seed % 2]
    tasks = bus.spawn(bus.external(dut, made.payload, stall, seed))
    await bus.start(dut)
    if seed >= 2:
        await bus.noise(dut, chip, seed)
    assert await bus.finish(dut) == bus.DONE
    steps, stalls = run(chip, made)
    found = await bus.dump(dut, chip.act_bytes)
    assert (found == chip.act).all(), differ(chip, found, made)
    assert await bus.read(dut, bus.CSR["ACTIVE"]) == steps
    waited = await bus.read(dut, bus.CSR["STALLS"])
    assert waited == stalls if seed < 2 else waited <= stalls  # pauses for the CPU may take their place
    assert await bus.read(dut, bus.CSR["LOADED"]) == len(made.payload)
    for task in tasks:
        task.cancel()
