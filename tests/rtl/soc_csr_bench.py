"""The accelerator's registers: runs that end well, by errors, a deadlock or an abort, and what is counted in them."""

from __future__ import annotations

import random
from typing import Any

from cocotb.triggers import FallingEdge
from models import integers
from soc_bench import known, only, quiet
from streams import reset, start
from tinsmith_backends.soc import memory_map as m

CSR = {register.name: register.offset for register in m.ACCEL.registers}
LISTS = ("COMPUTE_BASE", "COMPUTE_COUNT", "LOAD_BASE", "LOAD_COUNT")
START, ABORT, IRQ = 1, 2, 4
BUSY, DONE, ERROR = 1, 2, 4
COUNTED = {"ACTIVE": "active_i", "STALLS": "stall_i", "LOAD_WAITS": "compute_waits_i", "LOADED": "loaded_i"}
ENDS = ("good", "load", "compute", "both", "crossed", "loads over", "computes over", "abort")
"""Ways in which a run ends: well, by an error in a list or in both, by a deadlock (each list waits for the other;
computes wait though all loads are over; loads though all computes are), by an abort."""


async def write(dut: Any, address: int, value: int) -> None:
    dut.req_i.value, dut.we_i.value, dut.addr_i.value, dut.wdata_i.value = 1, 1, address, value
    await FallingEdge(dut.clk_i)
    dut.req_i.value = 0
    assert dut.rvalid_o.value == 0


async def read(dut: Any, address: int) -> int:
    dut.req_i.value, dut.we_i.value, dut.addr_i.value = 1, 0, address
    await FallingEdge(dut.clk_i)
    dut.req_i.value = 0
    assert dut.rvalid_o.value == 1
    return int(dut.rdata_o.value)


class Run:
    """One run: drives what the lists say, clock by clock, and keeps what must be counted."""

    def __init__(self, dut: Any, rng: random.Random, end: str) -> None:
        self.dut, self.rng, self.end = dut, rng, end
        self.codes = {"compute": rng.randint(1, 255), "load": rng.randint(1, 255)}
        self.indices = {"compute": rng.getrandbits(16), "load": rng.getrandbits(16)}
        for name in ("compute", "load"):
            getattr(dut, f"{name}_code_i").value = self.codes[name]
            getattr(dut, f"{name}_index_i").value = self.indices[name]
        self.counts = dict.fromkeys(("CYCLES", *COUNTED), 0)

    async def clock(self, **inputs: int) -> None:
        """A clock of the run; what is not given is 0, or random where it is only counted."""
        given = {name: self.rng.randint(0, 1) for name in ("active_i", "stall_i", "loaded_i")}
        names = ("compute_waits_i", "load_waits_i", "compute_error_i", "load_error_i", "compute_done_i", "load_done_i")
        given |= dict.fromkeys(names, 0) | inputs
        for name, value in given.items():
            getattr(self.dut, name).value = value
        self.counts["CYCLES"] += 1
        for register, name in COUNTED.items():
            self.counts[register] += given[name]
        await FallingEdge(self.dut.clk_i)
        self.dut.req_i.value = 0

    async def go(self) -> tuple[int, int]:
        """From the write that starts it to its end; what STATUS and ERROR must say."""
        dut, rng = self.dut, self.rng
        enable = IRQ if rng.random() < 0.7 else 0
        await write(dut, CSR["CTRL"], START | enable)
        assert dut.start_o.value == 1 and dut.flush_o.value == 0 and dut.irq_o.value == 0
        await self.clock(compute_done_i=1, load_done_i=1)  # they have not seen the start yet
        for _ in range(rng.randrange(30)):
            assert dut.start_o.value == 0 and dut.flush_o.value == 0 and dut.irq_o.value == 0
            await self.clock(**rng.choice([{"compute_waits_i": 1}, {"load_waits_i": 1}, {"load_done_i": 1}, {}]))
        if rng.random() < 0.5:  # a start in mid-run is none
            dut.req_i.value, dut.we_i.value, dut.addr_i.value, dut.wdata_i.value = 1, 1, CSR["CTRL"], START | enable
            await self.clock()
        if self.end == "good":
            await self.clock(compute_done_i=1, load_done_i=1)
            return DONE, 0
        error = await self.fail(enable)
        for _ in range(rng.randrange(6)):
            assert dut.flush_o.value == 1 and dut.irq_o.value == 0
            await self.clock(**rng.choice([{"compute_done_i": 1}, {"load_error_i": 1}, {"compute_error_i": 1}]))
        assert dut.flush_o.value == 1
        await self.clock(compute_done_i=1, load_done_i=1)
        return ERROR, error

    async def fail(self, enable: int) -> int:
        """The clock in which the run fails; also of what comes too late in the order of importance."""
        dut, rng = self.dut, self.rng
        compute = self.indices["compute"] << 16
        load = 1 << 8 | self.indices["load"] << 16
        if self.end in ("load", "both"):
            await self.clock(load_error_i=1, compute_error_i=int(self.end == "both"), load_waits_i=rng.randint(0, 1))
            return self.codes["load"] | load
        if self.end == "compute":
            waits = rng.randint(0, 1)
            await self.clock(compute_error_i=1, load_waits_i=waits, compute_done_i=waits)
            return self.codes["compute"] | compute
        if self.end == "abort" or rng.random() < 0.3:
            dut.req_i.value, dut.we_i.value, dut.addr_i.value, dut.wdata_i.value = 1, 1, CSR["CTRL"], ABORT | enable
        if self.end == "abort":
            await self.clock()
            return m.ERROR["ABORT"]
        if self.end == "computes over":
            await self.clock(load_waits_i=1, compute_done_i=1)
            return m.ERROR["DEADLOCK"] | load
        await self.clock(compute_waits_i=1, **{"load_waits_i" if self.end == "crossed" else "load_done_i": 1})
        return m.ERROR["DEADLOCK"] | compute


@only("tsm_csr")
async def runs_are_counted_and_end_with_their_reason(dut: Any, rng: random.Random) -> None:
    (identity,) = integers(dut, "IDENTITY")
    quiet(dut)
    await start(dut)
    for number in range(64):
        known(dut, "start_o", "flush_o", "irq_o", "rvalid_o")
        lists = {name: rng.getrandbits(16) for name in LISTS}
        for name, value in lists.items():
            await write(dut, CSR[name], rng.getrandbits(16) << 16 | value)
        for name, value in lists.items():
            assert await read(dut, CSR[name]) == value == int(getattr(dut, f"{name.lower()}_o").value)
        run = Run(dut, rng, ENDS[number % len(ENDS)])
        status, error = await run.go()
        quiet(dut)
        enabled = await read(dut, CSR["CTRL"]) >> 2
        assert dut.irq_o.value == enabled and dut.flush_o.value == 0
        await write(dut, CSR["CTRL"], ABORT | enabled << 2)  # nothing to abort
        assert await read(dut, CSR["STATUS"]) == status and await read(dut, CSR["ERROR"]) == error
        assert {name: await read(dut, CSR[name]) for name in run.counts} == run.counts
        await write(dut, CSR["STATUS"], BUSY | (DONE | ERROR) ^ status)  # the others' bits clear nothing
        assert await read(dut, CSR["STATUS"]) == status and dut.irq_o.value == enabled
        await write(dut, CSR["STATUS"], status)
        assert await read(dut, CSR["STATUS"]) == 0 and dut.irq_o.value == 0
        assert await read(dut, CSR["ID"]) == identity and await read(dut, 0x80) == 0
        if number % 5 == 4:
            await a_reset_ends_everything(dut, Run(dut, rng, "good"))


async def a_reset_ends_everything(dut: Any, run: Run) -> None:
    await write(dut, CSR["CTRL"], START | IRQ)
    for _ in range(run.rng.randrange(1, 9)):
        await run.clock()
    await reset(dut)
    quiet(dut)
    assert dut.irq_o.value == 0 and dut.flush_o.value == 0 and dut.start_o.value == 0
    for name in ("STATUS", "CTRL", "ERROR", *LISTS, *run.counts):
        assert await read(dut, CSR[name]) == 0, name
