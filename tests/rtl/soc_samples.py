"""From an ADC's samples to bytes: the trigger and the conversion against plain Python."""

from __future__ import annotations

import random
from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import cocotb
from cocotb.triggers import FallingEdge, RisingEdge
from soc_registers import clocks
from tinsmith_backends.soc import memory_map as m


def triggered(samples: Sequence[int], size: int, pre: int, threshold: int) -> tuple[list[int], int]:
    """Where frames begin when every one is read at once, and how many triggers are lost.

    Crossings outside frames begin one where `pre` samples came before them since the last, else they are lost.
    """
    starts, lost, free, below = [], 0, 0, False
    for at, sample in enumerate(samples):
        if below and sample >= threshold and at >= free:
            if at - free >= pre:
                starts.append(at - pre)
                free = at - pre + size
            else:
                lost += 1
        below = sample < threshold
    return starts, lost


async def trigger(dut: Any) -> None:
    """Frames are runs of samples without a gap, from the right place; with a slow reader, lost triggers are counted."""
    rng = random.Random(10)
    depth = 64
    for size, pre, slow in (
        (16, 4, False),
        (1, 0, False),
        (30, 20, False),
        (16, 4, True),
        (30, 29, True),
        (64, 9, True),
    ):
        samples = [rng.randint(-50, 54) if rng.random() < 0.8 else rng.randint(55, 90) for _ in range(800)]
        samples += [0] * size  # behind which every frame is whole
        dut.run_i.value = dut.take_i.value = dut.m_ready_i.value = 0
        dut.rst_ni.value = 0
        await clocks(dut, 2)
        dut.rst_ni.value = 1
        dut.samples_i.value, dut.pretrigger_i.value, dut.threshold_i.value = size, pre, 55
        dut.run_i.value = 1
        frames: list[list[int]] = []
        lost = 0

        async def read(frames: list[list[int]] = frames, size: int = size, slow: bool = slow) -> None:
            reader = random.Random(size)
            while True:
                while slow and reader.random() < 0.99:
                    await FallingEdge(dut.clk_i)
                frame: list[int] = []
                while len(frame) < size:
                    dut.take_i.value = int(not frame and dut.active_o.value == 0)
                    dut.m_ready_i.value = int(reader.random() < 0.7)
                    await RisingEdge(dut.clk_i)
                    if dut.m_valid_o.value == 1 and dut.m_ready_i.value == 1:
                        value = int(dut.m_data_o.value)
                        frame.append(value - 65536 if value >= 32768 else value)
                    await FallingEdge(dut.clk_i)
                dut.take_i.value = 0
                dut.m_ready_i.value = 0
                frames.append(frame)

        task = cocotb.start_soon(read())
        for sample in samples:
            dut.s_valid_i.value, dut.s_data_i.value = 1, sample & 0xFFFF
            await RisingEdge(dut.clk_i)
            lost += int(dut.lost_o.value)
            await FallingEdge(dut.clk_i)
            dut.s_valid_i.value = 0
            for _ in range(rng.randrange(4)):
                await FallingEdge(dut.clk_i)
        await clocks(dut, 8 * depth if not slow else 1500)
        task.cancel()
        starts, early = triggered(samples, size, pre, 55)
        whole = [samples[at : at + size] for at in starts]
        if not slow:
            assert frames == whole and lost == early
            continue
        places = {tuple(samples[at : at + size]): at for at in range(len(samples))}
        found = [places[tuple(frame)] for frame in frames]
        assert 3 < len(found) < len(whole) and found == sorted(found)
        crossings = [at for at, (a, b) in enumerate(pairwise(samples), 1) if a < 55 <= b]
        outside = [at for at in crossings if not any(pre <= at - begin < size for begin in found)]
        assert {begin + pre for begin in found} <= set(crossings) and lost == len(outside) > 0
    await a_frame_that_is_given_up(dut)


async def a_frame_that_is_given_up(dut: Any) -> None:
    """Whether its last samples have come or not, the next frame is whole."""
    size, pre = 16, 4
    dut.samples_i.value, dut.pretrigger_i.value, dut.threshold_i.value = size, pre, 500
    for early in (False, True):
        dut.run_i.value = dut.take_i.value = dut.m_ready_i.value = 0
        await clocks(dut, 2)
        dut.run_i.value = 1
        pulses = [[n] * pre + [500 + n] * (size - pre) for n in range(3)]
        rest = [value for pulse in pulses for value in pulse]
        cut = size // 2 + pre if early else len(rest)
        await samples_come(dut, rest[:cut])
        dut.take_i.value, dut.m_ready_i.value = 1, 1
        await clocks(dut, 4)
        assert dut.active_o.value == 1 and dut.m_valid_o.value == 1
        dut.drop_i.value = 1
        await clocks(dut, 1)
        dut.drop_i.value = 0
        frame: list[int] = []
        queue = cocotb.start_soon(samples_come(dut, rest[cut:] + [0] * pre))
        for _ in range(100):
            await RisingEdge(dut.clk_i)
            if dut.m_valid_o.value == 1:
                frame.append(int(dut.m_data_o.value))
                dut.take_i.value = 0
            await FallingEdge(dut.clk_i)
        await queue
        assert frame == pulses[1]


async def samples_come(dut: Any, samples: Sequence[int]) -> None:
    """One every other clock."""
    for sample in samples:
        dut.s_valid_i.value, dut.s_data_i.value = 1, sample & 0xFFFF
        await FallingEdge(dut.clk_i)
        dut.s_valid_i.value = 0
        await FallingEdge(dut.clk_i)


def converted(value: int, offset: int, shape: int, shift: int) -> int:
    """What a sample becomes: one byte, or two with the first of them low."""
    v = value - offset
    if shape == m.SAMPLE_FORMAT["SPLIT"]:
        v = max(0, min((256 << shift) - 1, v))
        return v >> shift | (v & ((1 << shift) - 1)) << 8
    if shape == m.SAMPLE_FORMAT["PAIR"]:
        v = max(-32896, min(32639, v))
        high = (v + 128) >> 8
        return (high & 255) | ((v - 256 * high) & 255) << 8
    formats = {m.SAMPLE_FORMAT["INT8"]: (-128, 127), m.SAMPLE_FORMAT["INT16"]: (-32768, 32767)}
    low, top = formats.get(shape, (0, 255))
    return max(low, min(top, (v + (1 << shift >> 1)) >> shift)) & (0xFFFF if shape == m.SAMPLE_FORMAT["INT16"] else 255)


async def sample(dut: Any) -> None:
    """Every format, with waits on both sides; without them a sample a clock; a clear forgets two of them."""
    rng = random.Random(13)
    special = (-32768, -32767, -129, -128, -1, 0, 1, 127, 128, 255, 32639, 32640, 32767)
    for number in range(160):
        shape = rng.randrange(len(m.SAMPLE_FORMAT.entries))
        shift = rng.randint(1, 8) if shape == m.SAMPLE_FORMAT["SPLIT"] else rng.choice((0, rng.randrange(16)))
        offset, *values = (rng.choice((rng.choice(special), rng.randint(-32768, 32767))) for _ in range(31))
        waits = 0.4 * (number % 2)
        dut.offset_i.value, dut.format_i.value, dut.shift_i.value = offset & 0xFFFF, shape, shift
        got: list[int] = []
        sent = clock = 0
        while len(got) < len(values):
            dut.s_valid_i.value = offered = int(sent < len(values) and rng.random() >= waits)
            dut.s_data_i.value = values[min(sent, len(values) - 1)] & 0xFFFF if offered else rng.getrandbits(16)
            dut.m_ready_i.value = int(rng.random() >= waits)
            await RisingEdge(dut.clk_i)
            sent += int(offered and dut.s_ready_o.value == 1)
            if dut.m_valid_o.value == 1 and dut.m_ready_i.value == 1:
                got.append(int(dut.m_data_o.value))
            clock += 1
            await FallingEdge(dut.clk_i)
        assert got == [converted(value, offset, shape, shift) for value in values], (shape, shift, offset)
        assert waits or clock == len(values) + 2
        assert dut.pair_o.value == int(shape >= m.SAMPLE_FORMAT["PAIR"])
    dut.s_valid_i.value, dut.m_ready_i.value = 1, 0
    await clocks(dut, 3)
    assert dut.m_valid_o.value == 1 and dut.s_ready_o.value == 0
    dut.s_valid_i.value, dut.clear_i.value = 0, 1
    await clocks(dut, 1)
    dut.clear_i.value = 0
    for _ in range(4):
        assert dut.m_valid_o.value == 0
        await clocks(dut, 1)
