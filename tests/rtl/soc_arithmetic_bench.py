"""What becomes of numbers: products, checksums, requantization, tables, bytes on their way to memory."""

from __future__ import annotations

import random
import zlib
from typing import Any

import cocotb
from cocotb.triggers import FallingEdge, ReadOnly, Timer
from models import integers
from soc_bench import only, rest
from soc_chip import Chip
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


@only("tsm_mac")
async def sums_of_products(dut: Any, rng: random.Random) -> None:
    lanes, kind = integers(dut, "LANES", "KIND")
    cocotb.start_soon(cocotb.clock.Clock(dut.clk_i, 10, "ns").start())
    due: list[int] = []
    for number in range(400):
        await FallingEdge(dut.clk_i)
        if len(due) == 2:
            width = len(dut.sum_o)
            assert unpack(int(dut.sum_o.value), 1, width, signed=True) == [due.pop(0)]
        if number % 100 == 0:
            wide = number // 100 % 2 if kind != 2 else 0
            dut.wide_i.value, due = wide, []
        signed = rng.random() < 0.5
        x = [rng.choice([-128, 127]) if signed and (lane % 2 or not wide) else rng.choice([0, 255, rng.randrange(256)])
             for lane in range(lanes)]  # fmt: skip
        w = [rng.choice([0, 127, 128, rng.randrange(256)]) for _ in range(lanes)]
        if rng.random() < 0.2:
            x, w = [255] * lanes, [rng.choice([127, 128])] * lanes
        dut.x_i.value, dut.w_i.value = pack(x, 9), pack(w, 8)
        if kind == 0:
            terms = [a * (b - 256 if b > 127 else b) for a, b in zip(x, w, strict=True)]
        elif kind == 1:
            terms = [(-1 if b & 8 else 1) * (a << (b & 7)) * (b >> 4 & 1) for a, b in zip(x, w, strict=True)]
        else:
            terms = [(8 - 2 * ((a ^ b) & 255).bit_count()) * (not a & 256) for a, b in zip(x, w, strict=True)]
        due.append(sum(term << 8 * (wide and lane % 2) for lane, term in enumerate(terms)))


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


@only("tsm_requantizer")
async def requantization_is_the_contracts(dut: Any, rng: random.Random) -> None:
    cocotb.start_soon(cocotb.clock.Clock(dut.clk_i, 10, "ns").start())
    for _ in range(60):
        pair, threshold = int(rng.random() < 0.3), int(rng.random() < 0.1)
        shift = rng.choice([1, 62, rng.randint(1, 62)])
        lo, hi = sorted(rng.sample(range(-255, 256), 2)) if rng.random() < 0.5 else (0, rng.randint(1, 255))
        if rng.random() < 0.3:
            lo, hi = rng.choice([(-32768, 32767), sorted(rng.sample(range(-32768, 32768), 2))])
        dut.pair_i.value, dut.threshold_i.value, dut.shift_i.value = pair, threshold, shift
        zero = rng.choice([0, rng.randrange(256)]) if lo >= -255 and hi <= 255 else 0
        dut.lo_i.value, dut.hi_i.value, dut.zero_i.value = lo & 0xFFFF, hi & 0xFFFF, zero
        due: list[int] = []
        m_a, m_b = (rng.choice([2**22, -(2**22), rng.randint(-(2**22), 2**22)]) for _ in range(2))
        for step in range(24):
            await FallingEdge(dut.clk_i)
            if step >= 6:
                mask = 0xFF if zero else 0xFFFF  # of 16 bits there is no zero point
                assert int(dut.y_o.value) & mask == due[step - 6] & mask, f"{due[step - 6]} expected"
            if pair:
                a, b = (rng.choice([-255, 255, rng.randint(-255, 255)]) for _ in range(2))
                acc, product = (b & 0xFFFF) << 16 | a & 0xFFFF, a * m_a + b * m_b
                value = a | b << 16
            else:
                size = rng.randint(0, 31)
                value = rng.choice([*EXTREMES, rng.randint(-(2**size), 2**size - 1)])
                m_a = rng.choice([1, 2**31 - 1, 2**30, rng.randint(1, 2 ** rng.randint(1, 31) - 1)])
                acc, product = value & 0xFFFFFFFF, value * m_a
            dut.acc_i.value, dut.m_a_i.value, dut.m_b_i.value = acc, m_a & 0xFFFFFFFF, m_b & 0xFFFFFFFF
            y = min(max((product + (1 << (shift - 1))) >> shift, lo), hi)
            due.append((1 if acc < 1 << 31 else -1) if threshold else y + zero)


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
    modes = ("raw_i", "packed_i", "wide_i", "threshold_i", "pair_i", "look_up_i")
    rest(dut, "flush_i", "start_i", "m_a_i", "m_b_i", "addr_i", "count_i", "shift_i", "lo_i", "hi_i", "zero_i", *modes)
    rest(dut, "table_i", "ld_table_i")
    await start(dut)
    (held,) = integers(dut, "TABLES")
    tables = await filled(dut, rng, held, "ld_table_i")
    looked = ("look_up", "pair look_up") if held else ()
    for mode in ("requantize", "raw", "packed", "threshold", "pair", "wide", "wide pair", *looked) * 3:
        dut.table_i.value = table = rng.randrange(held or 1)
        for name in modes:
            getattr(dut, name).value = int(name[:-2] in mode or (mode == "packed" and name == "threshold_i"))
        shift, lo, hi, zero = rng.randint(1, 20 if "pair" in mode else 40), -128, 127, rng.randrange(256)
        if "wide" in mode:
            lo, hi, zero = *rng.choice([(-32768, 32767), (-30000, 1000)]), 0
        dut.zero_i.value = zero
        m_a, m_b = rng.randint(-(2**20), 2**20), rng.randint(-(2**20), 2**20)
        dut.m_a_i.value, dut.m_b_i.value = m_a & 0xFFFFFFFF, m_b & 0xFFFFFFFF
        dut.shift_i.value, dut.lo_i.value, dut.hi_i.value = shift, lo & 0xFFFF, hi & 0xFFFF
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
                at_once = Chip(rqs=rqs).wide if "wide" in mode else rqs
                wait = {"raw": count, "packed": 1}.get(mode, -(-count // at_once)) + rng.choice([0, 0, 1, 5])
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
                    data = [min(max((v + half) >> shift, lo), hi) + zero for v in sums[:count]]
                    data = (
                        list(pack(data, 16).to_bytes(2 * count, "little"))
                        if "wide" in mode
                        else [v & 255 for v in data]
                    )
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
