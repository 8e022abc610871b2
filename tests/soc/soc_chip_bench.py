"""The whole chip in Icarus: pulses into the trigger, results out; the external memory and the host wait at random."""

from __future__ import annotations

import json
import os
import random
from pathlib import Path
from typing import Any

import cocotb
from cocotb.clock import Clock
from cocotb.triggers import FallingEdge, RisingEdge

CASE = json.loads(Path(os.environ["SOC_CASE"]).read_text())
"""image: bytes; samples: of the ADC, or frame bytes; period: clocks a sample, 0 waits; answers: payload bytes."""


async def external_memory(dut: Any, image: bytes) -> None:
    rng = random.Random(1)
    while True:
        dut.ext_req_ready_i.value = int(rng.random() < 0.8)
        await RisingEdge(dut.clk_i)
        taken = dut.ext_req_valid_o.value == 1 and dut.ext_req_ready_i.value == 1
        if taken:
            address, count = int(dut.ext_req_addr_o.value), int(dut.ext_req_len_o.value)
        await FallingEdge(dut.clk_i)
        dut.ext_req_ready_i.value = 0
        while taken and count:
            dut.ext_rsp_valid_i.value = int(rng.random() < 0.8)
            dut.ext_rsp_data_i.value = int.from_bytes(image[address : address + 4], "little")
            await RisingEdge(dut.clk_i)
            gone = dut.ext_rsp_valid_i.value == 1 and dut.ext_rsp_ready_o.value == 1
            await FallingEdge(dut.clk_i)
            if gone:
                address, count = address + 4, count - 1
        dut.ext_rsp_valid_i.value = 0


async def converter(dut: Any, samples: list[int], period: int) -> None:
    """An ADC: a sample every `period` clocks, whoever listens."""
    for sample in samples:
        dut.s_valid_i.value, dut.s_data_i.value = 1, sample & 0xFFFF
        await FallingEdge(dut.clk_i)
        dut.s_valid_i.value = 0
        for _ in range(period - 1):
            await FallingEdge(dut.clk_i)


async def result(dut: Any, rng: random.Random) -> list[int]:
    words: list[int] = []
    for _ in range(100_000):
        dut.m_ready_i.value = int(rng.random() < 0.7)
        await RisingEdge(dut.clk_i)
        if dut.m_valid_o.value == 1 and dut.m_ready_i.value == 1:
            words.append(int(dut.m_data_o.value))
            if dut.m_last_o.value == 1:
                await FallingEdge(dut.clk_i)
                return words
        await FallingEdge(dut.clk_i)
    raise AssertionError("no result frame")


@cocotb.test(timeout_time=10, timeout_unit="ms")
async def every_pulse_is_answered(dut: Any) -> None:
    rng = random.Random(2)
    for name in ("s_valid_i", "s_data_i", "s_keep_i", "s_last_i", "m_ready_i", "ext_req_ready_i", "ext_rsp_valid_i"):
        getattr(dut, name).value = 0
    dut.ext_rsp_data_i.value = 0
    dut.rst_ni.value = 0
    cocotb.start_soon(Clock(dut.clk_i, 20, "ns").start())
    for _ in range(3):
        await FallingEdge(dut.clk_i)
    dut.rst_ni.value = 1
    cocotb.start_soon(external_memory(dut, bytes.fromhex(CASE["image"])))
    while dut.u_stream.u_regs.trigger_q.value != 1:  # the firmware has switched the trigger on
        await RisingEdge(dut.clk_i)
    cocotb.start_soon(converter(dut, CASE["samples"], CASE["period"]))
    for number, payload in enumerate(CASE["answers"]):
        words = await result(dut, rng)
        assert words[0] & 0xFF == 0 and words[1] == number
        assert b"".join(word.to_bytes(4, "little") for word in words[4:]).hex() == payload
    assert dut.error_o.value == 0 and dut.irq_o.value == 0
