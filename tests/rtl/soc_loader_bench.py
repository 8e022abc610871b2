"""The list of load descriptors: blocks that reach their elements, bad ones, and flushes and resets on their way."""

from __future__ import annotations

import random
import zlib
from typing import Any

from cocotb.triggers import FallingEdge, ReadOnly
from models import integers
from soc_bench import known, only, quiet
from soc_chip import Chip, Fields, pack
from streams import reset, start
from tinsmith_backends.soc import memory_map as m

OUTPUTS = ("done_o", "error_o", "waiting_o", "desc_req_o", "ext_req_valid_o", "ext_rsp_ready_o", "loaded_o")
OUTPUTS += ("ld_weight_o", "ld_param_o", "ld_table_o", "loads_done_o")
WEIGHTS, PARAMETERS, TABLES = (m.LOAD_OPCODE[name] for name in ("WEIGHTS", "PARAMETERS", "TABLES"))
ENABLES = {WEIGHTS: "ld_weight_o", PARAMETERS: "ld_param_o", TABLES: "ld_table_o"}
Write = tuple[int, int, int, int, int]
"""Opcode, element, chunk of 32 bits, word address, data."""


class Run:
    """A list with its blocks, what must come of it, and what came."""

    def __init__(self, dut: Any, chip: Chip, rng: random.Random) -> None:
        self.dut, self.chip, self.rng = dut, chip, rng
        self.tables = int(dut.TABLES.value)
        self.payload: list[int] = []
        self.list = [self.block() for _ in range(rng.randint(0, 4))]
        if self.list and rng.random() < 0.6:
            at = rng.randrange(len(self.list))
            self.list[at] |= self.fault(self.list[at])
        self.base = rng.randrange(20)
        self.memory = [rng.getrandbits(32) for _ in range(64)]
        for number, f in enumerate(self.list):
            self.memory[self.base + 8 * number : self.base + 8 * (number + 1)] = pack("LOAD", f)
        self.computes = self.words = 0
        self.found: list[Write] = []
        self.burst: list[int] = []
        self.error: tuple[int, int] | None = None
        self.stopped = False  # nothing may be written any more
        self.wanted, self.made, self.asked = self.outcome()

    def depth(self, opcode: int) -> int:
        return {WEIGHTS: self.chip.wgt_words, TABLES: 64 * self.tables}.get(opcode, self.chip.par_words)

    def chunks(self, opcode: int) -> int:
        return {WEIGHTS: self.chip.lanes // 4, TABLES: 1}.get(opcode, 2)

    def elements(self, opcode: int) -> int:
        return 1 if opcode == TABLES else self.chip.pes

    @property
    def opcodes(self) -> tuple[int, ...]:
        return (WEIGHTS, PARAMETERS, TABLES) if self.tables else (WEIGHTS, PARAMETERS)

    def block(self) -> Fields:
        """A good descriptor, and its words."""
        opcode = self.rng.choice(self.opcodes)
        dest = self.rng.randrange(self.depth(opcode))
        most = min(self.depth(opcode) - dest, 3) * self.elements(opcode) * self.chunks(opcode)
        words = [self.rng.getrandbits(32) for _ in range(self.rng.choice([1, most, self.rng.randint(1, most)]))]
        at = 4 * len(self.payload)
        self.payload += words
        crc = zlib.crc32(b"".join(word.to_bytes(4, "little") for word in words))
        waits = self.rng.choice([0, 1, self.rng.randint(0, 6)])
        f = {"magic": m.MAGIC_DESCRIPTOR, "opcode": opcode, "after_compute": waits, "ext_addr": at}
        return f | {"ext_words": len(words), "dest": dest, "crc32": crc}

    def fault(self, f: Fields) -> Fields:
        """A change of one field for the worse; the last makes a block reach past the memory."""
        depth = self.depth(f["opcode"])
        bit = 1 << self.rng.randrange(32)
        cases: list[Fields] = [{"crc32": f["crc32"] ^ bit}] * 3 + [
            {"magic": 0},
            {"opcode": 0},
            {"opcode": 3 + (self.tables > 0)},
        ]
        cases += [{"ext_words": 0}, {"ext_words": 1 << 16}, {"dest": depth}, {"dest": 1 << 16}, {"dest": depth - 1}]
        return self.rng.choice(cases)

    def outcome(self) -> tuple[tuple[int, int] | None, list[Write], int]:
        """Error code and index, the writes, and the words that are read."""
        made: list[Write] = []
        asked = 0
        for index, f in enumerate(self.list):
            depth, chunks = self.depth(f["opcode"]), self.chunks(f["opcode"])
            if f["magic"] != m.MAGIC_DESCRIPTOR:
                return (m.ERROR["MAGIC"], index), made, asked
            if f["opcode"] not in self.opcodes:
                return (m.ERROR["OPCODE"], index), made, asked
            if not 0 < f["ext_words"] < 1 << 16:
                return (m.ERROR["COUNT"], index), made, asked
            if f["dest"] >= depth:
                return (m.ERROR["ADDRESS"], index), made, asked
            words = self.payload[f["ext_addr"] // 4 :][: f["ext_words"]]
            asked += len(words)
            for n, word in enumerate(words):
                elements = self.elements(f["opcode"])
                element, at = n // chunks % elements, f["dest"] + n // (chunks * elements)
                if at >= depth:
                    return (m.ERROR["ADDRESS"], index), made, asked
                made.append((f["opcode"], element, n % chunks, at, word))
            if zlib.crc32(b"".join(word.to_bytes(4, "little") for word in words)) != f["crc32"]:
                return (m.ERROR["CRC"], index), made, asked
        return None, made, asked

    async def go(self, stop: int | None) -> None:
        """Start and follow it to its end; it is flushed after an error, and from clock `stop` on."""
        dut, rng = self.dut, self.rng
        dut.base_i.value, dut.count_i.value, dut.start_i.value = self.base, len(self.list), 1
        answer: int | None = None
        for clock in range(5000):
            dut.desc_rvalid_i.value, dut.desc_rdata_i.value = int(answer is not None), answer or 0
            dut.desc_gnt_i.value = granted = rng.randint(0, 1)
            dut.ext_req_ready_i.value = ready = rng.randint(0, 1)
            dut.ext_rsp_valid_i.value = offered = int(bool(self.burst) and rng.random() < 0.7)
            dut.ext_rsp_data_i.value = self.burst[0] if self.burst else 0
            flush = self.error is not None or (stop is not None and clock >= stop)
            dut.flush_i.value, dut.computes_done_i.value = int(flush), self.computes
            await ReadOnly()
            asks = granted and dut.desc_req_o.value == 1
            answer = self.memory[int(dut.desc_addr_o.value)] if asks else None
            over = clock > 0 and dut.done_o.value == 1
            self.look(ready, offered, flushed=flush and clock - 1 >= (stop or 0))
            await FallingEdge(dut.clk_i)
            dut.start_i.value = 0
            self.computes += int(rng.random() < 0.03)
            if over:
                dut.flush_i.value = 0
                return
        raise AssertionError("it never ended")

    def look(self, ready: int, offered: int, *, flushed: bool) -> None:
        """What holds in every clock, and what moves at its end."""
        dut, index = self.dut, int(self.dut.loads_done_o.value)
        if dut.ext_req_valid_o.value == 1:
            f = self.list[index]
            assert not self.burst and self.computes >= f["after_compute"]
            assert (int(dut.ext_req_addr_o.value), int(dut.ext_req_len_o.value)) == (f["ext_addr"], f["ext_words"])
        if dut.waiting_o.value == 1:
            assert self.computes < self.list[index]["after_compute"]
        assert dut.loaded_o.value == int(bool(offered) and dut.ext_rsp_ready_o.value == 1)
        for opcode in [each for each, name in ENABLES.items() if getattr(dut, name).value == 1]:
            where = tuple(int(getattr(dut, f"ld_{name}_o").value) for name in ("pe", "chunk", "addr", "data"))
            self.found.append((opcode, *where))  # type: ignore[arg-type]
            assert self.found == self.made[: len(self.found)] and not self.stopped
        self.stopped = self.stopped or flushed
        if dut.error_o.value == 1 and self.error is None:
            self.error = (int(dut.code_o.value), index)
            assert self.error == self.wanted, "a good descriptor is refused, or for another reason"
        if ready and dut.ext_req_valid_o.value == 1:
            at = int(dut.ext_req_addr_o.value) // 4
            self.burst = self.payload[at : at + int(dut.ext_req_len_o.value)]
        elif dut.loaded_o.value == 1:
            self.burst = self.burst[1:]
            self.words += 1


@only("tsm_loader")
async def blocks_reach_their_elements(dut: Any, rng: random.Random) -> None:
    pes, lanes, weights, params = integers(dut, "PES", "LANES", "WGT_WORDS", "PAR_WORDS")
    chip = Chip(pes=pes, lanes=lanes, wgt_words=weights, par_words=params)
    quiet(dut)
    await start(dut)
    for number in range(60):
        known(dut, *OUTPUTS)
        run = Run(dut, chip, rng)
        stop = rng.choice([None, None, rng.randrange(2, 120)])
        await run.go(stop)
        assert not run.burst, "words are left on the way"
        if stop is None:
            assert (run.error, run.found, run.words) == (run.wanted, run.made, run.asked)
            good = len(run.list) if run.wanted is None else run.wanted[1]
            assert int(dut.loads_done_o.value) == good
        if number % 6 == 5:  # in the middle of the next
            dut.start_i.value, dut.count_i.value = 1, 3
            for _ in range(rng.randrange(1, 9)):
                await FallingEdge(dut.clk_i)
            quiet(dut)
            await reset(dut)
            assert dut.done_o.value == 1 and dut.loads_done_o.value == 0 and dut.ext_req_valid_o.value == 0
