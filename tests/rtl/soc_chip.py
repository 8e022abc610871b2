"""What the accelerator computes, in plain Python: descriptors over memories, word by word as tsm_nest loops."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import product

import numpy as np
from numpy.typing import NDArray
from tinsmith_backends.soc import memory_map

CONV, MAXPOOL, ADD, BITPOOL = 1, 2, 3, 4
REQUANTIZE, RAW, THRESHOLD = 0, 1, 2
NOTHING = 1 << 8
"""Added to a byte of eight bits that adds nothing to a sum."""
Fields = dict[str, int]


@dataclass
class Chip:
    """Parameters of tsm_accel, and the contents of its memories."""

    pes: int = 8
    lanes: int = 8
    rqs: int = 4
    act_bytes: int = 1024
    wgt_words: int = 64
    par_words: int = 16
    desc_words: int = 512
    kind: int = 0
    act: NDArray[np.uint8] = field(init=False)
    weights: NDArray[np.uint8] = field(init=False)
    params: NDArray[np.int64] = field(init=False)
    tables: NDArray[np.uint8] = field(init=False)

    def __post_init__(self) -> None:
        self.act = np.zeros(self.act_bytes, np.uint8)
        self.weights = np.zeros((self.wgt_words, self.pes, self.lanes), np.uint8)
        self.params = np.zeros((self.par_words, self.pes, 2), np.int64)
        self.tables = np.zeros(memory_map.TABLES * 256, np.uint8)

    @property
    def vec(self) -> int:
        return min(self.pes, self.lanes)

    def parameters(self) -> dict[str, object]:
        names = ("pes", "lanes", "rqs", "act_bytes", "wgt_words", "par_words", "desc_words", "kind")
        return {**{name.upper(): getattr(self, name) for name in names}, "OPS": 11 if self.kind == 2 else 15}

    def load(self, opcode: int, dest: int, words: NDArray[np.uint32]) -> None:
        """What a load descriptor writes."""
        if opcode == 1:
            block = words.view(np.uint8).reshape(-1, self.lanes)
            for number, row in enumerate(block):
                self.weights[dest + number // self.pes, number % self.pes] = row
        elif opcode == 3:
            self.tables[4 * dest : 4 * (dest + len(words))] = words.view(np.uint8)
        else:
            for number, word in enumerate(words.view(np.int32)):
                self.params[dest + number // (2 * self.pes), number // 2 % self.pes, number % 2] = int(word)

    @property
    def wide(self) -> int:
        """Results of two bytes that are written in a clock: half as many as bytes, or as there are requantizers."""
        return min(self.rqs, max(self.rqs, 4) // 2)

    def lanes_of(self, word: NDArray[np.uint8], is_signed: object, wide: object) -> NDArray[np.int64]:
        """A word's bytes as numbers; of 16-bit values, low byte first, the low bytes have no sign."""
        x = word.astype(np.int64)
        counts = (np.arange(self.lanes) % 2 == 1) | (not wide)
        return x - np.where(counts & bool(is_signed) & (x > 127), 256, 0)

    def products(self, x: NDArray[np.int64], w: NDArray[np.uint8], wide: object = False) -> NDArray[np.int64]:
        """Sum of the products of LANES inputs with the weight word of every element; those of high bytes count 256."""
        if self.kind == 0:
            terms = x * w.view(np.int8).astype(np.int64)
        elif self.kind == 1:
            terms = (x << (w & 7).astype(np.int64)) * np.where(w & 16, np.where(w & 8, -1, 1), 0)
        else:
            agree = ~((x & 0xFF).astype(np.uint8) ^ w)
            sums = 2 * np.unpackbits(agree[..., None], axis=-1).sum(axis=-1).astype(np.int64) - 8
            terms = np.where(x < NOTHING, sums, 0)
        return terms @ np.where((np.arange(self.lanes) % 2 == 1) & bool(wide), 256, 1)


@dataclass
class Work:
    """Clocks of a compute descriptor, as its counters tell them."""

    steps: int = 0
    stalls: int = 0
    _clock: int = 0
    _free: int = 0

    def step(self, ends: bool, gap: int) -> None:
        """One step; one that ends an accumulation waits for the results before it, then blocks for `gap` clocks."""
        if ends:
            wait = max(0, self._free - self._clock)
            self.stalls += wait
            self._clock += wait
            self._free = self._clock + gap
        self._clock += 1
        self.steps += 1


def ends(values: list[int], f: Fields, factors: list[int]) -> list[int]:
    """docs/numbers.md: requantization of accumulators."""
    half = 1 << (f["shift"] - 1)
    shifted = [(v * m + half) >> f["shift"] for v, m in zip(values, factors, strict=True)]
    return [min(max(v, f["lo"]), f["hi"]) + f["zero"] for v in shifted]


def modes(chip: Chip, f: Fields) -> tuple[bool, bool]:
    """Whether element p works on byte p, and whether results are packed bits."""
    channelwise = bool(f["channelwise"] or f["history"] or f["opcode"] != CONV)
    return channelwise, f["ending"] == THRESHOLD and chip.kind == 2


@dataclass(frozen=True)
class Step:
    """A step of the array.

    Attributes:
        k, ky: which of the window's words, and in which of its rows.
        row, column: of the word's first byte in the input, also outside of it.
        address: where that byte would stand, before the memory wraps.
        weight, parameter: words of the elements' memories.
        ends: whether an accumulation ends.
        out, count, gap: where its results go, how many, and clocks until the next may end.
    """

    k: int
    ky: int
    row: int
    column: int
    address: int
    weight: int
    parameter: int
    ends: bool
    out: int
    count: int
    gap: int


def steps(chip: Chip, f: Fields) -> Iterator[Step]:
    """The loops of docs/soc-rtl.md over a compute descriptor."""
    channelwise, packed = modes(chip, f)
    size = chip.pes if not channelwise else chip.vec // 2 if f["wide_in"] else chip.vec
    stride = 4 * size if f["ending"] == RAW else size // 8 if packed else 2 * size if f["wide_out"] else size
    columns = (f["out_w"] - 1) * f["history_stride"] + f["history_kw"] if f["history"] else f["out_w"]
    window = list(product(range(f["kh"]), range(f["kx_n"]), range(f["run_n"])))
    for g, oy, c in product(range(f["groups"]), range(f["out_h"]), range(columns)):
        count = f["last_count"] if g == f["groups"] - 1 else size
        gap = count if f["ending"] == RAW else 1 if packed else -(-count // (chip.wide if f["wide_out"] else chip.rqs))
        ox, between = divmod(c - f["history_kw"] + 1, f["history_stride"]) if f["history"] else (c, 0)
        out = f["out_base"] + oy * f["out_row_bytes"] + max(ox, 0) * f["out_pix_bytes"] + g * stride
        for k, (ky, kx, r) in enumerate(window):
            row = oy * f["stride_y"] - f["pad_top"] + ky * f["dil_y"]
            column = c * f["dil_xb" if f["history"] else "stride_xb"] - f["pad_left_b"]
            column += kx * f["dil_xb"] + r * chip.lanes + (g * chip.vec if channelwise else 0)
            base = f["in2_base"] if f["opcode"] == ADD and ky else f["in_base"] + row * f["in_row_bytes"]
            weight = f["w_base"] + k + (g * len(window) if f["w_per_group"] else 0)
            ends = k == len(window) - 1 and ox >= 0 and between == 0
            yield Step(k, ky, row, column, base + column, weight, f["p_base"] + g, ends, out, count, gap)


def of_bits(chip: Chip, f: Fields, step: Step, word: NDArray[np.uint8], there: NDArray[np.bool_]) -> NDArray[np.int64]:
    """A word of bits, with what adds nothing: behind the run, and outside the image where that is so."""
    last = f.get("run_last", 0) if (step.k + 1) % f["run_n"] == 0 else 0
    counts = np.arange(chip.lanes) < (last or chip.lanes)
    counts &= there | (f.get("pad_none", 0) == 0)
    return word.astype(np.int64) + np.where(counts, 0, NOTHING)


def compute(chip: Chip, f: Fields) -> Work:
    """Run one compute descriptor on the chip's memories."""
    work = Work()
    past = np.zeros((f["kh"], chip.lanes, chip.lanes), np.int64)  # row of the window, columns ago, channel
    acc = np.zeros(chip.pes, np.int64)
    for step in steps(chip, f):
        work.step(step.ends, step.gap)
        where = step.column + np.arange(chip.lanes)
        there = (where >= 0) & (where < f["in_row_bytes"]) & (0 <= step.row < f["in_h"])
        held = chip.act[(step.address + np.arange(chip.lanes)) % chip.act_bytes]
        word = np.where(there, held, f["pad_byte"]).astype(np.uint8)
        is_signed = f["in2_signed"] if f["opcode"] == ADD and step.ky else f["in_signed"]
        x = chip.lanes_of(word, is_signed, f["wide_in"])
        own = np.zeros(chip.pes, np.int64)
        own[: chip.vec] = x[: chip.vec]
        if f["opcode"] == MAXPOOL:
            acc = own if step.k == 0 else np.maximum(acc, own)
        elif f["opcode"] == BITPOOL:
            acc = own if step.k == 0 else acc & own
        elif f["opcode"] == ADD:
            zero = f["in2_zero"] if step.ky else f["pad_byte"]
            own -= zero - 256 if is_signed and zero > 127 else zero
            acc = own * f["m_a"] if step.k == 0 else acc + own * f["m_b"]
        else:
            acc = acc if step.k else np.zeros(chip.pes, np.int64)
            if f["history"]:
                past[step.ky] = np.roll(past[step.ky], 1, axis=0)
                past[step.ky, 0] = x
                for p in range(chip.vec):
                    acc[p] += chip.products(past[step.ky, :, p], chip.weights[step.weight, p])
            elif chip.kind == 2 and f["channelwise"]:
                acc = acc + np.where(chip.weights[step.weight, :, 0] & 1, -own, own)
            else:
                x = of_bits(chip, f, step, word, there) if chip.kind == 2 else x
                acc = acc + chip.products(x[None, :], chip.weights[step.weight], f["wide_in"])
        if step.ends:
            store(chip, f, step, [int(v) for v in acc[: step.count]])
    return work


def store(chip: Chip, f: Fields, step: Step, values: list[int]) -> None:
    """What becomes of the accumulators that a step ends."""
    _, packed = modes(chip, f)
    factors = [1] * step.count
    if f["opcode"] != ADD:
        bias, multiplier = chip.params[step.parameter, : step.count].T
        factors = [int(m) for m in multiplier]
        if f["opcode"] == CONV:
            values = [v + int(b) for v, b in zip(values, bias, strict=True)]
    if f["ending"] == RAW:
        made = np.array(values, np.int64).astype(np.int32).view(np.uint8)
    elif packed:
        made = np.packbits([v < 0 for v in values], bitorder="little")
    elif f["ending"] == THRESHOLD:
        made = np.array([1 if v >= 0 else 255 for v in values], np.uint8)
    else:
        made = np.array(ends(values, f, factors), np.int64)
        made = made.astype("<i2").view(np.uint8) if f["wide_out"] else made.astype(np.uint8)
        made = chip.tables[f["table"] * 256 + made.astype(np.int64)] if f["look_up"] else made
    chip.act[(step.out + np.arange(len(made))) % chip.act_bytes] = made


def pack(record: str, f: Fields) -> list[int]:
    """Words of a descriptor."""
    layout = {r.name: r for r in memory_map.RECORDS}[record]
    return layout.pack({"magic": memory_map.MAGIC_DESCRIPTOR} | f)
