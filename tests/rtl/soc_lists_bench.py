"""The list of compute descriptors: good and bad ones, against a machine that is busy for random times."""

from __future__ import annotations

import random
from collections.abc import Mapping
from typing import Any

from cocotb.triggers import FallingEdge, ReadOnly
from models import integers
from soc_bench import flush_or_reset, known, only, quiet
from soc_chip import ADD, BITPOOL, CONV, MAXPOOL, REQUANTIZE, Chip, Fields, modes, pack
from soc_random import program
from streams import start, unpack
from tinsmith_backends.soc import memory_map as m

OUTPUTS = ("done_o", "error_o", "waiting_o", "nest_start_o", "desc_req_o", "computes_done_o")
IN_USE = {"nest": (*range(1, 16), 21), "array": (0,), "drain": (16,)}
"""Words of a descriptor that must stay while that part of the machine is busy; 17 to 19 come after the start."""


def verdict(f: Fields, chip: Chip, ops: int) -> int:
    """The error code of a compute descriptor, 0 for a good one."""
    opcodes = {CONV} | ({ADD} if ops & 1 else set()) | ({MAXPOOL} if ops & 2 else set())
    opcodes |= {BITPOOL} if ops & 2 and chip.kind == 2 else set()
    if f["magic"] != m.MAGIC_DESCRIPTOR:
        return m.ERROR["MAGIC"]
    if f["opcode"] not in opcodes or f["ending"] == 3 or (f["history"] and not ops & 4):
        return m.ERROR["OPCODE"]
    if f["look_up"] and (f["ending"] != REQUANTIZE or not ops & 8):
        return m.ERROR["OPCODE"]
    if f["wide_in"] and (f["opcode"] != CONV or f["history"] or chip.kind == 2):
        return m.ERROR["OPCODE"]
    if f["wide_out"] and (f["ending"] != REQUANTIZE or f["look_up"] or chip.kind == 2):
        return m.ERROR["OPCODE"]
    counts = ("out_h", "in_h", "out_w", "groups", "kh", "kx_n", "run_n", "last_count", "shift")
    history = f["kh"] <= 8 and 1 <= f["history_kw"] <= chip.lanes and f["history_stride"]
    if 0 in (f[name] for name in counts) or f["last_count"] > chip.pes or (f["history"] and not history):
        return m.ERROR["COUNT"]
    limits = {"in_base": chip.act_bytes, "out_base": chip.act_bytes, "w_base": chip.wgt_words, "p_base": chip.par_words}
    limits |= {"in_row_bytes": chip.act_bytes + 1} | ({"in2_base": chip.act_bytes} if f["opcode"] == ADD else {})
    return m.ERROR["ADDRESS"] if any(f[name] >= limit for name, limit in limits.items()) else 0


def spoilt(f: Fields, chip: Chip, rng: random.Random) -> Fields:
    """A descriptor with one field changed, often for the worse."""
    bounds: Mapping[str, tuple[int, ...]] = {
        "magic": (0, m.MAGIC_DESCRIPTOR ^ 1, m.MAGIC_DESCRIPTOR ^ 1 << 15),
        "opcode": (0, 1, 2, 3, 4, 4, 5, 0x81),
        "ending": (0, 1, 2, 3),
        "history": (0, 1),
        **dict.fromkeys(("look_up", "wide_in", "wide_out"), (1,)),
        **dict.fromkeys(("out_h", "in_h", "out_w", "groups", "kx_n", "run_n", "history_stride", "shift"), (0, 1)),
        "kh": (0, 1, 8, 9),
        "history_kw": (0, chip.lanes, chip.lanes + 1),
        "last_count": (0, chip.pes, chip.pes + 1),
        **dict.fromkeys(("in_base", "in2_base", "out_base"), (chip.act_bytes - 1, chip.act_bytes, 1 << 31)),
        "in_row_bytes": (chip.act_bytes, chip.act_bytes + 1, 1 << 20),
        "w_base": (chip.wgt_words - 1, chip.wgt_words, 1 << 20),
        "p_base": (chip.par_words - 1, chip.par_words, 1 << 20),
    }
    name = rng.choice([*bounds, *2 * ("opcode", "in_row_bytes", "ending", "history", "look_up", "wide_in", "wide_out")])
    return f | {name: rng.choice(bounds[name])}


class Machine:
    """Nest, array and ending: busy one after the other, overlapping, for random times."""

    def __init__(self, dut: Any, rng: random.Random) -> None:
        self.dut, self.rng = dut, rng
        self.left = {"nest": 0, "array": 0, "drain": 0}

    @property
    def busy(self) -> bool:
        return any(self.left.values())

    def start(self) -> None:
        nest = self.rng.choice([1, 2, self.rng.randint(3, 60)])
        array = nest + self.rng.choice([self.rng.randint(1, 8), self.rng.randint(1, 40)])
        self.left = {"nest": nest, "array": array, "drain": array + self.rng.randint(1, 40)}

    def clock(self) -> None:
        self.left = {part: max(left - 1, 0) for part, left in self.left.items()}

    def drive(self) -> None:
        for part, left in self.left.items():
            getattr(self.dut, f"{part}_busy_i").value = int(left > 0)


class Run:
    """A list in the descriptor memory, and what the module did with it."""

    def __init__(self, dut: Any, chip: Chip, ops: int, rng: random.Random) -> None:
        self.dut, self.chip, self.rng = dut, chip, rng
        made = program(rng, chip, rng.randint(0, 4)).computes
        made = [{"magic": m.MAGIC_DESCRIPTOR} | f | {"after_load": rng.choice([0, 1, rng.randint(0, 9)])} for f in made]
        if made and rng.random() < 0.7:
            at = rng.randrange(len(made))
            made[at] = spoilt(made[at], chip, rng)
        self.list = made
        self.codes = [verdict(f, chip, ops) for f in made]
        self.base = rng.randrange(200)
        self.memory = [rng.getrandbits(32) for _ in range(512)]
        for number, f in enumerate(made):
            self.memory[self.base + 24 * number : self.base + 24 * (number + 1)] = pack("COMPUTE", f)
        self.machine = Machine(dut, rng)
        self.started = self.finished = self.loads = 0

    async def go(self, stop: int | None) -> bool:
        """Start and follow it; False where it was left alone after `stop` clocks."""
        dut, rng = self.dut, self.rng
        dut.base_i.value, dut.count_i.value, dut.start_i.value = self.base, len(self.list), 1
        granted: int | None = None
        for clock in range(20_000):
            self.machine.drive()
            dut.loads_done_i.value = self.loads
            dut.desc_gnt_i.value = grants = int(rng.random() < 0.8)
            dut.desc_rvalid_i.value, dut.desc_rdata_i.value = int(granted is not None), granted or 0
            await ReadOnly()
            if clock:
                assert dut.error_o.value == 0 or self.refused(), "a good descriptor is refused"
                self.look()
            begins, fails = dut.nest_start_o.value == 1, dut.error_o.value == 1
            asked = dut.desc_req_o.value == 1 and grants
            granted = self.memory[int(dut.desc_addr_o.value)] if asked else None
            done = clock > 1 and dut.done_o.value == 1
            if done or clock == stop:
                await FallingEdge(dut.clk_i)
                return done
            self.machine.clock()
            if begins:
                self.machine.start()
            if rng.random() < 0.05:
                self.loads += 1
            await FallingEdge(dut.clk_i)
            dut.start_i.value = 0
            if fails:
                self.codes = self.codes[: self.started]  # the rest does not begin
                self.list = self.list[: self.started]
        raise AssertionError("it never ended")

    def refused(self) -> bool:
        """The error is that of the descriptor that would be next, and nothing before it is under way."""
        dut, at = self.dut, self.started
        told = (int(dut.code_o.value), int(dut.index_o.value))
        return not self.machine.busy and self.codes[at] != 0 and told == (self.codes[at], at)

    def look(self) -> None:
        """What holds in every clock."""
        dut, chip = self.dut, self.chip
        finished = int(dut.computes_done_o.value)
        assert finished in (self.finished, self.finished + 1) and finished <= self.started
        assert finished == self.finished or not self.machine.busy
        if dut.waiting_o.value == 1:
            assert self.loads < self.list[self.started]["after_load"] and dut.nest_start_o.value == 0
        if dut.nest_start_o.value == 1:
            f = self.list[self.started]
            assert not self.machine.busy and finished == self.started and self.codes[self.started] == 0
            assert self.loads >= f["after_load"]
            self.holds(f, (0, *range(1, 17), 21))
            self.started += 1
        elif self.started:
            f = self.list[self.started - 1]
            for part, words in IN_USE.items():
                if self.machine.left[part]:
                    self.holds(f, words)
            if finished != self.finished:
                self.holds(f, (16, 17, 18, 19))
            if self.machine.left["nest"]:
                jump = f["in2_base"] - f["in_base"] if f["opcode"] == ADD else f["dil_y"] * f["in_row_bytes"]
                wanted = (f["in_base"] - f["pad_top"] * f["in_row_bytes"], jump, f["stride_y"] * f["in_row_bytes"])
                names = ("first_addr_o", "dil_step_o", "row_step_o")
                found = tuple(int(getattr(dut, name).value) for name in names)
                assert found == tuple(value % chip.act_bytes for value in wanted)
                assert dut.channelwise_o.value == int(modes(chip, f)[0])
        self.finished = finished

    def holds(self, f: Fields, words: tuple[int, ...]) -> None:
        """These words at the output are those of the descriptor."""
        right = pack("COMPUTE", f)
        bits = str(self.dut.desc_o.value)[::-1]
        for word in words:
            assert unpack(int(bits[32 * word : 32 * word + 32][::-1], 2), 1, 32, signed=False) == [right[word]]


@only("tsm_compute")
async def descriptors_run_in_order_on_an_empty_machine(dut: Any, rng: random.Random) -> None:
    names = ("PES", "LANES", "ACT_BYTES", "WGT_WORDS", "PAR_WORDS", "OPS", "BITS")
    pes, lanes, act, weights, params, ops, bits = integers(dut, *names)
    chip = Chip(pes=pes, lanes=lanes, act_bytes=act, wgt_words=weights, par_words=params, kind=2 * bits)
    quiet(dut)
    await start(dut)
    known(dut, *OUTPUTS)
    for _ in range(240):
        run = Run(dut, chip, ops, rng)
        wanted = next((at for at, code in enumerate(run.codes) if code), len(run.codes))
        if not await run.go(rng.choice([None, None, rng.randrange(2, 300)])):
            await stop(dut, rng)
            continue
        assert run.started == wanted and run.finished == wanted
        known(dut, *OUTPUTS)


async def stop(dut: Any, rng: random.Random) -> None:
    """A flush, which empties the machine too, or a reset: the list is at rest."""
    for part in ("nest", "array", "drain"):
        getattr(dut, f"{part}_busy_i").value = 0
    dut.desc_rvalid_i.value = 0
    await flush_or_reset(dut, rng)
    for _ in range(4):
        known(dut, *OUTPUTS)
        assert dut.done_o.value == 1 and dut.nest_start_o.value == 0 and dut.error_o.value == 0
        await FallingEdge(dut.clk_i)
