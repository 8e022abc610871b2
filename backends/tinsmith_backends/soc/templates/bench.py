"""cocotb bench of the whole chip: `make test`. It needs cocotb and Icarus Verilog, and nothing of Tinsmith.

soc.json says where tensors stand in the activation memory and when; vectors.json holds, as hexadecimal bytes, the
frames of each inference, the result frame, and the tensors in between.
"""

from __future__ import annotations

import json
import os
import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import cocotb
from cocotb.clock import Clock
from cocotb.triggers import FallingEdge, RisingEdge

SOC = json.loads(Path("soc.json").read_text())
VECTORS = json.loads(Path("vectors.json").read_text())
IMAGE = next(path for path in (Path("image.frames.bin"), Path("image.bin")) if path.exists()).read_bytes()
"""Of two, the one whose inputs are whole tensors, not cut from samples by a trigger."""
Answer = tuple[list[int], dict[str, str], int]
"""Words of a result frame, tensors as hexadecimal bytes, clock."""
RECORD = os.environ.get("TINSMITH_RECORD", "")
"""File to write what came out to, instead of comparing it."""
HEADER_WORDS = 4
LIMIT = 400_000 + len(IMAGE) + 4 * (SOC["clocks"] + 20_000) * len(VECTORS["frames"])
"""Clocks after which a chip that does not answer has failed."""
RUNNING, WAITING, EMPTYING = 2, 1, 3
"""States of tsm_compute."""


async def external_memory(dut: Any, gap: float, rng: random.Random) -> None:
    """Bursts of words of the image, with pauses."""
    while True:
        dut.ext_req_ready_i.value = 1
        await RisingEdge(dut.clk_i)
        asked = dut.ext_req_valid_o.value == 1
        address, count = (int(dut.ext_req_addr_o.value), int(dut.ext_req_len_o.value)) if asked else (0, 0)
        await FallingEdge(dut.clk_i)
        dut.ext_req_ready_i.value = 0
        for at in range(address, address + 4 * count, 4):
            while rng.random() < gap:
                await FallingEdge(dut.clk_i)
            dut.ext_rsp_valid_i.value = 1
            dut.ext_rsp_data_i.value = int.from_bytes(IMAGE[at : at + 4], "little")
            await taken(dut, dut.ext_rsp_ready_o)
            dut.ext_rsp_valid_i.value = 0


async def taken(dut: Any, ready: Any) -> None:
    """Until a word that is offered was taken."""
    while True:
        await RisingEdge(dut.clk_i)
        done = ready.value == 1
        await FallingEdge(dut.clk_i)
        if done:
            return


async def samples(dut: Any, gap: float, rng: random.Random) -> None:
    """All frames of all inferences, one behind the other."""
    size = len(dut.s_keep_i)
    for frame in (bytes.fromhex(text) for inference in VECTORS["frames"] for text in inference):
        for at in range(0, len(frame), size):
            while rng.random() < gap:
                dut.s_valid_i.value = 0
                await FallingEdge(dut.clk_i)
            beat = frame[at : at + size]
            dut.s_valid_i.value = 1
            dut.s_data_i.value = int.from_bytes(beat, "little")
            dut.s_keep_i.value = (1 << len(beat)) - 1
            dut.s_last_i.value = int(at + size >= len(frame))
            await taken(dut, dut.s_ready_o)
        dut.s_valid_i.value = 0


class Watch:
    """Copies of tensors: those that are complete when a compute descriptor starts, counted from the frame's begin."""

    def __init__(self, dut: Any) -> None:
        self.dut = dut
        self.banks = [bank.u_ram.mem_q for bank in dut.u_accel.u_act_mem.gen_bank]
        self.base = self.index = self.state = 0
        self.seen: dict[str, str] = {}

    def clock(self) -> None:
        """Follow the list of compute descriptors by one clock."""
        compute = self.dut.u_accel.u_compute
        state, before = int(compute.state_q.value), self.state
        if before == WAITING and state == RUNNING:
            self.copy(self.base + int(compute.index_q.value))
        if before == EMPTYING and state == 0:
            self.base += self.index
        self.state, self.index = state, int(compute.index_q.value)

    def copy(self, count: int) -> None:
        """The tensors that are complete when `count` descriptors have finished."""
        for trace in SOC["traces"]:
            if trace["computes"] == count:
                self.seen[trace["tensor"]] = bytes(self.byte(address) for address in addresses(trace)).hex()

    def byte(self, address: int) -> int:
        """Of the activation memory."""
        value = self.banks[address % len(self.banks)][address // len(self.banks)].value
        return int(value) if value.is_resolvable else 0

    def end_of_frame(self) -> dict[str, str]:
        """All tensors of the frame."""
        self.copy(self.base)
        seen, self.base, self.seen = self.seen, 0, {}
        return seen


def addresses(trace: dict[str, Any]) -> Iterator[int]:
    """Of a tensor's bytes, in the order in which it is stored."""
    for row in range(trace["rows"]):
        for pixel in range(trace["pixels"]):
            first = trace["address"] + row * trace["row_bytes"] + pixel * trace["pixel_bytes"]
            yield from range(first, first + trace["run"])


async def results(dut: Any, stall: float, rng: random.Random) -> list[Answer]:
    """Words, tensors and clock of every result frame."""
    watch = Watch(dut)
    found: list[Answer] = []
    words: list[int] = []
    for clock in range(LIMIT):
        dut.m_ready_i.value = int(rng.random() >= stall)
        await RisingEdge(dut.clk_i)
        assert dut.exit_valid_o.value != 1, f"the firmware ends with {dut.exit_code_o.value}"
        moved, last = dut.m_valid_o.value == 1 and dut.m_ready_i.value == 1, dut.m_last_o.value == 1
        if moved:
            words.append(int(dut.m_data_o.value))
        await FallingEdge(dut.clk_i)
        watch.clock()
        if moved and last:
            found.append((words, watch.end_of_frame(), clock))
            words = []
        if len(found) == len(VECTORS["frames"]):
            return found
    raise AssertionError(f"{len(found)} of {len(VECTORS['frames'])} result frames after {LIMIT} clocks")


async def run(dut: Any, gap: float, stall: float) -> list[Answer]:
    """Reset, then all inferences."""
    for name in (
        "ext_req_ready_i",
        "ext_rsp_valid_i",
        "ext_rsp_data_i",
        "s_valid_i",
        "s_data_i",
        "s_keep_i",
        "s_last_i",
    ):
        getattr(dut, name).value = 0
    dut.m_ready_i.value = 0
    dut.rst_ni.value = 0
    clock = cocotb.start_soon(Clock(dut.clk_i, 10, "step").start())
    for _ in range(4):
        await FallingEdge(dut.clk_i)
    dut.rst_ni.value = 1
    tasks = [
        cocotb.start_soon(external_memory(dut, gap, random.Random(1))),
        cocotb.start_soon(samples(dut, gap, random.Random(2))),
    ]
    found = await results(dut, stall, random.Random(3))
    for task in (*tasks, clock):
        task.cancel()
    return found


def payload(words: list[int]) -> str:
    """The tensors of a result frame."""
    header = words[:HEADER_WORDS]
    assert header[0] & 0xFF == 0, f"the chip answers with error {header[0] & 0xFF:#x}, detail {header[1]:#x}"
    return b"".join(word.to_bytes(4, "little") for word in words[HEADER_WORDS:]).hex()


def compare(found: list[Answer]) -> None:
    """Results and all tensors are the expected ones."""
    for number, (words, tensors, _) in enumerate(found):
        right = VECTORS["tensors"][number]
        for trace in sorted(SOC["traces"], key=lambda trace: trace["computes"]):
            name = trace["tensor"]
            assert tensors[name] == right[name], f"inference {number}: tensor {name} differs"
        assert payload(words) == VECTORS["results"][number], f"inference {number}: the result frame differs"


@cocotb.test(skip=bool(RECORD))
async def inferences_back_to_back(dut: Any) -> None:
    """Every tensor is right."""
    found = await run(dut, 0.0, 0.0)
    compare(found)
    clocks = [clock for *_, clock in found]
    dut._log.info(f"results after {clocks} clocks from reset")


@cocotb.test(skip=bool(RECORD))
async def gaps_and_back_pressure(dut: Any) -> None:
    """However memory and streams stop and go."""
    compare(await run(dut, 0.3, 0.3))


@cocotb.test(skip=not RECORD)
async def record(dut: Any) -> None:
    """Run everything and write down what came out."""
    found = await run(dut, 0.0, 0.0)
    answers = [{"result": payload(words), "tensors": tensors} for words, tensors, _ in found]
    Path(RECORD).write_text(json.dumps(answers))
