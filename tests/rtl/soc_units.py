"""The cocotb bench of the accelerator's modules, each beside a few lines of Python that say what it computes."""

from __future__ import annotations

import random
import zlib
from typing import Any

import cocotb
from cocotb.triggers import Combine, FallingEdge, ReadOnly, RisingEdge, Timer
from models import integers
from soc_bench import clocks, only, rest
from streams import pack, start, unpack

EXTREMES = [0, 1, -1, 2**31 - 1, -(2**31), 2**30, -(2**30)]


@only("tsm_crc32")
async def checksums_are_zlibs(dut: Any, rng: random.Random) -> None:
    data = b""
    register = 0xFFFFFFFF
    for _ in range(50):
        word = rng.getrandbits(32)
        data += word.to_bytes(4, "little")
        dut.crc_i.value, dut.word_i.value = register, word
        await Timer(1, "ns")
        register = int(dut.crc_o.value)
        assert register ^ 0xFFFFFFFF == zlib.crc32(data)


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


@only("tsm_mac")
async def sums_of_products(dut: Any, rng: random.Random) -> None:
    lanes, kind = integers(dut, "LANES", "KIND")
    cocotb.start_soon(cocotb.clock.Clock(dut.clk_i, 10, "ns").start())
    due: list[int] = []
    for _ in range(200):
        await FallingEdge(dut.clk_i)
        if len(due) == 2:
            width = len(dut.sum_o)
            assert unpack(int(dut.sum_o.value), 1, width, signed=True) == [due.pop(0)]
        signed = rng.random() < 0.5
        x = [rng.choice([-128, 127]) if signed else rng.choice([0, 255, rng.randrange(256)]) for _ in range(lanes)]
        w = [rng.choice([0, 127, 128, rng.randrange(256)]) for _ in range(lanes)]
        dut.x_i.value, dut.w_i.value = pack(x, 9), pack(w, 8)
        if kind == 0:
            due.append(sum(a * (b - 256 if b > 127 else b) for a, b in zip(x, w, strict=True)))
        elif kind == 1:
            due.append(sum((-1 if b & 8 else 1) * (a << (b & 7)) for a, b in zip(x, w, strict=True) if b & 16))
        else:
            due.append(sum(8 - 2 * ((a ^ b) & 255).bit_count() for a, b in zip(x, w, strict=True) if not a & 256))


@only("tsm_requantizer")
async def requantization_is_the_contracts(dut: Any, rng: random.Random) -> None:
    cocotb.start_soon(cocotb.clock.Clock(dut.clk_i, 10, "ns").start())
    for _ in range(60):
        pair, threshold = int(rng.random() < 0.3), int(rng.random() < 0.1)
        shift = rng.choice([1, 62, rng.randint(1, 62)])
        lo, hi = sorted(rng.sample(range(-128, 128), 2)) if rng.random() < 0.5 else (0, rng.randint(1, 255))
        dut.pair_i.value, dut.threshold_i.value, dut.shift_i.value = pair, threshold, shift
        dut.lo_i.value, dut.hi_i.value = lo & 0xFFFF, hi & 0xFFFF
        due: list[int] = []
        m_a, m_b = (rng.choice([2**22, -(2**22), rng.randint(-(2**22), 2**22)]) for _ in range(2))
        for step in range(24):
            await FallingEdge(dut.clk_i)
            if step >= 6:
                assert int(dut.y_o.value) == due[step - 6] & 0xFF, f"{due[step - 6]} expected"
            if pair:
                a, b = (rng.choice([-128, 255, rng.randint(-128, 255)]) for _ in range(2))
                acc, product = (b & 0xFFFF) << 16 | a & 0xFFFF, a * m_a + b * m_b
                value = a | b << 16
            else:
                size = rng.randint(0, 31)
                value = rng.choice([*EXTREMES, rng.randint(-(2**size), 2**size - 1)])
                m_a = rng.choice([1, 2**31 - 1, 2**30, rng.randint(1, 2 ** rng.randint(1, 31) - 1)])
                acc, product = value & 0xFFFFFFFF, value * m_a
            dut.acc_i.value, dut.m_a_i.value, dut.m_b_i.value = acc, m_a & 0xFFFFFFFF, m_b & 0xFFFFFFFF
            y = min(max((product + (1 << (shift - 1))) >> shift, lo), hi)
            due.append((1 if acc < 1 << 31 else -1) if threshold else y)


@only("tsm_history")
async def every_row_remembers_its_columns(dut: Any, rng: random.Random) -> None:
    (lanes,) = integers(dut, "LANES")
    rest(dut, "step_i")
    cocotb.start_soon(cocotb.clock.Clock(dut.clk_i, 10, "ns").start())
    rows = [[0] * (lanes - 1) for _ in range(8)]
    for _ in range(200):
        await FallingEdge(dut.clk_i)
        step, row, value = rng.randint(0, 1), rng.randrange(8), rng.randrange(512)
        dut.step_i.value, dut.ky_i.value, dut.byte_i.value = step, row, value
        await ReadOnly()
        assert unpack(int(dut.lanes_o.value), lanes, 9, signed=False) == [value, *rows[row]]
        if step:
            rows[row] = [value, *rows[row]][: lanes - 1]


@only("tsm_axil")
async def reads_and_writes_reach_the_bus_once(dut: Any, rng: random.Random) -> None:
    """Channels that do not wait for each other: the next address may stand there before the last answer was taken."""
    rest(dut, *(f"axil_{name}_i" for name in ("awvalid", "wvalid", "bready", "arvalid", "rready")), "bus_gnt_i")
    rest(dut, "bus_rvalid_i")
    await start(dut)
    held = {4 * n: rng.getrandbits(32) for n in range(64)}
    expected = dict(held)
    asked: list[int] = []
    writes = [(4 * rng.randrange(32), rng.getrandbits(32), rng.randrange(16)) for _ in range(40)]
    reads = [4 * rng.randrange(32, 64) for _ in range(40)]

    async def memory() -> None:
        while True:
            await FallingEdge(dut.clk_i)
            dut.bus_rvalid_i.value = 0
            if asked and rng.random() < 0.5:
                dut.bus_rvalid_i.value, dut.bus_rdata_i.value = 1, held[asked.pop(0)]
            dut.bus_gnt_i.value = 0
            await Timer(1, "ns")
            if dut.bus_req_o.value == 1 and rng.random() < 0.5:
                dut.bus_gnt_i.value = 1
                address = int(dut.bus_addr_o.value)
                if dut.bus_we_o.value == 1:
                    held[address] = merged(held[address], int(dut.bus_wdata_o.value), int(dut.bus_be_o.value))
                else:
                    asked.append(address)

    async def send(channel: str, items: list[dict[str, int]]) -> None:
        for item in items:
            await clocks(dut, rng.choice([0, 0, 1, 3]))
            for name, value in {**item, f"{channel}valid": 1}.items():
                getattr(dut, f"axil_{name}_i").value = value
            taken = False
            while not taken:
                await RisingEdge(dut.clk_i)
                taken = getattr(dut, f"axil_{channel}ready_o").value == 1
                await FallingEdge(dut.clk_i)
            getattr(dut, f"axil_{channel}valid_i").value = 0

    async def take(channel: str, found: list[int]) -> None:
        while True:
            getattr(dut, f"axil_{channel}ready_i").value = ready = int(rng.random() < 0.4)
            await RisingEdge(dut.clk_i)
            if ready and getattr(dut, f"axil_{channel}valid_o").value == 1:
                response = getattr(dut, f"axil_{channel}resp_o").value
                found.append(int(dut.axil_rdata_o.value) if channel == "r" else int(response))
            await FallingEdge(dut.clk_i)

    answers: list[int] = []
    found: list[int] = []
    for task in (memory(), take("b", answers), take("r", found)):
        cocotb.start_soon(task)
    await Combine(
        cocotb.start_soon(send("aw", [{"awaddr": address} for address, _, _ in writes])),
        cocotb.start_soon(send("w", [{"wdata": value, "wstrb": strobe} for _, value, strobe in writes])),
        cocotb.start_soon(send("ar", [{"araddr": address} for address in reads])),
    )
    await clocks(dut, 60)
    for address, value, strobe in writes:
        expected[address] = merged(expected[address], value, strobe)
    assert held == expected and answers == [0] * len(writes)
    assert found == [expected[address] for address in reads]


def merged(word: int, value: int, strobe: int) -> int:
    """A word after a write with strobes."""
    mask = sum(0xFF << (8 * i) for i in range(4) if strobe >> i & 1)
    return word & ~mask | value & mask


async def filled(dut: Any, rng: random.Random, count: int, enable: str) -> list[int]:
    """The bytes of random tables that were written word by word."""
    words = [rng.getrandbits(32) for _ in range(64 * count)]
    for address, word in rng.sample(list(enumerate(words)), len(words)):
        getattr(dut, enable).value, dut.ld_addr_i.value, dut.ld_data_i.value = 1, address, word
        await FallingEdge(dut.clk_i)
    # What is not to be written stands there too.
    getattr(dut, enable).value, dut.ld_addr_i.value, dut.ld_data_i.value = 0, rng.randrange(16), rng.getrandbits(32)
    return [byte for word in words for byte in unpack(word, 4, 8, signed=False)]


@only("tsm_tables")
async def bytes_become_their_entries(dut: Any, rng: random.Random) -> None:
    rqs, count = integers(dut, "RQS", "TABLES")
    rest(dut, "ld_i", "table_i", "bytes_i")
    cocotb.start_soon(cocotb.clock.Clock(dut.clk_i, 10, "ns").start())
    await FallingEdge(dut.clk_i)
    held = await filled(dut, rng, count, "ld_i")
    every = [(table, byte) for table in range(count) for byte in range(256)]
    rng.shuffle(every)
    while every:
        table = every[0][0]
        chosen = [each for each in every if each[0] == table][:rqs]
        every = [each for each in every if each not in chosen]
        data = [byte for _, byte in chosen] + [rng.randrange(256) for _ in range(rqs - len(chosen))]
        dut.table_i.value, dut.bytes_i.value = table, pack(data, 8)
        await FallingEdge(dut.clk_i)
        # Neither the next bytes nor a write elsewhere changes what was read.
        dut.table_i.value, dut.bytes_i.value = rng.randrange(count), rng.getrandbits(8 * rqs)
        await Timer(1, "ns")
        found = unpack(int(dut.results_o.value), rqs, 8, signed=False)
        assert found == [held[256 * table + byte] for byte in data]


@only("tsm_drain")
async def results_become_bytes_at_their_addresses(dut: Any, rng: random.Random) -> None:
    pes, rqs, width = integers(dut, "PES", "RQS", "BYTES")
    modes = ("raw_i", "packed_i", "threshold_i", "pair_i", "look_up_i")
    rest(dut, "flush_i", "start_i", "m_a_i", "m_b_i", "addr_i", "count_i", "shift_i", "lo_i", "hi_i", *modes)
    rest(dut, "table_i", "ld_table_i")
    await start(dut)
    (held,) = integers(dut, "TABLES")
    tables = await filled(dut, rng, held, "ld_table_i")
    looked = ("look_up", "pair look_up") if held else ()
    for mode in ("requantize", "raw", "packed", "threshold", "pair", *looked) * 3:
        dut.table_i.value = table = rng.randrange(held or 1)
        for name in modes:
            getattr(dut, name).value = int(name[:-2] in mode or (mode == "packed" and name == "threshold_i"))
        shift, lo, hi = rng.randint(1, 20 if "pair" in mode else 40), -128, 127
        m_a, m_b = rng.randint(-(2**20), 2**20), rng.randint(-(2**20), 2**20)
        dut.m_a_i.value, dut.m_b_i.value = m_a & 0xFFFFFFFF, m_b & 0xFFFFFFFF
        dut.shift_i.value, dut.lo_i.value, dut.hi_i.value = shift, lo & 0xFFFF, hi
        made: dict[int, int] = {}
        found: dict[int, int] = {}
        wait = 0
        while wait > 0 or len(made) < 60 or dut.busy_o.value == 1:
            dut.start_i.value = 0
            if wait <= 0 and len(made) < 60:
                count, at = rng.randint(1, pes), len(made) + 3
                values = [rng.randint(-(2**31), 2**31 - 1) for _ in range(pes)]
                factors = [rng.randint(1, 2**31 - 1) for _ in range(pes)]
                dut.start_i.value, dut.addr_i.value, dut.count_i.value = 1, at, count
                if "pair" in mode:
                    values = [rng.randint(-128, 127) + 65536 * rng.randint(-128, 127) for _ in range(pes)]
                dut.results_i.value, dut.multipliers_i.value = pack(values, 32), pack(factors, 32)
                wait = {"raw": count, "packed": 1}.get(mode, -(-count // rqs)) + rng.choice([0, 0, 1, 5])
                if mode == "raw":
                    data = list(pack(values[:count], 32).to_bytes(4 * count, "little"))
                elif mode == "packed":
                    data = list(
                        sum((v < 0) << i for i, v in enumerate(values[:count])).to_bytes(-(-count // 8), "little")
                    )
                elif mode == "threshold":
                    data = [1 if v >= 0 else 255 for v in values[:count]]
                else:
                    half = 1 << (shift - 1)
                    sums = [v * m for v, m in zip(values, factors, strict=True)]
                    if "pair" in mode:
                        halves = [unpack(v & 0xFFFFFFFF, 2, 16, signed=True) for v in values]
                        sums = [a * m_a + b * m_b for a, b in halves]
                    data = [min(max((v + half) >> shift, lo), hi) & 255 for v in sums[:count]]
                    data = [tables[256 * table + v] for v in data] if "look_up" in mode else data
                made |= {at + i: value for i, value in enumerate(data)}
            wait -= 1
            await FallingEdge(dut.clk_i)
            if dut.wr_valid_o.value == 1:
                at, enables = int(dut.wr_addr_o.value), int(dut.wr_be_o.value)
                data = unpack(int(dut.wr_data_o.value), width, 8, signed=False)
                for i in range(width):
                    if enables >> i & 1:
                        assert at + i not in found, "a byte is written twice"
                        found[at + i] = data[i]
        assert found == made, mode


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
