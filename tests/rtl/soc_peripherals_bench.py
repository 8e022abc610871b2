"""UART, timer, watchdog, interrupt controller, pins: each against what docs/soc-map.md says."""

from __future__ import annotations

import random
from collections.abc import Callable, Coroutine
from typing import Any

import cocotb
from cocotb.triggers import FallingEdge, RisingEdge
from soc_bench import quiet, rest
from soc_registers import clocks, field, peek, poke
from streams import reset, start
from tinsmith_backends.soc import memory_map as m


async def receive(dut: Any, divisor: int, count: int) -> list[int]:
    """Bytes of the line, sampled in the middle of every bit."""
    found = []
    while len(found) < count:
        await FallingEdge(dut.tx_o)
        await clocks(dut, divisor + divisor // 2)
        byte = 0
        for bit in range(8):
            byte |= int(dut.tx_o.value) << bit
            await clocks(dut, divisor)
        assert dut.tx_o.value == 1, "no stop bit"
        found.append(byte)
    return found


async def uart(dut: Any) -> None:
    rng = random.Random(1)
    assert await peek(dut, "UART.DIVISOR") == 5  # the parameter
    for divisor in (4, 9):
        await poke(dut, "UART.DIVISOR", divisor)
        assert await peek(dut, "UART.DIVISOR") == divisor
        data = [0, 255, *(rng.randrange(256) for _ in range(6))]
        task = cocotb.start_soon(receive(dut, divisor, len(data)))
        for byte in data:
            while field("UART.STATUS.full", await peek(dut, "UART.STATUS")):
                pass
            await poke(dut, "UART.DATA", byte)
        assert field("UART.STATUS.busy", await peek(dut, "UART.STATUS")) == 1
        assert await task == data
        await clocks(dut, 2 * divisor)
        assert await peek(dut, "UART.STATUS") == 0
        await poke(dut, "UART.DATA", 0x55)
        await clocks(dut, 5 * divisor)  # nothing waits, but not all is sent
        assert field("UART.STATUS.busy", await peek(dut, "UART.STATUS")) == 1
        await clocks(dut, 7 * divisor)


async def timer(dut: Any) -> None:
    first = await peek(dut, "TIMER.COUNT")
    await clocks(dut, 20)
    second = await peek(dut, "TIMER.COUNT")
    assert 20 <= second - first <= 23 and await peek(dut, "TIMER.COUNT_HIGH") == 0
    assert dut.irq_o.value == 0  # COMPARE was never written
    await poke(dut, "TIMER.COMPARE", second + 30)
    waited = 0
    while dut.irq_o.value == 0:
        await clocks(dut, 1)
        waited += 1
    assert 20 < waited < 32
    await poke(dut, "TIMER.COMPARE", (second + 2**31 - 5) & 0xFFFFFFFF)
    assert dut.irq_o.value == 0 and await peek(dut, "TIMER.COMPARE") == second + 2**31 - 5
    await poke(dut, "TIMER.COMPARE", second - 1)
    assert dut.irq_o.value == 1
    dut.count_q.value = 2**32 - 3
    await clocks(dut, 1)
    low = await peek(dut, "TIMER.COUNT")
    await clocks(dut, 20)
    assert low > 2**31 and await peek(dut, "TIMER.COUNT_HIGH") == 0  # of that read
    assert await peek(dut, "TIMER.COUNT") < 40 and await peek(dut, "TIMER.COUNT_HIGH") == 1


async def watchdog(dut: Any) -> None:
    dut.trap_i.value = 0
    await clocks(dut, 10)
    assert dut.rst_no.value == 1 and await peek(dut, "WATCHDOG.CAUSE") == 0
    await poke(dut, "WATCHDOG.RELOAD", 40)
    for _ in range(4):  # kicks keep it quiet
        await clocks(dut, 30)
        assert dut.rst_no.value == 1
        await poke(dut, "WATCHDOG.KICK", m.WATCHDOG_KEY)
    await clocks(dut, 30)
    await poke(dut, "WATCHDOG.KICK", m.WATCHDOG_KEY ^ 1)  # another word is no kick
    await clocks(dut, 10)
    assert dut.rst_no.value == 0
    await RisingEdge(dut.rst_no)
    await clocks(dut, 100)  # a restart switches it off
    assert dut.rst_no.value == 1 and await peek(dut, "WATCHDOG.CAUSE") == 1
    await FallingEdge(dut.clk_i)
    dut.trap_i.value = 1
    await clocks(dut, 1)
    dut.trap_i.value = 0
    assert dut.rst_no.value == 0
    await RisingEdge(dut.rst_no)
    await clocks(dut, 1)
    assert await peek(dut, "WATCHDOG.CAUSE") == 3
    await poke(dut, "WATCHDOG.CAUSE", 1)
    assert await peek(dut, "WATCHDOG.CAUSE") == 2


async def irqc(dut: Any) -> None:
    dut.source_i.value = 15
    assert await peek(dut, "IRQC.ENABLE") == 0 and dut.irq_o.value == 0
    for source in range(16):
        for enable in range(16):
            dut.source_i.value = source
            await poke(dut, "IRQC.ENABLE", enable)
            assert await peek(dut, "IRQC.PENDING") == source and await peek(dut, "IRQC.ENABLE") == enable
            assert dut.irq_o.value == int(source & enable != 0)  # which reading has not changed


async def system(dut: Any) -> None:
    assert dut.error_o.value == 0
    write = cocotb.start_soon(poke(dut, "SYSTEM.ERROR", 0x35))
    await RisingEdge(dut.clk_i)
    assert dut.exit_valid_o.value == 0
    await write
    assert dut.error_o.value == 0x35 and await peek(dut, "SYSTEM.ERROR") == 0x35
    assert await peek(dut, "SYSTEM.RAM_BYTES") == 32768 and await peek(dut, "SYSTEM.ACT_BYTES") == 65536
    assert await peek(dut, "SYSTEM.DESC_WORDS") == 2048 and await peek(dut, "SYSTEM.EXT_BYTES") == 1 << 20
    assert dut.exit_valid_o.value == 0 and dut.error_o.value == 0x35
    dut.req_i.value, dut.write_i.value, dut.wdata_i.value = 1, 1, 77
    dut.addr_i.value = next(r.offset for r in m.SYSTEM.registers if r.name == "EXIT")
    await RisingEdge(dut.clk_i)
    assert dut.exit_valid_o.value == 1 and dut.exit_code_o.value == 77


async def stream_regs(dut: Any) -> None:
    """Configuration reaches its outputs and is read back; pulses last as long as the write; events are counted."""
    rng = random.Random(7)
    outputs = {"BASE": "base_o", "BYTES": "bytes_o", "TIMEOUT": "timeout_o"}
    for _ in range(20):
        written = {name: rng.getrandbits(32) for name in (*outputs, "FRAME", "LEVEL")}
        written["CONFIG"] = config = rng.randrange(2) | rng.randrange(4) << 8 | rng.randrange(16) << 16
        for name, value in written.items():
            await poke(dut, f"STREAM.{name}", value)
        for name, value in written.items():
            assert await peek(dut, f"STREAM.{name}") == value
        assert all(int(getattr(dut, port).value) == written[name] for name, port in outputs.items())
        halves = [written["FRAME"] & 0xFFFF, written["FRAME"] >> 16, written["LEVEL"] & 0xFFFF, written["LEVEL"] >> 16]
        ports = ("samples_o", "pretrigger_o", "threshold_o", "offset_o")
        assert [int(getattr(dut, port).value) for port in ports] == halves
        shown = (dut.trigger_o.value, dut.format_o.value, dut.shift_o.value)
        assert tuple(int(value) for value in shown) == (config & 1, config >> 8 & 3, config >> 16)
    lost = filled = 0
    for _ in range(60):
        busy, done, error = rng.randrange(2), rng.randrange(2), rng.randrange(256)
        dut.busy_i.value, dut.done_i.value, dut.error_i.value = busy, done, error
        dut.lost_i.value, dut.filled_i.value = (now := rng.randrange(2)), (other := rng.randrange(2))
        assert await peek(dut, "STREAM.STATUS") == error << 8 | done << 1 | busy
        lost, filled = lost + now, filled + other
        rest(dut, "lost_i", "filled_i")
        assert await peek(dut, "STREAM.OVERFLOWS") == lost and await peek(dut, "STREAM.FRAMES") == filled
    assert await peek(dut, "STREAM.WIDTH") == 4 and await peek(dut, "STREAM.DEPTH") == 64
    for register, value, pulses in (("CTRL", 1, (1, 0, 0)), ("CTRL", 2, (0, 1, 0)), ("STATUS", 2, (0, 0, 1)),
                                    ("STATUS", 1, (0, 0, 0)), ("BASE", 3, (0, 0, 0))):  # fmt: skip
        write = cocotb.start_soon(poke(dut, f"STREAM.{register}", value))
        await RisingEdge(dut.clk_i)
        assert tuple(int(port.value) for port in (dut.start_o, dut.stop_o, dut.clear_o)) == pulses
        await write
        await clocks(dut, 1)
        assert (dut.start_o.value, dut.stop_o.value, dut.clear_o.value) == (0, 0, 0)
    await reset(dut)
    for name in (*outputs, "FRAME", "LEVEL", "CONFIG", "OVERFLOWS", "FRAMES"):
        assert await peek(dut, f"STREAM.{name}") == 0, name


PARTS: dict[str, Callable[[Any], Coroutine[Any, Any, None]]] = {
    "tsm_uart": uart,
    "tsm_timer": timer,
    "tsm_watchdog": watchdog,
    "tsm_irqc": irqc,
    "tsm_system": system,
    "tsm_stream_regs": stream_regs,
}


@cocotb.test(timeout_time=1, timeout_unit="ms")
async def the_registers_do_what_the_map_says(dut: Any) -> None:
    quiet(dut)
    await start(dut)
    await PARTS[dut._name](dut)
