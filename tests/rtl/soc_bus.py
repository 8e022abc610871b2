"""The world around tsm_accel for cocotb: CPU, word port, external memory. Inputs change on falling edges."""

from __future__ import annotations

import random
from collections.abc import Iterable
from typing import Any

import cocotb
import numpy as np
from cocotb.triggers import FallingEdge, RisingEdge
from numpy.typing import NDArray
from soc_chip import Chip, pack
from soc_random import Program
from tinsmith_backends.soc import memory_map

CSR = {register.name: register.offset for register in memory_map.ACCEL.registers}
DESCRIPTORS, ACTIVATIONS = 0x1_0000, 0x10_0000
START, ABORT, IRQ_ENABLE = 1, 2, 4
DONE, ERROR = 2, 4


def quiet(dut: Any) -> None:
    """All inputs at rest."""
    for name in ("axil_awvalid", "axil_wvalid", "axil_bready", "axil_arvalid", "axil_rready", "dma_req_valid"):
        getattr(dut, f"{name}_i").value = 0
    dut.ext_req_ready_i.value = 0
    dut.ext_rsp_valid_i.value = 0
    dut.dma_req_write_i.value = 0
    dut.dma_req_wstrb_i.value = 0


async def _until(dut: Any, signal: Any, limit: int = 5_000) -> None:
    """Through the rising edge at which the signal is high, to the falling edge behind it."""
    for _ in range(limit):
        await RisingEdge(dut.clk_i)
        high = signal.value == 1
        await FallingEdge(dut.clk_i)
        if high:
            return
    raise AssertionError(f"{signal._name} never came")


async def write(dut: Any, address: int, value: int, strobe: int = 15) -> None:
    """One AXI4-Lite write."""
    dut.axil_awaddr_i.value = address
    dut.axil_wdata_i.value = value & 0xFFFFFFFF
    dut.axil_wstrb_i.value = strobe
    dut.axil_awvalid_i.value = 1
    dut.axil_wvalid_i.value = 1
    await _until(dut, dut.axil_awready_o)
    dut.axil_awvalid_i.value = 0
    dut.axil_wvalid_i.value = 0
    dut.axil_bready_i.value = 1
    if dut.axil_bvalid_o.value != 1:
        await _until(dut, dut.axil_bvalid_o)
    else:
        await FallingEdge(dut.clk_i)
    dut.axil_bready_i.value = 0


async def read(dut: Any, address: int) -> int:
    """One AXI4-Lite read."""
    dut.axil_araddr_i.value = address
    dut.axil_arvalid_i.value = 1
    await _until(dut, dut.axil_arready_o)
    dut.axil_arvalid_i.value = 0
    dut.axil_rready_i.value = 1
    for _ in range(5_000):
        await RisingEdge(dut.clk_i)
        if dut.axil_rvalid_o.value == 1:
            value = int(dut.axil_rdata_o.value)
            await FallingEdge(dut.clk_i)
            dut.axil_rready_i.value = 0
            return value
    raise AssertionError("no answer to a read")


async def fill(dut: Any, data: NDArray[np.uint8]) -> None:
    """The whole activation memory, through the word port."""
    dut.dma_req_write_i.value = 1
    dut.dma_req_wstrb_i.value = 15
    for number, word in enumerate(data.view(np.uint32)):
        dut.dma_req_addr_i.value = 4 * number
        dut.dma_req_wdata_i.value = int(word)
        dut.dma_req_valid_i.value = 1
        await _until(dut, dut.dma_req_ready_o)
    dut.dma_req_valid_i.value = 0


async def dump(dut: Any, count: int) -> NDArray[np.uint8]:
    """`count` bytes of the activation memory, through the word port."""
    words: list[int] = []
    dut.dma_req_write_i.value = 0
    for number in range(count // 4):
        dut.dma_req_addr_i.value = 4 * number
        dut.dma_req_valid_i.value = 1
        while True:
            await RisingEdge(dut.clk_i)
            if dut.dma_rsp_valid_o.value == 1:
                words.append(int(dut.dma_rsp_data_o.value))
            taken = dut.dma_req_ready_o.value == 1
            await FallingEdge(dut.clk_i)
            if taken:
                break
    dut.dma_req_valid_i.value = 0
    for _ in range(5_000):
        if len(words) == count // 4:
            break
        await RisingEdge(dut.clk_i)
        if dut.dma_rsp_valid_o.value == 1:
            words.append(int(dut.dma_rsp_data_o.value))
    assert len(words) == count // 4, "no answer to a read of the word port"
    await FallingEdge(dut.clk_i)
    return np.array(words, np.uint32).view(np.uint8)


async def external(dut: Any, payload: list[int], stall: float, seed: int) -> None:
    """The external memory: bursts in order, with pauses."""
    rng = random.Random(seed)
    while True:
        dut.ext_req_ready_i.value = int(rng.random() >= stall)
        await RisingEdge(dut.clk_i)
        if not (dut.ext_req_valid_o.value == 1 and dut.ext_req_ready_i.value == 1):
            await FallingEdge(dut.clk_i)
            continue
        at, count = int(dut.ext_req_addr_o.value) // 4, int(dut.ext_req_len_o.value)
        await FallingEdge(dut.clk_i)
        dut.ext_req_ready_i.value = 0
        for word in payload[at : at + count]:
            while rng.random() < stall:
                await FallingEdge(dut.clk_i)
            dut.ext_rsp_valid_i.value = 1
            dut.ext_rsp_data_i.value = word
            await _until(dut, dut.ext_rsp_ready_o)
            dut.ext_rsp_valid_i.value = 0


def listed(program: Program) -> tuple[list[int], list[int]]:
    """The words of both lists."""
    computes = [word for f in program.computes for word in pack("COMPUTE", f)]
    return computes, [word for f in program.loads for word in pack("LOAD", f)]


async def describe(dut: Any, program: Program) -> None:
    """Both lists into the descriptor memory, and their registers."""
    computes, loads = listed(program)
    await copy(dut, computes + loads)
    registers = {"COMPUTE_BASE": 0, "COMPUTE_COUNT": len(program.computes)}
    registers |= {"LOAD_BASE": len(computes), "LOAD_COUNT": len(program.loads)}
    for name, value in registers.items():
        await write(dut, CSR[name], value)


async def copy(dut: Any, words: Iterable[int]) -> None:
    """Words to the start of the descriptor memory."""
    for number, word in enumerate(words):
        await write(dut, DESCRIPTORS + 4 * number, word)


async def finish(dut: Any, limit: int = 40_000) -> int:
    """Wait for the interrupt; the status, which it clears."""
    for _ in range(limit):
        await FallingEdge(dut.clk_i)
        if dut.irq_o.value == 1:
            break
    else:
        raise AssertionError("no interrupt")
    status = await read(dut, CSR["STATUS"])
    await write(dut, CSR["STATUS"], DONE | ERROR)
    assert dut.irq_o.value == 0
    return status


async def noise(dut: Any, chip: Chip, program: Program, seed: int) -> None:
    """A CPU that reads anywhere and writes a few of the last bytes of the activation memory until the interrupt."""
    rng = random.Random(seed)
    computes, loads = listed(program)
    words = computes + loads
    for _ in range(2_000):
        if dut.irq_o.value == 1:
            return
        if rng.random() < 0.3:
            number = rng.randrange(len(words))
            assert await read(dut, DESCRIPTORS + 4 * number) == words[number]
        elif rng.random() < 0.5:
            await read(dut, ACTIVATIONS + 4 * rng.randrange(chip.act_bytes // 4))
        else:
            at = chip.act_bytes - 4 * rng.randint(1, 4)
            value = rng.getrandbits(32)
            await write(dut, ACTIVATIONS + at, value)
            chip.act[at : at + 4] = np.array([value], np.uint32).view(np.uint8)
            assert await read(dut, ACTIVATIONS + at) == value
        for _ in range(rng.randint(0, 30)):
            await FallingEdge(dut.clk_i)
    raise AssertionError("no interrupt")


async def samples(dut: Any, chip: Chip, seed: int) -> None:
    """Words through the word port to others of the last bytes, until the interrupt."""
    rng = random.Random(seed)
    dut.dma_req_write_i.value = 1
    while dut.irq_o.value == 0:
        at, strobe = chip.act_bytes - 4 * rng.randint(5, 8), rng.getrandbits(4)
        data = np.array([rng.randrange(256) for _ in range(4)], np.uint8)
        dut.dma_req_addr_i.value = at
        dut.dma_req_wdata_i.value = int(data.view(np.uint32)[0])
        dut.dma_req_wstrb_i.value = strobe
        dut.dma_req_valid_i.value = 1
        await _until(dut, dut.dma_req_ready_o)
        dut.dma_req_valid_i.value = 0
        for byte in range(4):
            if strobe >> byte & 1:
                chip.act[at + byte] = data[byte]
        for _ in range(rng.randint(0, 6)):
            await FallingEdge(dut.clk_i)
    dut.dma_req_write_i.value = 0


async def start(dut: Any) -> None:
    """Start a run, with interrupts."""
    await write(dut, CSR["CTRL"], START | IRQ_ENABLE)


def spawn(*coroutines: Any) -> list[Any]:
    """Tasks that run in the background."""
    return [cocotb.start_soon(coroutine) for coroutine in coroutines]
