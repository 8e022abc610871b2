"""The accelerator's AXI4-Lite port: channels that do not wait for each other."""

from __future__ import annotations

import random
from typing import Any

import cocotb
from cocotb.triggers import Combine, FallingEdge, RisingEdge, Timer
from soc_bench import clocks, only, rest
from streams import start


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
