"""Bus decoder, AXI4-Lite master, arbiter of the external memory: random accesses, random waits."""

from __future__ import annotations

import random
from collections.abc import Callable, Coroutine
from typing import Any

import cocotb
from cocotb.clock import Clock
from cocotb.triggers import Combine, FallingEdge, RisingEdge, Timer
from streams import start
from tinsmith_backends.soc import memory_map as m


async def decoder(dut: Any) -> None:
    """Each address asks the right slave, once, and brings its data; none is left unanswered."""
    rng = random.Random(3)
    registers = (m.UART, m.TIMER, m.WATCHDOG, m.IRQC, m.SYSTEM, m.STREAM)
    waiting = {m.ACCEL: 0, m.DESCRIPTORS: 0, m.ACTIVATIONS: 0, m.RESULTS: 1, m.EXTERNAL: 2}
    for _ in range(150):
        block = rng.choice((*registers, *waiting, m.RAM, None))
        nowhere = rng.choice((0x8000, 0x1000_0500, 0x1000_1000, 0x2002_0000, 0x2040_0000, 0x3002_0000))
        address = block.base + rng.randrange(0, min(block.size, 32768), 4) if block else nowhere
        data = [rng.randrange(1 << 32) for _ in range(10)]
        dut.reg_rdata_i.value = sum(word << (32 * i) for i, word in enumerate(data[:6]))
        dut.rdata_i.value = sum(word << (32 * i) for i, word in enumerate(data[6:9]))
        dut.ram_rdata_i.value = data[9]
        dut.mem_wstrb_i.value = rng.choice((0, 15))
        dut.ram_ahead_i.value = rng.randrange(1 << 32)
        if early := block is m.RAM and rng.random() < 0.5:  # answered by what the second port put out a clock ago
            dut.ram_ahead_i.value = data[9]
            await RisingEdge(dut.clk_i)
            await FallingEdge(dut.clk_i)
            dut.ram_ahead_i.value = dut.ram_rdata_i.value = ~data[9] & 0xFFFFFFFF
        dut.mem_addr_i.value = address
        dut.early_i.value = int(early)
        dut.mem_valid_i.value = 1
        asked, errors, got, clocks = [0] * 9, 0, None, 0
        patience = waited = rng.randrange(5)
        for _ in range(20):
            dut.ready_i.value = 7 if patience == 0 else 0
            patience = max(patience - 1, 0)
            await RisingEdge(dut.clk_i)
            lines = int(dut.reg_req_o.value) | int(dut.sel_o.value) << 6
            ready = dut.mem_ready_o.value == 1
            asked = [count + (lines >> i & 1) for i, count in enumerate(asked)]
            errors += int(dut.error_o.value)
            got = int(dut.mem_rdata_o.value)
            await FallingEdge(dut.clk_i)
            if ready:
                break
            clocks += 1
        else:
            raise AssertionError("no answer")
        dut.mem_valid_i.value = 0
        dut.early_i.value = 0
        await RisingEdge(dut.clk_i)
        assert int(dut.mem_ready_o.value) == 0
        assert clocks == (int(not early) if block not in waiting else waited + 1)
        assert int(dut.reg_req_o.value) == int(dut.sel_o.value) == int(dut.error_o.value) == 0
        await FallingEdge(dut.clk_i)
        slave = registers.index(block) if block in registers else 6 + waiting[block] if block in waiting else None
        assert [bool(count) for count in asked] == [i == slave for i in range(9)], hex(address)
        assert all(count <= 1 for count in asked[:6]) and errors == int(block is None)
        assert all(count in (0, waited + 1) for count in asked[6:])  # until it is ready, and no longer
        if slave is not None or block is m.RAM:
            assert got == data[9 if slave is None else slave]


async def ahead(dut: Any) -> None:
    """Of accesses in the processor's order, writes and the word behind the last fetch are early; others never are."""
    rng = random.Random(7)
    size = 64
    memory = [rng.randrange(1 << 32) for _ in range(size)]
    wanted = memory.copy()
    out, data, word, written, last = (
        0,
        0,
        0,
        True,
        4 * size - 4,
    )  # what the second port put out: of this word, a write ago

    async def clock(line: str = "", address: int = 0) -> None:
        nonlocal out, word, written
        for name in ("read", "write"):
            getattr(dut, f"la_{name}_i").value = int(name == line)
        dut.la_addr_i.value = address if line else rng.randrange(8 * size)
        await RisingEdge(dut.clk_i)
        if dut.mem_valid_i.value == 1 and dut.mem_instr_i.value == 1:
            word = (int(dut.mem_addr_i.value) // 4 + 1) % size
        out, written = memory[int(dut.ram_next_o.value)], line == "write"
        if dut.ram_write_o.value == 1:
            memory[address // 4 % size] = data
        await FallingEdge(dut.clk_i)

    found = 0
    await clock()
    for _ in range(600):
        line = rng.choice(("read", "read", "read", "write"))
        fetch = line == "read" and rng.random() < 0.7
        address = rng.choice(((last + 4) % (4 * size), (last + 4) % (4 * size), 4 * rng.randrange(3 * size), last))
        data, here = rng.randrange(1 << 32), address < 4 * size
        right = here and (line == "write" or (not written and address // 4 == word))
        before = out
        await clock(line, address)
        if line == "write" and here:
            wanted[address // 4] = data
        assert memory == wanted
        dut.mem_valid_i.value, dut.mem_instr_i.value, dut.mem_addr_i.value = 1, int(fetch), address
        early = dut.early_o.value == 1
        assert early == right, hex(address)
        found += early and line == "read"
        assert not (early and line == "read") or before == wanted[address // 4]
        last = address if fetch else last
        for wait in range(0 if early and rng.random() < 0.3 else rng.randrange(1, 4)):
            await clock()
            assert dut.early_o.value == 0
            dut.mem_valid_i.value = int(not early and wait == 0)
    assert found > 60


async def axil(dut: Any) -> None:
    """Accesses against a memory with random waits on every channel; strobes, data and error responses arrive."""
    rng = random.Random(4)
    memory: dict[int, int] = {}

    async def slave() -> None:
        address = data = None
        for _ in range(20000):
            ready = {name: int(rng.random() < 0.5) for name in ("aw", "w", "ar")}
            for name, value in ready.items():
                getattr(dut, f"{name}ready_i").value = value
            await RisingEdge(dut.clk_i)
            taken = {name: ready[name] and getattr(dut, f"{name}valid_o").value == 1 for name in ready}
            at = {"aw": int(dut.awaddr_o.value), "ar": int(dut.araddr_o.value)}
            word, strobes = int(dut.wdata_o.value), int(dut.wstrb_o.value)
            await FallingEdge(dut.clk_i)
            if taken["aw"]:
                assert address is None, "an address comes twice"
                address = at["aw"]
            if taken["w"]:
                assert data is None, "data comes twice"
                data = (word, strobes)
            if taken["ar"]:
                await respond("r", at["ar"])
            if address is not None and data is not None:
                mask = sum(0xFF << (8 * i) for i in range(4) if data[1] >> i & 1)
                memory[address] = memory.get(address, 0) & ~mask | data[0] & mask
                await respond("b", address)
                address = data = None

    async def respond(channel: str, address: int) -> None:
        for name in ("aw", "w", "ar"):
            getattr(dut, f"{name}ready_i").value = 0
        while rng.random() < 0.5:
            await FallingEdge(dut.clk_i)
        getattr(dut, f"{channel}valid_i").value = 1
        getattr(dut, f"{channel}resp_i").value = 2 if address >= 64 else 0
        dut.rdata_i.value = memory.get(address, 0)
        while True:
            await RisingEdge(dut.clk_i)
            done = getattr(dut, f"{channel}ready_o").value == 1
            await FallingEdge(dut.clk_i)
            if done:
                break
        getattr(dut, f"{channel}valid_i").value = 0

    task = cocotb.start_soon(slave())
    expected: dict[int, int] = {}
    for _ in range(120):
        address, strobes, data = 4 * rng.randrange(20), rng.choice((0, 1, 6, 15)), rng.randrange(1 << 32)
        dut.sel_i.value, dut.addr_i.value, dut.wstrb_i.value, dut.wdata_i.value = 1, address, strobes, data
        while True:
            await RisingEdge(dut.clk_i)
            ready, got, error = dut.ready_o.value == 1, int(dut.rdata_o.value), int(dut.error_o.value)
            await FallingEdge(dut.clk_i)
            if ready:
                break
        dut.sel_i.value = 0
        await FallingEdge(dut.clk_i)
        assert error == int(address >= 64)
        if strobes == 0:
            assert got == expected.get(address, 0)
        mask = sum(0xFF << (8 * i) for i in range(4) if strobes >> i & 1)
        expected[address] = expected.get(address, 0) & ~mask | data & mask
    task.cancel()


async def arbiter(dut: Any) -> None:
    """Bursts and single words at once: each reader gets its own words, in order, and both go on."""
    rng = random.Random(5)

    async def memory() -> None:
        offered = None
        while True:
            dut.ext_req_ready_i.value = int(rng.random() < 0.6)
            await RisingEdge(dut.clk_i)
            request = (int(dut.ext_req_addr_o.value), int(dut.ext_req_len_o.value))
            assert offered in (None, request), "a request that nobody took has changed"
            offered = request if dut.ext_req_valid_o.value == 1 and dut.ext_req_ready_i.value == 0 else None
            taken = dut.ext_req_valid_o.value == 1 and dut.ext_req_ready_i.value == 1
            address, count = int(dut.ext_req_addr_o.value), int(dut.ext_req_len_o.value)
            await FallingEdge(dut.clk_i)
            if not taken:
                continue
            dut.ext_req_ready_i.value = 0
            while count:
                dut.ext_rsp_valid_i.value = int(rng.random() < 0.7)
                dut.ext_rsp_data_i.value = address ^ 0x5A5A5A5A
                await RisingEdge(dut.clk_i)
                gone = dut.ext_rsp_valid_i.value == 1 and dut.ext_rsp_ready_o.value == 1
                await FallingEdge(dut.clk_i)
                if gone:
                    address, count = address + 4, count - 1
            dut.ext_rsp_valid_i.value = 0

    async def loader() -> None:
        for _ in range(40):
            address, count, got = 4 * rng.randrange(1 << 20), rng.randrange(1, 9), []
            dut.a_req_valid_i.value, dut.a_req_addr_i.value, dut.a_req_len_i.value = 1, address, count
            while True:
                await RisingEdge(dut.clk_i)
                taken = dut.a_req_ready_o.value == 1
                await FallingEdge(dut.clk_i)
                if taken:
                    break
            dut.a_req_valid_i.value = 0
            while len(got) < count:
                dut.a_rsp_ready_i.value = int(rng.random() < 0.6)
                await RisingEdge(dut.clk_i)
                if dut.a_rsp_valid_o.value == 1 and dut.a_rsp_ready_i.value == 1:
                    got.append(int(dut.a_rsp_data_o.value))
                await FallingEdge(dut.clk_i)
            dut.a_rsp_ready_i.value = 0
            assert got == [(address + 4 * i) ^ 0x5A5A5A5A for i in range(count)]
            for _ in range(rng.choice((0, 0, rng.randrange(20)))):
                await FallingEdge(dut.clk_i)

    async def processor() -> None:
        for _ in range(40):
            address = 4 * rng.randrange(1 << 20)
            dut.b_sel_i.value, dut.b_addr_i.value = 1, address
            while True:
                await RisingEdge(dut.clk_i)
                ready, got = dut.b_ready_o.value == 1, int(dut.b_data_o.value)
                await FallingEdge(dut.clk_i)
                if ready:
                    break
            dut.b_sel_i.value = 0
            assert got == address ^ 0x5A5A5A5A
            for _ in range(rng.choice((rng.randrange(4), rng.randrange(20)))):
                await FallingEdge(dut.clk_i)

    task = cocotb.start_soon(memory())
    await Combine(cocotb.start_soon(loader()), cocotb.start_soon(processor()))
    task.cancel()


async def ram(dut: Any) -> None:
    """Random writes of bytes and reads, against a list; the file's words come first."""
    rng = random.Random(6)
    words = [0x100 + i for i in range(16)]
    for _ in range(300):
        address, strobes, data = rng.randrange(16), rng.randrange(16) * rng.randrange(2), rng.randrange(1 << 32)
        dut.addr_i.value, dut.write_i.value, dut.data_i.value, dut.read_i.value = (
            address,
            strobes,
            data,
            int(strobes == 0),
        )
        second = address if rng.random() < 0.3 else rng.randrange(16)
        dut.addr2_i.value = second
        await RisingEdge(dut.clk_i)
        await Timer(1, "ns")
        assert int(dut.data2_o.value) == words[second] or (strobes and second == address)
        if strobes == 0:
            assert int(dut.data_o.value) == words[address]
        mask = sum(0xFF << (8 * i) for i in range(4) if strobes >> i & 1)
        words[address] = words[address] & ~mask | data & mask
        await FallingEdge(dut.clk_i)


PARTS: dict[str, Callable[[Any], Coroutine[Any, Any, None]]] = {
    "tsm_bus": decoder,
    "tsm_axil_master": axil,
    "tsm_ext_arbiter": arbiter,
    "tsm_cpu_ram": ram,
    "tsm_prefetch": ahead,
}


@cocotb.test(timeout_time=2, timeout_unit="ms")
async def accesses_arrive_and_are_answered(dut: Any) -> None:
    for handle in dut:
        if handle._name.endswith("_i") and handle._name not in ("clk_i", "rst_ni"):
            handle.value = 0
    if dut._name == "tsm_cpu_ram":
        cocotb.start_soon(Clock(dut.clk_i, 10, "ns").start())
        await FallingEdge(dut.clk_i)
    else:
        await start(dut)
    await PARTS[dut._name](dut)
