"""Random programs for the accelerator: descriptors that fit its memories, and what their loads read."""

from __future__ import annotations

import random
import zlib
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray
from soc_chip import ADD, BITPOOL, CONV, MAXPOOL, RAW, REQUANTIZE, THRESHOLD, Chip, Fields
from tinsmith_backends.soc.memory_map import TABLES

SCRATCH = 32
"""Bytes at the end of the activation memory that no descriptor touches."""


@dataclass
class Program:
    """Two lists of descriptors and what the loads read."""

    computes: list[Fields] = field(default_factory=list)
    loads: list[Fields] = field(default_factory=list)
    payload: list[int] = field(default_factory=list)

    def load(self, opcode: int, dest: int, words: NDArray[np.uint32], after: int) -> None:
        """Add a load of these words, behind those that are there."""
        where = 4 * len(self.payload)
        self.payload += [int(word) for word in words]
        crc = zlib.crc32(words.tobytes())
        size = {"ext_addr": where, "ext_words": len(words), "dest": dest, "crc32": crc}
        self.loads.append({"opcode": opcode, "after_compute": after, **size})


def _ending(rng: random.Random, f: Fields, raw: bool, kind: int) -> None:
    signed = rng.random() < 0.5
    f["lo"], f["hi"] = (-128, 127) if signed else (0, 255)
    f["look_up"], f["table"] = 0, rng.randrange(TABLES)
    if rng.random() < 0.3:
        f["lo"], f["hi"] = sorted(rng.sample(range(f["lo"], f["hi"] + 1), 2))
    f["ending"] = rng.choice([REQUANTIZE] * 4 + ([RAW, THRESHOLD] if raw else []))
    f["look_up"] = int(f["ending"] == REQUANTIZE and rng.random() < 0.4)
    f["wide_out"] = int(f["ending"] == REQUANTIZE and not f["look_up"] and kind != 2 and rng.random() < 0.6)
    if f["wide_out"]:
        f["lo"], f["hi"] = sorted(rng.sample([-32768, 32767, *(rng.randint(-32768, 32767) for _ in range(3))], 2))
    f["zero"] = 0 if f["wide_out"] else rng.choice([0, rng.randrange(256)])
    f["shift"] = rng.choice([rng.randint(1, 62), rng.randint(8, 30), rng.randint(8, 30)])


def _wide(rng: random.Random, chip: Chip) -> int:
    """Whether inputs are of 16 bits."""
    return int(chip.kind != 2 and rng.random() < 0.4)


def _conv(rng: random.Random, chip: Chip) -> Fields:
    wide = _wide(rng, chip)
    c_in = (1 + wide) * rng.randint(1, (2 * chip.lanes + 3) >> wide)
    in_w, kw = rng.randint(1, 6), rng.randint(1, 3)
    f = {"opcode": CONV, "in_h": rng.randint(1, 5), "in_row_bytes": in_w * c_in, "kh": rng.randint(1, 3)}
    f |= {"out_h": rng.randint(1, 3), "out_w": rng.randint(1, 4), "groups": rng.randint(1, 3)}
    f |= {"stride_y": rng.randint(1, 2), "dil_y": rng.randint(1, 2), "pad_top": rng.randint(0, 2)}
    f |= {"stride_xb": rng.randint(1, 2) * c_in, "pad_left_b": rng.randint(0, 2) * c_in}
    if rng.random() < 0.5:
        f |= {"kx_n": 1, "run_n": -(-kw * c_in // chip.lanes)}
    else:
        f |= {"kx_n": kw, "run_n": -(-c_in // chip.lanes), "dil_xb": rng.randint(1, 3) * c_in}
    if chip.kind == 2:
        f |= {"run_last": rng.randint(0, chip.lanes), "pad_none": rng.randint(0, 1)}
    return f | {"w_per_group": 1, "last_count": rng.randint(1, chip.pes), "wide_in": wide}


def _channelwise(rng: random.Random, chip: Chip, opcode: int, wide: int = 0) -> Fields:
    """Every channel for itself; of 16-bit values, VEC bytes are half as many channels."""
    size = chip.vec >> wide
    channels = rng.randint(1, 3 * size)
    pixel = channels << wide
    f = {"opcode": opcode, "in_h": rng.randint(1, 5), "in_row_bytes": rng.randint(1, 6) * pixel, "channelwise": 1}
    f |= {"kh": rng.randint(1, 3), "kx_n": rng.randint(1, 3), "run_n": 1, "dil_xb": rng.randint(1, 2) * pixel}
    f |= {"out_h": rng.randint(1, 3), "out_w": rng.randint(1, 4), "groups": -(-channels // size)}
    f |= {"stride_y": rng.randint(1, 2), "dil_y": rng.randint(1, 2), "pad_top": rng.randint(0, 1)}
    f |= {"stride_xb": rng.randint(1, 2) * pixel, "pad_left_b": rng.randint(0, 1) * pixel, "wide_in": wide}
    return f | {"w_per_group": rng.randint(0, 1), "last_count": (channels - 1) % size + 1}


def _history(rng: random.Random, chip: Chip) -> Fields:
    f = _channelwise(rng, chip, CONV) | {"history": 1, "kx_n": 1}
    channels = (f["groups"] - 1) * chip.vec + f["last_count"]
    kw = rng.randint(1, chip.lanes) if chip.kind == 0 else chip.lanes  # no weight of another kind leaves a lane out
    f |= {"history_kw": kw, "history_stride": rng.randint(1, 3), "dil_xb": channels}
    return f | {"stride_xb": 0}


def _add(rng: random.Random, chip: Chip) -> Fields:
    length = rng.randint(1, 120)
    f = {"opcode": ADD, "length": length, "in_row_bytes": length, "in_h": 2, "kh": 2, "kx_n": 1, "run_n": 1}
    f |= {
        "out_h": 1,
        "out_w": 1,
        "stride_y": 1,
        "dil_y": 1,
        "groups": -(-length // chip.vec),
        "in2_signed": rng.randint(0, 1),
        "in2_zero": rng.randrange(256),
    }
    f |= {"last_count": (length - 1) % chip.vec + 1, "m_a": rng.randint(-(2**21), 2**21), "m_b": rng.randint(1, 2**21)}
    return f


def _sizes(f: Fields, chip: Chip) -> tuple[int, int, int]:
    """Bytes of the input, bytes of the output, weight words."""
    channelwise = f["opcode"] != CONV or f.get("channelwise")
    size = chip.vec >> f.get("wide_in", 0) if channelwise else chip.pes
    pixel = (f["groups"] - 1) * size + f["last_count"]
    if f["ending"] == RAW:
        pixel *= 4
    if f["wide_out"]:
        pixel *= 2
    if f["ending"] == THRESHOLD and chip.kind == 2:
        pixel = -(-pixel // 8)
    steps = f["kh"] * f["kx_n"] * f["run_n"]
    weights = 0 if f["opcode"] != CONV else steps * (f["groups"] if f["w_per_group"] else 1)
    return f["in_h"] * f["in_row_bytes"], f["out_h"] * f["out_w"] * pixel, weights


def descriptor(rng: random.Random, chip: Chip, number: int) -> Fields:
    """A compute descriptor that fits: even ones read the lower half of the activation memory, odd ones the upper."""
    pools = [MAXPOOL, CONV, BITPOOL] if chip.kind == 2 else [MAXPOOL, CONV]
    makers = [_conv, _conv, _add, lambda r, c: _channelwise(r, c, rng.choice(pools))]
    makers += [lambda r, c: _channelwise(r, c, CONV, _wide(r, c))]
    makers += [_conv if chip.kind == 2 else _history]
    while True:
        f = rng.choice(makers)(rng, chip)
        _ending(rng, f, f["opcode"] == CONV, chip.kind)
        if f["opcode"] == ADD:
            f["shift"] = rng.randint(8, 30)
        read, written, weights = _sizes(f, chip)
        half = chip.act_bytes // 2 - SCRATCH
        groups = 0 if f["opcode"] == ADD else f["groups"]
        if max(read, written) > half or weights > chip.wgt_words // 2 or groups > chip.par_words // 2:
            continue
        low, high = (0, half + SCRATCH) if number % 2 == 0 else (half + SCRATCH, 0)
        f["in_base"] = low + rng.randint(0, half - read)
        f["in2_base"] = low + rng.randint(0, half - read)
        f["out_base"] = high + rng.randint(0, half - written)
        f["in_signed"] = rng.randint(0, 1)
        f["pad_byte"] = rng.choice([0, 0, rng.randint(0, 255)]) if f["opcode"] in (CONV, ADD) else 0x80 * f["in_signed"]
        f["out_pix_bytes"] = written // (f["out_h"] * f["out_w"])
        f["out_row_bytes"] = f["out_pix_bytes"] * f["out_w"]
        return f


def program(rng: random.Random, chip: Chip, count: int) -> Program:
    """A run: each compute has its weights and parameters loaded into the half that the one before does not use."""
    made = Program()
    for number in range(count):
        f = descriptor(rng, chip, number)
        half = number % 2
        if f["opcode"] == CONV:
            weights = _sizes(f, chip)[2]
            f["w_base"] = half * (chip.wgt_words // 2) + rng.randint(0, chip.wgt_words // 2 - weights)
            data = rng.choices(range(256), k=weights * chip.pes * chip.lanes)
            block = np.array(data, np.uint8).reshape(-1, chip.lanes)
            if f.get("history"):
                block[:, f["history_kw"] :] = 0
            made.load(1, f["w_base"], block.reshape(-1).view(np.uint32), max(0, number - 1))
        if f["opcode"] != ADD:
            f["p_base"] = half * (chip.par_words // 2) + rng.randint(0, chip.par_words // 2 - f["groups"])
            top = 1 << rng.randint(8, 31)
            pairs = [
                (rng.randint(-(2 ** rng.randint(1, 26)), 2**20), rng.randint(1, top - 1))
                for _ in range(f["groups"] * chip.pes)
            ]
            made.load(2, f["p_base"], np.array(pairs, np.int32).reshape(-1).view(np.uint32), max(0, number - 1))
        if f["look_up"]:
            # A table is loaded while the compute before may use another one.
            f["table"] = 2 * (f["table"] // 2) + half
            results = np.array(rng.choices(range(256), k=256), np.uint8)
            made.load(3, 64 * f["table"], results.view(np.uint32), max(0, number - 1))
        f["after_load"] = len(made.loads)
        names = "history w_per_group channelwise in2_signed ending history_stride history_kw dil_xb stride_xb pad_top"
        names += " pad_left_b w_base p_base m_a m_b wide_in wide_out"
        made.computes.append(dict.fromkeys(names.split(), 0) | f)
    return made
