"""Elements and array: random steps, while the loader fills the half of the memories that they do not read."""

from __future__ import annotations

import random
from collections import defaultdict
from typing import Any

import cocotb
import numpy as np
from cocotb.clock import Clock
from cocotb.triggers import FallingEdge, ReadOnly
from models import integers
from numpy.typing import NDArray
from soc_bench import flush_or_reset, known, only, quiet
from soc_chip import Chip
from streams import pack, start, unpack

SUM, MAXIMUM, PAIR, BITS = 0, 1, 2, 3
WORD = 0xFFFFFFFF


def accumulate(op: int, acc: int, first: bool, bias: int, total: int, own: int) -> int:
    """An accumulator after a step, as its 32 bits mean: the table of tsm_pe."""
    if op == SUM:
        acc = (bias if first else acc) + total
    elif op == MAXIMUM:
        acc = own if first else max(acc, own)
    elif op == BITS:
        acc = own if first else acc & own
    else:
        acc = own & 0xFFFF if first else (own & 0xFFFF) << 16 | acc & 0xFFFF
    return (acc + 2**31) % 2**32 - 2**31


def summed(
    chip: Chip, own_sums: bool, wide: bool, x: NDArray[np.int64], own: NDArray[np.int64], weights: NDArray[np.uint8]
) -> Any:
    """What a step adds to the elements' sums: products, or, of bits with `own_sums`, their own bytes."""
    if chip.kind == 2 and own_sums:
        return np.where(weights[:, 0] & 1, -own, own)
    return chip.products(x & 0x1FF if chip.kind == 2 else x, weights, wide)


class Loader:
    """Writes chunks of random words into one half of an array's memories."""

    def __init__(self, dut: Any, chip: Chip, rng: random.Random) -> None:
        self.dut, self.chip, self.rng = dut, chip, rng

    def write(self, half: int) -> None:
        dut, chip, rng = self.dut, self.chip, self.rng
        weight, parameter = rng.choice([(0, 0), (1, 0), (1, 0), (0, 1)])
        depth = chip.wgt_words if weight else chip.par_words
        at, chunk = half * depth // 2 + rng.randrange(depth // 2), rng.randrange(chip.lanes // 4 if weight else 2)
        element, word = rng.randrange(chip.pes), rng.choice([0, WORD, rng.getrandbits(32), rng.getrandbits(32)])
        dut.ld_weight_i.value, dut.ld_param_i.value, dut.ld_chunk_i.value = weight, parameter, chunk
        dut.ld_addr_i.value, dut.ld_data_i.value = at, word
        if chip.pes > 1:
            dut.ld_pe_i.value = element
        if weight:
            chip.weights[at, element, 4 * chunk : 4 * chunk + 4] = list(word.to_bytes(4, "little"))
        if parameter:
            chip.params[at, element, chunk] = word - 2**32 if word >> 31 else word


@only("tsm_pe")
async def accumulators_of_every_kind(dut: Any, rng: random.Random) -> None:
    lanes, weights, params, kind = integers(dut, "LANES", "WGT_WORDS", "PAR_WORDS", "KIND")
    chip = Chip(pes=1, lanes=lanes, wgt_words=weights, par_words=params, kind=kind)
    quiet(dut)
    cocotb.start_soon(Clock(dut.clk_i, 10, "ns").start())
    loader = Loader(dut, chip, rng)
    acc, shown, now = 0, None, 0
    more = (BITS, SUM, BITS) if kind == 2 else ()
    for phase, op in enumerate((SUM, SUM, MAXIMUM, PAIR, SUM, PAIR, MAXIMUM, SUM, *more)):
        own_sums, wide = rng.random() < 0.5, kind != 2 and rng.random() < 0.5
        dut.op_i.value, dut.own_i.value, dut.wide_i.value = op, int(own_sums), int(wide)
        due: dict[int, dict[str, int]] = defaultdict(dict)
        ended = True
        for step in range(80):
            await FallingEdge(dut.clk_i)
            inputs = due.pop(now, {})
            shown = (inputs.pop("result"), inputs.pop("multiplier")) if "result" in inputs else shown
            if shown is not None:
                assert (int(dut.result_o.value), int(dut.multiplier_o.value)) == shown
            loader.write(1 - phase % 2)
            if step < 70 and rng.random() < 0.8:
                weight, bias_at, p = (phase % 2 * n // 2 + rng.randrange(n // 2) for n in (weights, params, params))
                ends = int(rng.random() < 0.3)
                x = [rng.choice([-128, 127, 255, 0, rng.randint(-128, 255)]) for _ in range(lanes)]
                own, zero = rng.choice([-128, 255, rng.randint(-128, 255)]), 0
                if op == PAIR:  # of one sign
                    own, zero = (value - 128 * (phase % 2) for value in (rng.randrange(256), rng.randrange(256)))
                adds = summed(chip, own_sums, wide, np.array([x]), np.array([own]), chip.weights[weight])
                total = int(adds[0])
                acc = accumulate(op, acc, ended, int(chip.params[bias_at, 0, 0]), total, own - zero)
                inputs["w_addr1_i"] = weight
                due[now + 2] |= {"x3_i": pack(x, 9), "byte3_i": own & 0x1FF, "zero3_i": zero & 0x1FF}
                due[now + 3] |= {"p_addr4_i": bias_at}
                due[now + 4] |= {"step5_i": 1, "first5_i": int(ended)}
                due[now + 5] |= {"last6_i": ends, "p_addr6_i": p}
                if ends:
                    due[now + 6] |= {"result": acc & WORD, "multiplier": int(chip.params[p, 0, 1]) & WORD}
                ended = bool(ends)
            for name, value in ({"step5_i": 0, "last6_i": 0} | inputs).items():
                getattr(dut, name).value = value
            now += 1


class Array:
    """The model of an array: histories, accumulators, what its results must be and when."""

    def __init__(self, chip: Chip) -> None:
        self.chip = chip
        self.past = np.zeros((8, chip.lanes, chip.pes), np.int64)
        self.acc = [0] * chip.pes

    def step(
        self, op: int, mode: tuple[bool, bool, bool], first: bool, ky: int, weight: int, parameter: int, x: list[int],
        zero: int,
    ) -> None:  # fmt: skip
        """One step with these lanes; with history, sums of the elements' own bytes, values of 16 bits, or not."""
        history, own_sums, wide = mode
        chip = self.chip
        own: NDArray[np.int64] = np.zeros(chip.pes, np.int64)
        own[: chip.vec] = x[: chip.vec]
        words = np.tile(np.array(x, np.int64), (chip.pes, 1))
        if history:
            self.past[ky] = np.roll(self.past[ky], 1, axis=0)
            self.past[ky, 0] = own
            words[: chip.vec] = self.past[ky].T[: chip.vec]
        sums = summed(chip, own_sums, wide, words, own, chip.weights[weight])
        for p in range(chip.pes):
            bias = int(chip.params[parameter, p, 0])
            self.acc[p] = accumulate(op, self.acc[p], first, bias, int(sums[p]), int(own[p]) - zero)


@only("tsm_array")
async def results_of_random_steps(dut: Any, rng: random.Random) -> None:
    pes, lanes, weights, params, address_w, kind = integers(
        dut, "PES", "LANES", "WGT_WORDS", "PAR_WORDS", "ADDR_W", "KIND"
    )
    chip = Chip(pes=pes, lanes=lanes, wgt_words=weights, par_words=params, kind=kind)
    quiet(dut)
    await start(dut)
    known(dut, "busy_o", "start_o")
    loader, model = Loader(dut, chip, rng), Array(chip)
    modes = [(SUM, False), (BITS, False) if kind == 2 else (SUM, True), (MAXIMUM, False), (PAIR, False)]
    for phase, (op, history) in enumerate([*modes, *rng.choices(modes, k=24)]):
        await FallingEdge(dut.clk_i)
        in_signed, in2_signed, pad = rng.randint(0, 1), rng.randint(0, 1), rng.randrange(256)
        dut.in2_zero_i.value = in2_zero = rng.randrange(256)
        own_sums, pad_none = rng.random() < 0.5, rng.random() < 0.5
        wide = kind != 2 and op == SUM and not history and rng.random() < 0.5
        dut.op_i.value, dut.history_i.value, dut.pad_byte_i.value = op, int(history), pad
        dut.own_i.value, dut.pad_none_i.value, dut.wide_i.value = int(own_sums), int(pad_none), int(wide)
        dut.in_signed_i.value, dut.in2_signed_i.value = in_signed, in2_signed
        warm = [ky for ky in range(8) for _ in range(lanes)] if history else []  # whatever a flush has left is gone
        stops = rng.choice([0, 0, len(warm) + rng.randrange(5, 60)])
        word_due = 0  # of the step before
        due: dict[int, tuple[int, ...]] = {}
        moved: set[int] = set()  # clocks in which something is in a stage
        shown, ended, parameter = None, True, 0
        for now in range(len(warm) + 70):
            if now == stops and stops:
                break
            await FallingEdge(dut.clk_i)
            dut.word_i.value, word_due = word_due, rng.getrandbits(8 * lanes)
            loader.write(1 - phase % 2)
            takes = now < len(warm) + 60 and rng.random() < 0.8
            dut.step_i.value = int(takes)
            if takes:
                ky = warm.pop(0) if warm else rng.randrange(8)
                ends = not warm and rng.random() < 0.3
                word = unpack(word_due, lanes, 8, signed=False)
                before, inside = rng.choice([0, 0, rng.randint(0, lanes)]), rng.choice([lanes, rng.randint(0, lanes)])
                signed = in2_signed if op == PAIR and ky else in_signed
                byte = in2_zero if ky else pad
                zero = (byte - 256 if signed and byte > 127 else byte) if op == PAIR else 0
                bytes_ = [byte if before <= j < inside else pad for j, byte in enumerate(word)]
                run = rng.choice([16, rng.randint(1, lanes)])
                x = [int(value) for value in chip.lanes_of(np.array(bytes_, np.uint8), signed, wide)]
                if kind == 2 and op == SUM and not own_sums:
                    there = [j < run and (before <= j < inside or not pad_none) for j in range(lanes)]
                    x = [byte if counts else 256 for byte, counts in zip(bytes_, there, strict=True)]
                weight = phase % 2 * weights // 2 + rng.randrange(weights // 2)
                parameter = phase % 2 * params // 2 + rng.randrange(params // 2) if ended else parameter
                out, count = rng.getrandbits(address_w), rng.randint(1, pes)
                model.step(op, (history, own_sums, wide), ended, ky, weight, parameter, x, zero)
                moved |= set(range(now, now + 6 + int(ends)))
                if ends:
                    factors = [int(m) & WORD for m in chip.params[parameter, :, 1]]
                    due[now + 6] = (out, count, pack(model.acc, 32), pack(factors, 32))
                for name, value in (("before", before), ("inside", inside), ("run", run), ("w_addr", weight),
                                    ("p_addr", parameter), ("ky", ky), ("first", int(ended)), ("last", int(ends)),
                                    ("out_addr", out), ("count", count)):  # fmt: skip
                    getattr(dut, f"{name}_i").value = value
                ended = ends or bool(warm)  # no sum keeps what it read before
            await ReadOnly()
            assert dut.busy_o.value == int(now in moved)
            results = due.pop(now, None)
            assert dut.start_o.value == int(results is not None)
            if results is not None:
                assert (int(dut.out_addr_o.value), int(dut.count_o.value)) == results[:2]
                shown = results[2:]
            if shown is not None:
                assert (int(dut.results_o.value), int(dut.multipliers_o.value)) == shown
        if stops:
            await stop(dut, rng)


async def stop(dut: Any, rng: random.Random) -> None:
    """A flush or a reset in the middle: the array is empty, and nothing comes out of it."""
    await FallingEdge(dut.clk_i)
    dut.step_i.value = 0
    await flush_or_reset(dut, rng)
    for _ in range(8):
        known(dut, "busy_o", "start_o")
        assert dut.busy_o.value == 0 and dut.start_o.value == 0
        await FallingEdge(dut.clk_i)
