"""Runs the cocotb bench of each module of rtl/common and rtl/stream in Icarus, with several sets of parameters."""

from __future__ import annotations

import random
from pathlib import Path

import pytest
from rtl_run import ROOT, need_icarus, run_bench

need_icarus()

Parameters = dict[str, object]


def memory(folder: Path, name: str, count: int, width: int, *, lanes: int = 1, top: int | None = None) -> str:
    """A $readmemh file of `count` lines of random lanes; `top` bounds their magnitude."""
    rng = random.Random(name)
    text = []
    for _ in range(count):
        word = 0
        for lane in range(lanes):
            value = rng.randrange(1 << width) if top is None else rng.randint(-top, top)
            word |= (value & ((1 << width) - 1)) << (lane * width)
        text.append(f"{word:0{(lanes * width + 3) // 4}x}")
    (folder / name).write_text("\n".join(text) + "\n")
    return f'"{folder / name}"'


def same(h: int, w: int, k: int, stride: int = 1) -> Parameters:
    """A window with the padding that keeps the image's size."""
    out = (-(-h // stride), -(-w // stride))
    size = {"H": h, "W": w, "OH": out[0], "OW": out[1], "KH": k, "KW": k}
    return {**size, "SH": stride, "SW": stride, "TOP": k // 2, "LEFT": k // 2}


def mvu(
    folder: Path,
    pe: int,
    simd: int,
    inputs: int,
    outputs: int,
    kind: int,
    x_w: int,
    w_w: int,
    signed: int,
    hold: int = 0,
) -> Parameters:
    weights = memory(folder, "w.mem", inputs * outputs, w_w, lanes=pe * simd)
    biases = memory(folder, "b.mem", outputs, 24, lanes=pe, top=5000)
    shape = {"PE": pe, "SIMD": simd, "INPUT_FOLDS": inputs, "OUTPUT_FOLDS": outputs, "KIND": kind, "HOLD": hold}
    return {**shape, "X_W": x_w, "W_W": w_w, "X_SIGNED": signed, "ACC_W": 24, "WEIGHTS": weights, "BIASES": biases}


def lanes(
    folder: Path,
    op: int,
    count: int,
    taps: int,
    folds: int,
    signed: int,
    parallel: int = 1,
    outer: int = 0,
    start: int = 0,
) -> Parameters:
    shape = {"LANES": count, "TAPS": taps, "PARALLEL": parallel, "FOLDS": folds, "PIXELS_OUTER": outer}
    shape |= {"OP": op, "START": start, "X_SIGNED": signed, "ACC_W": 8 if op in (0, 3) else 22}
    if op != 2:
        return shape
    weights = memory(folder, "w.mem", taps * folds // parallel, 8, lanes=count * parallel)
    return {**shape, "WEIGHTS": weights, "BIASES": memory(folder, "b.mem", folds, 22, lanes=count, top=999)}


def ending(folder: Path, threshold: int, count: int, folds: int, **more: int) -> Parameters:
    width = more.get("FACTOR_W", 16)
    file = memory(folder, "f.mem", folds, width, lanes=count, top=500 if threshold else None)
    return {
        "THRESHOLD": threshold,
        "LANES": count,
        "FOLDS": folds,
        "ACC_W": 20,
        "FACTOR_W": width,
        "FILE": file,
        **more,
    }


CASES = {
    "fifo-1": ("tsm_fifo", lambda f: {"WIDTH": 5, "DEPTH": 1}),
    "fifo-5": ("tsm_fifo", lambda f: {"WIDTH": 9, "DEPTH": 5}),
    "fork": ("tsm_fork", lambda f: {"WIDTH": 6}),
    "slice": ("tsm_slice", lambda f: {"WIDTH": 7}),
    "gearbox-pack": ("tsm_gearbox", lambda f: {"LANE_W": 4, "IN_LANES": 2, "OUT_LANES": 6}),
    "gearbox-unpack": ("tsm_gearbox", lambda f: {"LANE_W": 8, "IN_LANES": 4, "OUT_LANES": 1}),
    "concat": ("tsm_concat", lambda f: {"A_W": 6, "B_W": 11}),
    "join": ("tsm_join", lambda f: {"LANES": 3, "A_SIGNED": 1, "A_FACTOR": 23170, "B_FACTOR": 311, "ACC_W": 28}),
    "join-adders": (
        "tsm_join",
        lambda f: {"LANES": 3, "A_SIGNED": 1, "A_FACTOR": 23170, "B_FACTOR": 311, "ACC_W": 28, "MULTIPLIER": 0},
    ),
    "ending-requantize": ("tsm_ending", lambda f: ending(f, 0, 3, 2, SHIFT=13, LO=-100, HI=90)),
    "ending-adders": ("tsm_ending", lambda f: ending(f, 0, 2, 3, SHIFT=9, LO=-128, HI=127, MULTIPLIER=0)),
    "ending-one": ("tsm_ending", lambda f: ending(f, 0, 1, 1, SHIFT=1, LO=0, HI=255)),
    "ending-offset": ("tsm_ending", lambda f: ending(f, 0, 2, 2, SHIFT=13, LO=0, HI=255, OFFSET=235 << 12)),
    "ending-offset-adders": (
        "tsm_ending",
        lambda f: ending(f, 0, 2, 1, SHIFT=11, LO=-128, HI=99, OFFSET=-255 << 10, MULTIPLIER=0),
    ),
    "ending-offset-wide": (
        "tsm_ending",
        lambda f: ending(f, 0, 2, 2, ACC_W=6, SHIFT=22, LO=3, HI=255, OFFSET=511 << 21),
    ),
    "ending-narrow": ("tsm_ending", lambda f: ending(f, 0, 2, 1, ACC_W=3, FACTOR_W=2, SHIFT=1, LO=-128, HI=127)),
    "ending-tiny": ("tsm_ending", lambda f: ending(f, 0, 1, 2, ACC_W=6, SHIFT=28, LO=-128, HI=127)),
    "ending-16-bits": ("tsm_ending", lambda f: ending(f, 0, 2, 2, SHIFT=12, LO=-32768, HI=32767, OUT_W=16)),
    "ending-16-bits-narrow": (
        "tsm_ending",
        lambda f: ending(f, 0, 2, 3, SHIFT=9, LO=-32768, HI=32767, OUT_W=16, ACC_W=3, FACTOR_W=2),
    ),
    "ending-threshold": ("tsm_ending", lambda f: ending(f, 1, 4, 3, OUT_W=1)),
    "lanes-max": ("tsm_lanes", lambda f: lanes(f, 0, 2, 4, 3, 1)),
    "lanes-max-unsigned": ("tsm_lanes", lambda f: lanes(f, 0, 3, 5, 2, 0)),
    "lanes-min": ("tsm_lanes", lambda f: lanes(f, 3, 1, 4, 2, 0)),
    "lanes-sum": ("tsm_lanes", lambda f: lanes(f, 1, 3, 9, 1, 0)),
    "lanes-sum-start": ("tsm_lanes", lambda f: lanes(f, 1, 3, 9, 1, 1, start=-9 * 117)),
    "lanes-max-parallel": ("tsm_lanes", lambda f: lanes(f, 0, 2, 4, 2, 1, parallel=4)),
    "lanes-image": ("tsm_lanes", lambda f: lanes(f, 1, 2, 6, 3, 1, outer=1)),
    "lanes-depthwise": ("tsm_lanes", lambda f: lanes(f, 2, 2, 9, 2, 0)),
    "lanes-depthwise-parallel": ("tsm_lanes", lambda f: lanes(f, 2, 2, 9, 3, 1, parallel=9)),
    "mvu-multiply": ("tsm_mvu", lambda f: mvu(f, 2, 3, 4, 3, 0, 8, 8, 0)),
    "mvu-16-bits": ("tsm_mvu", lambda f: mvu(f, 2, 3, 4, 3, 0, 16, 8, 1)),
    "mvu-shift-16-bits": ("tsm_mvu", lambda f: mvu(f, 3, 5, 1, 2, 1, 16, 4, 1, hold=1)),
    "mvu-one": ("tsm_mvu", lambda f: mvu(f, 1, 1, 1, 1, 0, 8, 8, 1)),
    "mvu-parallel": ("tsm_mvu", lambda f: mvu(f, 5, 6, 1, 1, 0, 8, 8, 1)),
    "mvu-hold": ("tsm_mvu", lambda f: mvu(f, 2, 5, 1, 4, 0, 8, 8, 1, hold=1)),
    "mvu-shift": ("tsm_mvu", lambda f: mvu(f, 3, 2, 3, 2, 1, 8, 4, 1)),
    "mvu-xnor": ("tsm_mvu", lambda f: mvu(f, 4, 14, 3, 2, 2, 1, 1, 0)),
    "slide-same": ("tsm_slide", lambda f: {**same(5, 4, 3), "PAD": 9}),
    "slide-words": ("tsm_slide", lambda f: {**same(6, 5, 3), "WORDS": 3, "ROWS": 4}),
    "slide-stride": ("tsm_slide", lambda f: {**same(6, 7, 3, 2), "WORDS": 2, "ROWS": 6}),
    "slide-dilated": (
        "tsm_slide",
        lambda f: {**same(7, 5, 2, 2), "OH": 3, "OW": 2, "TOP": 0, "LEFT": 0, "DH": 2, "DW": 2},
    ),
    "slide-pool": ("tsm_slide", lambda f: {**same(6, 6, 2, 2), "OH": 3, "OW": 3, "TOP": 0, "LEFT": 0}),
    "slide-uneven": ("tsm_slide", lambda f: {**same(4, 6, 3), "KW": 5, "LEFT": 1, "OW": 5, "KH": 2, "OH": 4}),
    "slide-sequence": ("tsm_slide", lambda f: {**same(1, 9, 1), "KW": 5, "LEFT": 2, "OW": 9, "WORDS": 2, "PAD": 3}),
    "slide-sequence-bare": ("tsm_slide", lambda f: {**same(2, 9, 1), "KW": 2, "OW": 8}),
    "slide-sequence-stride": ("tsm_slide", lambda f: {**same(3, 8, 1), "KW": 4, "LEFT": 1, "OW": 4, "SW": 2}),
    "slide-narrow": ("tsm_slide", lambda f: {**same(4, 1, 1), "KH": 3, "TOP": 1}),
    "window-same": ("tsm_window", lambda f: {**same(5, 4, 3), "WORDS": 2, "PAD": 9}),
    "window-stride": ("tsm_window", lambda f: {**same(6, 6, 3, 2), "CHANNELS_OUTER": 1, "WORDS": 3}),
    "table": ("tsm_table", lambda f: {"LANES": 3, "TABLE": memory(f, "t.mem", 256, 8)}),
    "table-narrow": ("tsm_table", lambda f: {"LANES": 1, "OUT_W": 3, "TABLE": memory(f, "t.mem", 256, 3)}),
    "window-dilated": (
        "tsm_window",
        lambda f: {**same(7, 5, 2, 2), "OH": 3, "OW": 2, "TOP": 0, "LEFT": 0, "DH": 2, "DW": 2},
    ),
    "window-dilated-padded": (
        "tsm_window",
        lambda f: {**same(7, 5, 3), "TOP": 2, "LEFT": 2, "DH": 2, "DW": 2, "PAD": 3},
    ),
    "window-row": ("tsm_window", lambda f: {**same(1, 9, 1), "OW": 4, "KW": 3, "SW": 2, "WORDS": 2}),
    "window-whole": (
        "tsm_window",
        lambda f: {**same(4, 4, 4), "OH": 1, "OW": 1, "TOP": 0, "LEFT": 0, "CHANNELS_OUTER": 1},
    ),
    "window-sparse": ("tsm_window", lambda f: same(6, 3, 1, 3)),
}
"""Module and parameters, by the name of the test."""


@pytest.mark.parametrize("case", CASES)
def test_module(case: str, tmp_path: Path) -> None:
    module, parameters = CASES[case]
    run_bench(module, "bench", parameters(tmp_path), tmp_path)


def test_every_module_has_a_case() -> None:
    modules = {path.stem for folder in ("common", "stream") for path in (ROOT / "rtl" / folder).glob("*.sv")}
    inside = {"tsm_dot", "tsm_rows", "tsm_sum"}  # which tsm_mvu and the window formers hold
    assert modules - {module for module, _ in CASES.values()} == inside
