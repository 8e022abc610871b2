"""What the accelerator computes, in plain Python: descriptors over memories, word by word as tsm_nest loops."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray
from tinsmith_backends.soc import memory_map

CONV, MAXPOOL, ADD = 1, 2, 3
REQUANTIZE, RAW, THRESHOLD = 0, 1, 2
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

    def __post_init__(self) -> None:
        self.act = np.zeros(self.act_bytes, np.uint8)
        self.weights = np.zeros((self.wgt_words, self.pes, self.lanes), np.uint8)
        self.params = np.zeros((self.par_words, self.pes, 2), np.int64)

    @property
    def vec(self) -> int:
        return min(self.pes, self.lanes)

    def parameters(self) -> dict[str, object]:
        names = ("pes", "lanes", "rqs", "act_bytes", "wgt_words", "par_words", "desc_words", "kind")
        return {name.upper(): getattr(self, name) for name in names}

    def load(self, opcode: int, dest: int, words: NDArray[np.uint32]) -> None:
        """What a load descriptor writes."""
        if opcode == 1:
            block = words.view(np.uint8).reshape(-1, self.lanes)
            for number, row in enumerate(block):
                self.weights[dest + number // self.pes, number % self.pes] = row
        else:
            for number, word in enumerate(words.view(np.int32)):
                self.params[dest + number // (2 * self.pes), number // 2 % self.pes, number % 2] = int(word)

    def products(self, x: NDArray[np.int64], w: NDArray[np.uint8]) -> NDArray[np.int64]:
        """Sum of the products of LANES inputs with the weight word of every element."""
        if self.kind == 0:
            terms = x * w.view(np.int8).astype(np.int64)
        elif self.kind == 1:
            terms = (x << (w & 7).astype(np.int64)) * np.where(w & 8, -1, 1)
        else:
            agree = ~(x.astype(np.uint8) ^ w)
            terms = 2 * np.unpackbits(agree[..., None], axis=-1).sum(axis=-1).astype(np.int64) - 8
        return terms.sum(axis=-1)


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
    return [min(max((v * m + half) >> f["shift"], f["lo"]), f["hi"]) for v, m in zip(values, factors, strict=True)]


def compute(chip: Chip, f: Fields) -> Work:
    """Run one compute descriptor on the chip's memories."""
    work = Work()
    channelwise = f["channelwise"] or f["history"] or f["opcode"] != CONV
    size = chip.vec if channelwise else chip.pes
    packed = f["ending"] == THRESHOLD and chip.kind == 2
    stride = 4 * size if f["ending"] == RAW else size // 8 if packed else size
    columns = (f["out_w"] - 1) * f["history_stride"] + f["history_kw"] if f["history"] else f["out_w"]
    step_x = f["dil_xb"] if f["history"] else f["stride_xb"]
    steps = f["kh"] * f["kx_n"] * f["run_n"]
    for g in range(f["groups"]):
        count = f["last_count"] if g == f["groups"] - 1 else size
        gap = count if f["ending"] == RAW else 1 if packed else -(-count // chip.rqs)
        base = f["w_base"] + (g * steps if f["w_per_group"] else 0)
        bias, factor = chip.params[f["p_base"] + g].T if f["opcode"] != ADD else (None, None)
        for oy in range(f["out_h"]):
            past = np.zeros((f["kh"], chip.lanes, chip.lanes), np.int64)  # row of the window, columns ago, channel
            emitted = 0
            for c in range(columns):
                acc = np.zeros(chip.pes, np.int64)
                k = 0
                emit = not f["history"] or (
                    c >= f["history_kw"] - 1 and (c - f["history_kw"] + 1) % f["history_stride"] == 0
                )
                for ky in range(f["kh"]):
                    row = oy * f["stride_y"] - f["pad_top"] + ky * f["dil_y"]
                    at = f["in_base"] + row * f["in_row_bytes"]
                    if f["opcode"] == ADD and ky:
                        at = f["in2_base"]
                    is_signed = f["in2_signed"] if f["opcode"] == ADD and ky else f["in_signed"]
                    for kx in range(f["kx_n"]):
                        for r in range(f["run_n"]):
                            first = c * step_x - f["pad_left_b"] + kx * f["dil_xb"] + r * chip.lanes
                            first += g * size if channelwise else 0
                            where = first + np.arange(chip.lanes)
                            there = (where >= 0) & (where < f["in_row_bytes"]) & (0 <= row < f["in_h"])
                            word = np.where(there, chip.act[(at + where) % chip.act_bytes], f["pad_byte"]).astype(
                                np.uint8
                            )
                            x = (word.view(np.int8) if is_signed else word).astype(np.int64)
                            own = np.zeros(chip.pes, np.int64)
                            own[: chip.vec] = x[: chip.vec]
                            if f["opcode"] == MAXPOOL:
                                acc = own if k == 0 else np.maximum(acc, own)
                            elif f["opcode"] == ADD:
                                acc = own * f["m_a"] if k == 0 else acc + own * f["m_b"]
                            elif f["history"]:
                                past[ky] = np.roll(past[ky], 1, axis=0)
                                past[ky, 0] = x
                                for p in range(chip.vec):
                                    acc[p] += chip.products(past[ky, :, p], chip.weights[base + k, p])
                            else:
                                acc = acc + chip.products(x[None, :], chip.weights[base + k])
                            k += 1
                            work.step(k == steps and emit, gap)
                if not emit:
                    continue
                out = f["out_base"] + oy * f["out_row_bytes"] + emitted * f["out_pix_bytes"] + g * stride
                emitted += 1
                values = [int(v) for v in acc[:count]]
                if f["opcode"] == CONV:
                    values = [v + int(b) for v, b in zip(values, bias, strict=False)]
                if f["ending"] == RAW:
                    made = np.array(values, np.int64).astype(np.int32).view(np.uint8)
                elif packed:
                    made = np.packbits([v < 0 for v in values], bitorder="little")
                elif f["ending"] == THRESHOLD:
                    made = np.array([1 if v >= 0 else 255 for v in values], np.uint8)
                else:
                    factors = [1] * count if f["opcode"] == ADD else [int(m) for m in factor[:count]]
                    made = np.array(ends(values, f, factors), np.int64).astype(np.uint8)
                chip.act[(out + np.arange(len(made))) % chip.act_bytes] = made
    return work


def pack(record: str, f: Fields) -> list[int]:
    """Words of a descriptor."""
    layout = {r.name: r for r in memory_map.RECORDS}[record]
    return layout.pack({"magic": memory_map.MAGIC_DESCRIPTOR} | f)
