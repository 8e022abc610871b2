"""Memories, and who of several may use one: random accesses against lists."""

from __future__ import annotations

import random
from typing import Any

import cocotb
from cocotb.triggers import FallingEdge, ReadOnly
from models import integers
from soc_bench import only, rest
from streams import pack, start, unpack


@only("tsm_ram")
async def a_memory_keeps_what_is_written(dut: Any, rng: random.Random) -> None:
    width, depth = integers(dut, "WIDTH", "DEPTH")
    rest(dut, "we_i", "re_i")
    cocotb.start_soon(cocotb.clock.Clock(dut.clk_i, 10, "ns").start())
    held = [0] * depth
    shown = None
    for _ in range(300):
        await FallingEdge(dut.clk_i)
        if shown is not None:
            assert int(dut.rdata_o.value) == shown
        write, read = rng.randrange(depth), rng.randrange(depth)
        dut.we_i.value, dut.waddr_i.value = (on := rng.randint(0, 1)), write
        dut.wdata_i.value = value = rng.getrandbits(width)
        dut.re_i.value = ask = int(rng.random() < 0.6 and read != write)
        dut.raddr_i.value = read
        if ask:
            shown = held[read]
        if on:
            held[write] = value


@only("tsm_act_mem")
async def bytes_are_read_and_written_anywhere(dut: Any, rng: random.Random) -> None:
    size, lanes, width, patience = integers(dut, "ACT_BYTES", "LANES", "BYTES", "PATIENCE")
    rest(dut, "rd_valid_i", "wr_valid_i", "bus_req_i", "bus_we_i", "bus_be_i", "wr_be_i")
    await start(dut)
    held = [0] * size
    engine = bus = None  # what the reads of the clock before must show
    waited = 0
    for _ in range(1500):
        await FallingEdge(dut.clk_i)
        if engine is not None:
            assert unpack(int(dut.rd_data_o.value), lanes, 8, signed=False) == engine
        if bus is not None:
            assert unpack(int(dut.bus_rdata_o.value), 4, 8, signed=False) == bus
        engine = bus = None
        pausing = dut.pause_o.value == 1
        assert pausing == (waited >= patience)
        busy = 0.1 if pausing else 0.9
        reads, writes = rng.random() < busy, rng.random() < busy
        at, to, enables = rng.randrange(size), rng.randrange(size), rng.getrandbits(width)
        data = [rng.randrange(256) for _ in range(width)]
        dut.rd_valid_i.value, dut.rd_addr_i.value = int(reads), at
        dut.wr_valid_i.value, dut.wr_addr_i.value, dut.wr_be_i.value = int(writes), to, enables
        dut.wr_data_i.value = pack(data, 8)
        if not waited:
            asks, we, strobe = rng.random() < 0.5, rng.randint(0, 1), rng.getrandbits(4)
            where, word = 4 * rng.randrange(size // 4), [rng.randrange(256) for _ in range(4)]
            dut.bus_req_i.value, dut.bus_we_i.value, dut.bus_be_i.value = int(asks), we, strobe
            dut.bus_addr_i.value, dut.bus_wdata_i.value = where, pack(word, 8)
        touched = {(to + j) % size for j in range(width) if enables >> j & 1} if writes else set()
        await ReadOnly()
        granted = dut.bus_gnt_o.value == 1
        assert granted == (asks and not (writes if we else reads))
        waited = min(waited + 1, patience) if asks and not granted else 0
        if granted and we:
            touched |= {where + j for j in range(4) if strobe >> j & 1}
        if reads and not touched & {(at + j) % size for j in range(lanes)}:
            engine = [held[(at + j) % size] for j in range(lanes)]
        if granted and not we and not touched & set(range(where, where + 4)):
            bus = held[where : where + 4]
        for j in range(width):
            if writes and enables >> j & 1:
                held[(to + j) % size] = data[j]
        for j in range(4):
            if granted and we and strobe >> j & 1:
                held[where + j] = word[j]


@only("tsm_desc_mem")
async def three_readers_share_the_descriptors(dut: Any, rng: random.Random) -> None:
    (depth,) = integers(dut, "DESC_WORDS")
    rest(dut, "compute_req_i", "load_req_i", "bus_req_i", "bus_we_i")
    await start(dut)
    held = [0] * depth
    due: tuple[str, int] | None = None
    readers = ("compute", "load", "bus")
    for _ in range(600):
        await FallingEdge(dut.clk_i)
        shown = [name for name in readers if getattr(dut, f"{name}_rvalid_o").value == 1]
        assert shown == ([due[0]] if due else [])
        if due:
            assert int(dut.rdata_o.value) == due[1]
        asks = {name: int(rng.random() < 0.4) for name in readers}
        where = {name: rng.randrange(depth) for name in readers}
        we, value = rng.randint(0, 1), rng.getrandbits(32)
        for name in readers:
            getattr(dut, f"{name}_req_i").value = asks[name]
            getattr(dut, f"{name}_addr_i").value = where[name]
        dut.bus_we_i.value, dut.bus_wdata_i.value = we, value
        await ReadOnly()
        granted = [name for name in readers if getattr(dut, f"{name}_gnt_o").value == 1]
        writes = bool(asks["bus"] and we)
        wanted = [name for name in readers if asks[name] and not (name == "bus" and we)][:1]
        assert granted == wanted + ["bus"] * writes
        due = None
        if wanted:
            clash = writes and where["bus"] == where[wanted[0]]
            due = (wanted[0], int(dut.rdata_o.value) if clash else held[where[wanted[0]]])
            if clash:  # anything may be read: look at the answer's owner only
                due = None
                await FallingEdge(dut.clk_i)
                rest(dut, "compute_req_i", "load_req_i", "bus_req_i")
        if writes:
            held[where["bus"]] = value


@only("tsm_arbiter")
async def requesters_take_turns(dut: Any, rng: random.Random) -> None:
    rest(dut, "a_req_i", "b_req_i", "ready_i")
    await start(dut)
    last = "b"
    for _ in range(200):
        a, b, ready = (rng.randint(0, 1) for _ in range(3))
        dut.a_req_i.value, dut.b_req_i.value, dut.ready_i.value = a, b, ready
        await ReadOnly()
        winner = ("a" if last == "b" else "b") if a and b else "a" if a else "b" if b else ""
        assert (int(dut.a_gnt_o.value), int(dut.b_gnt_o.value)) == (ready * (winner == "a"), ready * (winner == "b"))
        if ready and winner:
            last = winner
        await FallingEdge(dut.clk_i)
