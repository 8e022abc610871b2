"""UART, timer, watchdog, interrupt controller, pins: each against what docs/soc-map.md says."""

from __future__ import annotations

import random
from collections.abc import Callable, Coroutine
from typing import Any

import cocotb
from cocotb.triggers import FallingEdge, RisingEdge
from soc_registers import clocks, field, idle, peek, poke
from streams import start
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
    for source in range(16):
        for enable in range(16):
            dut.source_i.value = source
            await poke(dut, "IRQC.ENABLE", enable)
            assert dut.irq_o.value == int(source & enable != 0)
            assert await peek(dut, "IRQC.PENDING") == source and await peek(dut, "IRQC.ENABLE") == enable


async def system(dut: Any) -> None:
    assert dut.error_o.value == 0
    await poke(dut, "SYSTEM.ERROR", 0x35)
    assert dut.error_o.value == 0x35 and await peek(dut, "SYSTEM.ERROR") == 0x35
    assert await peek(dut, "SYSTEM.RAM_BYTES") == 32768 and await peek(dut, "SYSTEM.ACT_BYTES") == 65536
    assert await peek(dut, "SYSTEM.DESC_WORDS") == 2048 and await peek(dut, "SYSTEM.EXT_BYTES") == 1 << 20
    assert dut.exit_valid_o.value == 0
    dut.req_i.value, dut.write_i.value, dut.wdata_i.value = 1, 1, 77
    dut.addr_i.value = next(r.offset for r in m.SYSTEM.registers if r.name == "EXIT")
    await RisingEdge(dut.clk_i)
    assert dut.exit_valid_o.value == 1 and dut.exit_code_o.value == 77


PARTS: dict[str, Callable[[Any], Coroutine[Any, Any, None]]] = {
    "tsm_uart": uart,
    "tsm_timer": timer,
    "tsm_watchdog": watchdog,
    "tsm_irqc": irqc,
    "tsm_system": system,
}


@cocotb.test(timeout_time=1, timeout_unit="ms")
async def the_registers_do_what_the_map_says(dut: Any) -> None:
    idle(dut)
    for name, value in (("source_i", 0), ("trap_i", 0)):
        if hasattr(dut, name):
            getattr(dut, name).value = value
    await start(dut)
    await PARTS[dut._name](dut)
