"""The sample stream unit and its parts: frames and triggers against plain Python, with random waits on both sides."""

from __future__ import annotations

import random
from collections.abc import Callable, Coroutine
from typing import Any

import cocotb
from cocotb.triggers import FallingEdge, RisingEdge
from soc_registers import clocks, field, idle, peek, poke
from soc_samples import sample, samples_come, trigger
from streams import start
from tinsmith_backends.soc import memory_map as m

BEAT = 4


async def beats(dut: Any, data: bytes, *, last: bool = True, gap: float = 0.3, seed: int = 1, ragged: int = -1) -> None:
    """A frame on the stream; beat `ragged` has a byte less than it is wide."""
    rng = random.Random(seed)
    for at in range(0, len(data), BEAT):
        while rng.random() < gap:
            await FallingEdge(dut.clk_i)
        part = data[at : at + BEAT]
        dut.s_valid_i.value = 1
        dut.s_data_i.value = int.from_bytes(part, "little")
        dut.s_keep_i.value = (1 << (len(part) - int(at // BEAT == ragged))) - 1
        dut.s_last_i.value = int(last and at + BEAT >= len(data))
        while True:
            await RisingEdge(dut.clk_i)
            taken = dut.s_ready_o.value == 1
            await FallingEdge(dut.clk_i)
            if taken:
                break
        dut.s_valid_i.value = 0


async def memory(dut: Any, store: dict[int, int], stall: float, seed: int) -> None:
    """Takes the words, byte by byte, as the activation memory would."""
    rng = random.Random(seed)
    while True:
        dut.m_ready_i.value = int(rng.random() >= stall)
        await RisingEdge(dut.clk_i)
        if dut.m_valid_o.value == 1 and dut.m_ready_i.value == 1:
            address, word, strobes = (int(getattr(dut, f"m_{name}_o").value) for name in ("addr", "data", "strb"))
            store |= {address + i: word >> (8 * i) & 255 for i in range(4) if strobes >> i & 1}
        await FallingEdge(dut.clk_i)


async def fill(dut: Any, limit: int = 4000) -> int:
    """Starts a frame and waits; its error code."""
    await poke(dut, "STREAM.CTRL", 1)
    for _ in range(limit):
        if dut.irq_o.value == 1:
            status = await peek(dut, "STREAM.STATUS")
            assert field("STREAM.STATUS.done", status) == 1
            await poke(dut, "STREAM.STATUS", 2)
            return field("STREAM.STATUS.error", status)
        await FallingEdge(dut.clk_i)
    raise AssertionError("the frame never ended")


async def frame_mode(dut: Any) -> None:
    rng = random.Random(9)
    good = 0
    for number, size in enumerate((1, 3, 4, 5, 8, 30, 33)):
        for kind in ("good", "good", "short", "long", "ragged", "stops"):
            store: dict[int, int] = {}
            sink = cocotb.start_soon(memory(dut, store, rng.choice((0.0, 0.6)), number))
            base, data = 4 * rng.randrange(100), rng.randbytes(size)
            for register, value in (("BASE", base), ("BYTES", size), ("TIMEOUT", 60), ("CONFIG", 0)):
                await poke(dut, f"STREAM.{register}", value)
            told = {"long": data + rng.randbytes(9), "short": data[: size // 2]}.get(kind, data)
            if (kind == "ragged" and size <= BEAT) or (kind in ("short", "stops") and size <= 2 * BEAT):
                sink.cancel()
                continue
            sent = told[: BEAT * (size // BEAT // 2)] if kind == "stops" else told
            source = cocotb.start_soon(
                beats(dut, sent, last=kind != "stops", seed=size, ragged=0 if kind == "ragged" else -1)
            )
            error = await fill(dut)
            await source
            expected = {"good": "NONE", "short": "STREAM_LENGTH", "long": "STREAM_LENGTH", "ragged": "STREAM_KEEP"}
            short = kind == "short" and len(told) % BEAT and len(told) < BEAT
            wanted = m.ERROR[expected.get(kind, "STREAM_TIMEOUT")]
            assert error == wanted or (short and error in (wanted, m.ERROR["STREAM_KEEP"])), (kind, size, error)
            if kind == "good":
                assert store == {base + i: byte for i, byte in enumerate(data)}
                good += 1
            sink.cancel()
    assert await peek(dut, "STREAM.FRAMES") == good and await peek(dut, "STREAM.WIDTH") == BEAT


async def stop_is_obeyed(dut: Any) -> None:
    store: dict[int, int] = {}
    sink = cocotb.start_soon(memory(dut, store, 0.0, 1))
    for register, value in (("BASE", 0), ("BYTES", 40), ("TIMEOUT", 0), ("CONFIG", 0)):
        await poke(dut, f"STREAM.{register}", value)
    await poke(dut, "STREAM.CTRL", 1)
    await beats(dut, bytes(range(12)), last=False)
    await clocks(dut, 300)  # no limit, so it waits
    assert field("STREAM.STATUS.busy", await peek(dut, "STREAM.STATUS")) == 1
    await poke(dut, "STREAM.CTRL", 2)
    await clocks(dut, 2)
    assert await peek(dut, "STREAM.STATUS") == 0
    await poke(dut, "STREAM.BYTES", 8)
    source = cocotb.start_soon(beats(dut, bytes(range(50, 58))))
    assert await fill(dut) == 0
    await source
    assert [store[i] for i in range(8)] == list(range(50, 58))
    sink.cancel()


async def words_of_a_stopped_frame_stay_with_it(dut: Any) -> None:
    """The memory is busy while a frame is given up and the next one begins elsewhere."""
    store: dict[int, int] = {}
    sink = cocotb.start_soon(memory(dut, store, 1.0, 1))
    for register, value in (("BASE", 0), ("BYTES", 40), ("TIMEOUT", 0), ("CONFIG", 0)):
        await poke(dut, f"STREAM.{register}", value)
    await poke(dut, "STREAM.CTRL", 1)
    await beats(dut, bytes(range(100, 112)), last=False)
    await poke(dut, "STREAM.CTRL", 2)
    await poke(dut, "STREAM.BASE", 200)
    await poke(dut, "STREAM.BYTES", 8)
    await poke(dut, "STREAM.CTRL", 1)
    source = cocotb.start_soon(beats(dut, bytes(range(8))))
    await clocks(dut, 20)
    sink.cancel()
    sink = cocotb.start_soon(memory(dut, store, 0.5, 2))
    await source
    await clocks(dut, 20)
    assert field("STREAM.STATUS.done", await peek(dut, "STREAM.STATUS")) == 1
    await poke(dut, "STREAM.STATUS", 2)
    assert store == {at: 100 + at for at in range(8)} | {200 + at: at for at in range(8)}
    sink.cancel()


async def trigger_mode(dut: Any) -> None:
    """Frames wait in the buffer until they are asked for; what finds no place is counted; a silent ADC is an error."""
    rng = random.Random(15)
    size, pre, shift, offset, threshold = 12, 3, 2, 40, 100
    shape = m.SAMPLE_FORMAT["INT8"]
    level = (offset << 16) | threshold
    for register, value in (
        ("BASE", 64), ("BYTES", size), ("TIMEOUT", 200), ("FRAME", pre << 16 | size), ("LEVEL", level),
        ("CONFIG", m.INPUT_MODE["TRIGGER"] | shape << 8 | shift << 16),
    ):  # fmt: skip
        await poke(dut, f"STREAM.{register}", value)
    pulses = [[rng.randint(20, 60) for _ in range(20)] + [rng.randint(110, 700) for _ in range(6)] for _ in range(11)]

    for pulse in pulses:
        await samples_come(dut, pulse)
    lost = await peek(dut, "STREAM.OVERFLOWS")
    held = len(pulses) - lost
    assert held == 5  # of 12 samples each, in a queue of 64
    for pulse in pulses[:held]:
        store: dict[int, int] = {}
        sink = cocotb.start_soon(memory(dut, store, 0.4, 3))
        if pulse is pulses[held - 1]:
            cocotb.start_soon(samples_come(dut, [30] * size))  # the last of them may still want samples
        assert await fill(dut) == 0
        frame = (pulse + [30] * size)[20 - pre : 20 - pre + size]
        expected = [max(-128, min(127, (v - offset + 2) >> shift)) & 255 for v in frame]
        found = [store[64 + i] for i in range(size)]
        assert found[: pre + 6] == expected[: pre + 6]
        sink.cancel()
    await samples_come(dut, [30] * 30)
    sink = cocotb.start_soon(memory(dut, {}, 0.0, 4))
    source = cocotb.start_soon(samples_come(dut, [30] * 10 + [500] * 3))
    assert await fill(dut) == m.ERROR["STREAM_TIMEOUT"]
    await source
    sink.cancel()
    assert await peek(dut, "STREAM.OVERFLOWS") == lost


async def stream(dut: Any) -> None:
    for name in ("s_valid_i", "s_data_i", "s_keep_i", "s_last_i", "m_ready_i"):
        getattr(dut, name).value = 0
    await frame_mode(dut)
    await stop_is_obeyed(dut)
    await words_of_a_stopped_frame_stay_with_it(dut)
    await trigger_mode(dut)


async def packer(dut: Any) -> None:
    rng = random.Random(12)
    dut.clear_i.value = 0
    for width, size in ((1, 1), (1, 7), (2, 9), (4, 4), (4, 11), (2, 8), (1, 16), (2, 10), (1, 6)):
        data = rng.randbytes(size)
        got: dict[int, int] = {}
        words = 0
        items = [data[at : at + width] for at in range(0, size, width)]
        number = 0
        dut.s_valid_i.value, dut.s_data_i.value, dut.s_count_i.value, dut.s_last_i.value = 1, 0xFFFF, 2, 0
        await FallingEdge(dut.clk_i)
        dut.s_valid_i.value, dut.clear_i.value = 0, 1  # half a word, given up
        await FallingEdge(dut.clk_i)
        dut.clear_i.value = 0
        while words < -(-size // 4):
            offer = number < len(items) and rng.random() < 0.7
            dut.s_valid_i.value = int(offer)
            if offer:
                dut.s_data_i.value = int.from_bytes(items[number], "little")
                dut.s_count_i.value, dut.s_last_i.value = len(items[number]), int(number + 1 == len(items))
            dut.m_ready_i.value = int(rng.random() < 0.5)
            await RisingEdge(dut.clk_i)
            number += int(offer and dut.s_ready_o.value == 1)
            if dut.m_valid_o.value == 1 and dut.m_ready_i.value == 1:
                word, strobes = int(dut.m_data_o.value), int(dut.m_strb_o.value)
                got |= {4 * words + i: word >> (8 * i) & 255 for i in range(4) if strobes >> i & 1}
                words += 1
            await FallingEdge(dut.clk_i)
        assert [got[i] for i in range(size)] == list(data) and len(got) == size


async def results(dut: Any) -> None:
    """Words of the processor and tensors of the memory, in order, with the last one marked; the host is slow."""
    rng = random.Random(14)
    status = next(r.offset for r in m.RESULTS.registers if r.name == "STATUS")
    got: list[tuple[int, int]] = []
    dut.sel_i.value = 0
    dut.rsp_valid_i.value = 0

    async def access(register: str, value: int) -> None:
        dut.sel_i.value, dut.write_i.value = 1, 1
        dut.addr_i.value = next(r.offset for r in m.RESULTS.registers if r.name == register)
        dut.wdata_i.value = value
        while True:
            await RisingEdge(dut.clk_i)
            ready = dut.ready_o.value == 1
            await FallingEdge(dut.clk_i)
            if ready:
                break
        dut.sel_i.value = 0
        await FallingEdge(dut.clk_i)

    async def host() -> None:
        while True:
            dut.m_ready_i.value = int(rng.random() < 0.3)
            await RisingEdge(dut.clk_i)
            if dut.m_valid_o.value == 1 and dut.m_ready_i.value == 1:
                got.append((int(dut.m_data_o.value), int(dut.m_last_o.value)))
            await FallingEdge(dut.clk_i)

    async def activations() -> None:
        while True:
            dut.req_ready_i.value = int(rng.random() < 0.5)
            await RisingEdge(dut.clk_i)
            taken = dut.req_valid_o.value == 1 and dut.req_ready_i.value == 1
            address = int(dut.req_addr_o.value)
            await FallingEdge(dut.clk_i)
            if taken:
                dut.req_ready_i.value = 0
                for _ in range(rng.randrange(3)):
                    await FallingEdge(dut.clk_i)
                dut.rsp_valid_i.value, dut.rsp_data_i.value = 1, address * 3 + 1
                await FallingEdge(dut.clk_i)
                dut.rsp_valid_i.value = 0

    tasks = [cocotb.start_soon(host()), cocotb.start_soon(activations())]
    expected: list[tuple[int, int]] = []
    for number in range(6):
        for word in range(rng.randrange(1, 25)):
            await access("DATA", 1000 * number + word)
            expected.append((1000 * number + word, 0))
        if number % 2:
            await access("LAST", number)
            expected.append((number, 1))
            continue
        base, count = 4 * rng.randrange(1000), rng.randrange(1, 40)
        await access("BASE", base)
        await access("WORDS", 1 << 31 | count)
        for _ in range(10):  # a tensor is on its way, or all is taken
            dut.sel_i.value, dut.write_i.value, dut.addr_i.value = 1, 0, status
            await RisingEdge(dut.clk_i)
            assert dut.ready_o.value == 1 and int(dut.rdata_o.value) & 3 != 3
            await FallingEdge(dut.clk_i)
        dut.sel_i.value = 0
        expected += [((base + 4 * i) * 3 + 1, int(i + 1 == count)) for i in range(count)]
    for _ in range(3000):
        if dut.irq_o.value == 1:
            break
        await FallingEdge(dut.clk_i)
    assert got == expected
    for task in tasks:
        task.cancel()


PARTS: dict[str, Callable[[Any], Coroutine[Any, Any, None]]] = {
    "tsm_stream": stream,
    "tsm_trigger": trigger,
    "tsm_packer": packer,
    "tsm_sample": sample,
    "tsm_results": results,
}


@cocotb.test(timeout_time=3, timeout_unit="ms")
async def streams_are_right(dut: Any) -> None:
    for handle in dut:
        if handle._name.endswith("_i") and handle._name not in ("clk_i", "rst_ni"):
            handle.value = 0
    await start(dut)
    if hasattr(dut, "req_i"):
        idle(dut)
    await PARTS[dut._name](dut)
