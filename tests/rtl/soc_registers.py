"""One access to a block of registers, as tsm_bus makes it: one clock long. Inputs change on falling edges."""

from __future__ import annotations

from typing import Any

from cocotb.triggers import FallingEdge, RisingEdge, Timer
from tinsmith_backends.soc import memory_map as m

OFFSET = {f"{block.name}.{register.name}": register.offset for block in m.BLOCKS for register in block.registers}


def idle(dut: Any) -> None:
    dut.req_i.value = 0
    dut.write_i.value = 0
    dut.addr_i.value = 0
    dut.wdata_i.value = 0


async def poke(dut: Any, register: str, value: int) -> None:
    dut.req_i.value = 1
    dut.write_i.value = 1
    dut.addr_i.value = OFFSET[register]
    dut.wdata_i.value = value & 0xFFFFFFFF
    await FallingEdge(dut.clk_i)
    idle(dut)


async def peek(dut: Any, register: str) -> int:
    dut.req_i.value = 1
    dut.write_i.value = 0
    dut.addr_i.value = OFFSET[register]
    await Timer(1, "ns")
    value = int(dut.rdata_o.value)
    await FallingEdge(dut.clk_i)
    idle(dut)
    return value


async def clocks(dut: Any, count: int) -> None:
    for _ in range(count):
        await RisingEdge(dut.clk_i)
    await FallingEdge(dut.clk_i)


def field(record: str, value: int) -> int:
    """The value of a register's field, `BLOCK.REGISTER.field`."""
    block, register, name = record.split(".")
    registers = {each.name: each for b in m.BLOCKS if b.name == block for each in b.registers}
    bits = next(each for each in registers[register].bits if each.name == name)
    return (value >> bits.low) & ((1 << bits.width) - 1)
