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
from tinsmith_backends.soc import memory_map

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


async def check(dut: Any, chip: Chip, made: Program) -> tuple[int, int]:
    """Compare the whole activation memory after a run with the model's; the model's steps and stalls."""
    steps, stalls = run(chip, made)
    found = await bus.dump(dut, chip.act_bytes)
    wrong = np.flatnonzero(found != chip.act)
    assert len(wrong) == 0, f"{len(wrong)} bytes differ, the first at {wrong[:8]}; {made.computes}"
    return steps, stalls


async def again(dut: Any, made: Program, seed: int) -> None:
    """After whatever happened: the same program on fresh activations is right."""
    chip = chip_of(dut)
    chip.act[:] = np.array(random.Random(seed).choices(range(256), k=chip.act_bytes), np.uint8)
    await bus.fill(dut, chip.act)
    await bus.describe(dut, made)
    (task,) = bus.spawn(bus.external(dut, made.payload, 0.2, seed))
    await bus.start(dut)
    assert await bus.finish(dut) == bus.DONE
    await check(dut, chip, made)
    task.cancel()


async def failed(dut: Any, code: str, *, load: bool, index: int) -> None:
    """The run has ended with this error, at this descriptor."""
    assert await bus.finish(dut) == bus.ERROR
    assert await bus.read(dut, bus.CSR["ERROR"]) == memory_map.ERROR[code] | load << 8 | index << 16


@cocotb.test()
@cocotb.parametrize(seed=range(int(cocotb.plusargs.get("seeds", 4))))
async def random_programs_are_right(dut: Any, seed: int) -> None:
    bus.quiet(dut)
    await start(dut)
    chip, made = await given(dut, random.Random(100 + seed))
    (task,) = bus.spawn(bus.external(dut, made.payload, (0.0, 0.7)[seed % 2], seed))
    await bus.start(dut)
    if seed % 4 >= 2:
        words = cocotb.start_soon(bus.samples(dut, chip, seed))
        await bus.noise(dut, chip, made, seed)
        await words
    assert await bus.finish(dut) == bus.DONE
    steps, stalls = await check(dut, chip, made)
    assert await bus.read(dut, bus.CSR["ACTIVE"]) == steps
    waited = await bus.read(dut, bus.CSR["STALLS"])
    assert waited == stalls if seed % 4 < 2 else waited <= stalls  # pauses for the CPU may take their place
    assert await bus.read(dut, bus.CSR["LOADED"]) == len(made.payload)
    task.cancel()


@cocotb.test()
async def a_flipped_bit_is_an_error_and_no_result(dut: Any) -> None:
    rng = random.Random(31)
    bus.quiet(dut)
    await start(dut)
    _, made = await given(dut, rng)
    index = rng.randrange(len(made.loads))
    word = made.loads[index]["ext_addr"] // 4 + rng.randrange(made.loads[index]["ext_words"])
    payload = list(made.payload)
    payload[word] ^= 1 << rng.randrange(32)
    (task,) = bus.spawn(bus.external(dut, payload, 0.1, 3))
    await bus.start(dut)
    await failed(dut, "CRC", load=True, index=index)
    task.cancel()
    await again(dut, made, 32)


BAD = {
    "MAGIC": [("magic", 0x5444)],
    "OPCODE": [("opcode", 0), ("opcode", 9), ("ending", 3)],
    "COUNT": [("kh", 0), ("groups", 0), ("out_w", 0), ("last_count", 0), ("last_count", 99), ("shift", 0)],
    "ADDRESS": [("in_base", 1 << 20), ("out_base", 1 << 16), ("w_base", 5000), ("p_base", 1 << 31)],
    "DEADLOCK": [("after_load", 99)],
}
BAD_LOADS = {
    "MAGIC": [("magic", 0)],
    "OPCODE": [("opcode", 4)],
    "COUNT": [("ext_words", 0), ("ext_words", 1 << 16)],
    "ADDRESS": [("dest", 1 << 16)],
    "DEADLOCK": [("after_compute", 77)],
}


@cocotb.test()
async def bad_descriptors_are_refused(dut: Any) -> None:
    rng = random.Random(41)
    bus.quiet(dut)
    await start(dut)
    _, made = await given(dut, rng, 3)
    (task,) = bus.spawn(bus.external(dut, made.payload, 0.0, 3))
    for load, cases, right in ((False, BAD, made.computes), (True, BAD_LOADS, made.loads)):
        for code, changes in cases.items():
            for name, value in changes:
                index = rng.randrange(len(right))
                wrong = Program(list(made.computes), list(made.loads), made.payload)
                (wrong.loads if load else wrong.computes)[index] = {**right[index], name: value}
                await bus.describe(dut, wrong)
                await bus.start(dut)
                waits = code == "DEADLOCK" and load  # then a compute waits for this load, unless none needs it
                if waits:
                    assert await bus.finish(dut) == bus.ERROR
                    assert await bus.read(dut, bus.CSR["ERROR"]) & 0xFF == memory_map.ERROR[code]
                else:
                    await failed(dut, code, load=load, index=index)
    task.cancel()
    await again(dut, made, 42)


@cocotb.test()
async def an_abort_ends_the_run(dut: Any) -> None:
    rng = random.Random(51)
    bus.quiet(dut)
    await start(dut)
    _, made = await given(dut, rng)
    for wait in (1, 20, 90):
        (task,) = bus.spawn(bus.external(dut, made.payload, 0.5, wait))
        await bus.start(dut)
        for _ in range(wait):
            await FallingEdge(dut.clk_i)
        await bus.write(dut, bus.CSR["CTRL"], bus.ABORT | bus.IRQ_ENABLE)
        assert await bus.finish(dut) == bus.ERROR
        assert await bus.read(dut, bus.CSR["ERROR"]) & 0xFF == memory_map.ERROR["ABORT"]
        task.cancel()
    await again(dut, made, 52)


@cocotb.test()
async def a_reset_at_any_clock_leaves_nothing_behind(dut: Any) -> None:
    rng = random.Random(61)
    bus.quiet(dut)
    await start(dut)
    _, made = await given(dut, rng)
    for _ in range(4):
        (task,) = bus.spawn(bus.external(dut, made.payload, 0.1, 1))
        await bus.start(dut)
        for _ in range(rng.randrange(500)):
            await FallingEdge(dut.clk_i)
        task.cancel()
        bus.quiet(dut)
        await reset(dut)
        assert await bus.read(dut, bus.CSR["STATUS"]) == 0
    await again(dut, made, 62)


@cocotb.test()
async def a_run_without_computes_loads_and_ends(dut: Any) -> None:
    bus.quiet(dut)
    await start(dut)
    _, made = await given(dut, random.Random(71), 2)
    loads = Program([], [{**load, "after_compute": 0} for load in made.loads], made.payload)
    (task,) = bus.spawn(bus.external(dut, made.payload, 0.0, 1))
    await bus.describe(dut, loads)
    await bus.start(dut)
    assert await bus.finish(dut) == bus.DONE
    assert await bus.read(dut, bus.CSR["LOADED"]) == len(made.payload)
    task.cancel()
    await bus.describe(dut, Program())
    await bus.start(dut)
    assert await bus.finish(dut) == bus.DONE
