"""The model in numpy beside the nest of loops that docs/soc.md spells out, on random descriptors with ==."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from tinsmith_backends.soc.chip import Chip
from tinsmith_backends.soc.memory_map import COMPUTE, ENDING, OPCODE
from tinsmith_backends.soc.model import Model

CHIPS = (Chip(act_bytes=4096), Chip(lanes=4, act_bytes=4096), Chip(pes=4, rqs=1, lanes=16, act_bytes=4096))
INPUT, OUTPUT = 0, 2048


def machine(chip: Chip, seed: int) -> Model:
    """A chip with noise in its memories and no image."""
    model = Model.__new__(Model)
    rng = np.random.default_rng(seed)
    model.chip = chip
    model.act = rng.integers(0, 256, chip.act_bytes, np.uint8)
    model.weights = rng.integers(-128, 128, (chip.wgt_words, chip.pes, chip.lanes), np.int8)
    model.parameters = rng.integers(-(2**20), 2**20, (chip.par_words, chip.pes, 2)).astype(np.int32)
    model.parameters[..., 1] = rng.integers(1, 2**31, (chip.par_words, chip.pes))
    return model


def random_descriptor(chip: Chip, seed: int, form: str) -> dict[str, int]:
    rng = np.random.default_rng(seed)
    one = lambda low, high: int(rng.integers(low, high + 1))  # noqa: E731
    grouped, channels = "dense" not in form, one(1, 20)
    wide = int("wide" in form)
    groups = -(-channels // (chip.vector >> wide if grouped else chip.pes))
    pixel = (channels if grouped else one(1, 9)) << wide
    height, width, kh, kw = one(1, 6), one(2, 6), one(1, 3), one(1, 3)
    d = dict.fromkeys((field.name for field in COMPUTE.fields), 0)
    d |= {"opcode": OPCODE["MAXPOOL" if form == "maximum" else "CONV"], "channelwise": int(grouped)}
    d |= {"history": int(form == "history"), "w_per_group": one(0, 1), "in_signed": one(0, 1), "in_base": INPUT}
    d |= {"wide_in": wide}
    d |= {"in_h": height, "in_row_bytes": width * pixel, "out_h": one(1, 3), "out_w": one(1, 3), "groups": groups}
    d |= {"kh": kh, "kx_n": kw, "run_n": 1 if grouped else one(1, 2), "stride_y": one(1, 2), "dil_y": one(1, 2)}
    d |= {"stride_xb": one(1, 2) * pixel, "dil_xb": one(1, 2) * pixel, "pad_top": one(0, 2)}
    d |= {"pad_byte": one(0, 255), "pad_left_b": one(0, 2) * pixel, "w_base": one(0, 500), "p_base": one(0, 200)}
    width_of = chip.vector >> wide if grouped else chip.pes
    d |= {"last_count": channels - (groups - 1) * width_of, "out_base": OUTPUT, "shift": one(1, 62)}
    ending, size = [("RAW", 4), ("REQUANTIZE", 1), ("REQUANTIZE", 2), ("THRESHOLD", 1)][one(0, 3)]
    d |= {"ending": ENDING[ending], "wide_out": int(size == 2)}
    d |= {
        "out_pix_bytes": channels * size,
        "out_row_bytes": channels * size * d["out_w"],
        "lo": -128 if size == 1 else -32768,
        "hi": one(0, 127 if size == 1 else 32767),
        "zero": one(0, 255) if size == 1 else 0,
    }
    if form == "history":
        d |= {"kx_n": 1, "history_kw": one(1, min(3, chip.lanes)), "history_stride": one(1, 2), "dil_xb": pixel}
    return d


def byte(model: Model, d: dict[str, int], row: int, column: int, lane: int = 0) -> int:
    """What a lane sees; of 16-bit values, an even lane the low byte and an odd one 256 times the high."""
    inside = 0 <= row < d["in_h"] and 0 <= column < d["in_row_bytes"]
    value = int(model.act[d["in_base"] + row * d["in_row_bytes"] + column]) if inside else d["pad_byte"]
    if d["wide_in"] and lane % 2 == 0:
        return value
    return (value - 256 if d["in_signed"] and value > 127 else value) * (256 if d["wide_in"] else 1)


def accumulate(model: Model, d: dict[str, int], g: int, oy: int, ox: int, pe: int) -> int:
    """The nest of loops, one element at one pixel."""
    chip, k, acc = model.chip, 0, None
    for ky in range(d["kh"]):
        row = oy * d["stride_y"] - d["pad_top"] + ky * d["dil_y"]
        for kx in range(d["kx_n"]):
            for r in range(d["run_n"]):
                moved = g * chip.vector if d["channelwise"] else 0
                column = ox * d["stride_xb"] - d["pad_left_b"] + kx * d["dil_xb"] + r * chip.lanes + moved
                if d["opcode"] == OPCODE["MAXPOOL"]:
                    value = byte(model, d, row, column + pe)
                    acc = value if acc is None else max(acc, value)
                    continue
                words = d["kh"] * d["kx_n"] * d["run_n"]
                weights = model.weights[d["w_base"] + (g * words if d["w_per_group"] else 0) + k, pe]
                acc = (acc or 0) + sum(int(w) * byte(model, d, row, column + j, j) for j, w in enumerate(weights))
                k += 1
    return acc or 0


def filtered(model: Model, d: dict[str, int], g: int, oy: int, ox: int, pe: int) -> int:
    """With history: lane j of word ky has the byte of the column j before the last."""
    total = 0
    for ky in range(d["kh"]):
        row = oy * d["stride_y"] - d["pad_top"] + ky * d["dil_y"]
        weights = model.weights[d["w_base"] + (g * d["kh"] if d["w_per_group"] else 0) + ky, pe]
        for lane in range(d["history_kw"]):
            column = ox * d["history_stride"] + d["history_kw"] - 1 - lane
            place = column * d["dil_xb"] - d["pad_left_b"] + g * model.chip.vector + pe
            total += int(weights[lane]) * byte(model, d, row, place)
    return total


def ended(model: Model, d: dict[str, int], g: int, pe: int, acc: int) -> bytes:
    bias, multiplier = (int(n) for n in model.parameters[d["p_base"] + g, pe])
    if d["ending"] == ENDING["RAW"]:
        return (acc + bias).to_bytes(4, "little", signed=True)
    if d["ending"] == ENDING["THRESHOLD"]:
        return b"\x01" if acc + bias >= 0 else b"\xff"
    value = ((acc + bias) * multiplier + (1 << (d["shift"] - 1))) >> d["shift"]
    limited, size = max(d["lo"], min(d["hi"], value)) + d["zero"], 1 + d["wide_out"]
    return (limited % 256**size).to_bytes(size, "little")


def expected(model: Model, d: dict[str, int]) -> dict[int, int]:
    """Every byte that the descriptor writes, by address."""
    found: dict[int, Any] = {}
    size = 4 if d["ending"] == ENDING["RAW"] else 1 + d["wide_out"]
    width = model.chip.vector >> d["wide_in"] if d["channelwise"] else model.chip.pes
    for g, oy, ox in np.ndindex(d["groups"], d["out_h"], d["out_w"]):
        for pe in range(d["last_count"] if g == d["groups"] - 1 else width):
            acc = (filtered if d["history"] else accumulate)(model, d, g, oy, ox, pe)
            place = d["out_base"] + oy * d["out_row_bytes"] + ox * d["out_pix_bytes"] + (g * width + pe) * size
            found |= {place + i: value for i, value in enumerate(ended(model, d, g, pe, acc))}
    return found


@pytest.mark.parametrize("form", ["dense", "taps", "history", "maximum", "wide dense", "wide taps"])
@pytest.mark.parametrize("chip", CHIPS, ids=["8x8", "8x4", "4x16"])
def test_the_model_is_the_nest_of_loops(chip: Chip, form: str) -> None:
    for seed in range(6):
        d, model = random_descriptor(chip, seed, form), machine(chip, seed)
        right, before = expected(model, d), model.act.copy()
        model._compute(d)
        written = {int(i): int(model.act[i]) for i in np.flatnonzero(model.act != before)}
        assert {i: int(model.act[i]) for i in right} == right
        assert written.keys() <= right.keys()
