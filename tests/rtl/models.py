"""What each stream module computes, in plain Python: random words for its inputs, and the words that must come out."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from streams import pack, unpack

Streams = Mapping[str, list[int]]
Parameters = Mapping[str, int]


def integers(dut: Any, *names: str) -> tuple[int, ...]:
    """Integer parameters of the module."""
    values = (int(getattr(dut, name).value) for name in names)
    return tuple(value - (1 << 32) if value >> 31 else value for value in values)  # read as 32 bits without a sign


TIMED = (
    *("DEPTH", "IN_LANES", "OUT_LANES", "TAPS", "PARALLEL", "FOLDS", "PIXELS_OUTER", "INPUT_FOLDS", "OUTPUT_FOLDS"),
    *(
        "SIMD",
        "KIND",
        "MULTIPLIER",
        "FACTOR_W",
        "HOLD",
        "H",
        "W",
        "OH",
        "OW",
        "KH",
        "KW",
        "SH",
        "SW",
        "DH",
        "DW",
        "TOP",
        "LEFT",
        "WORDS",
        "ROWS",
        "QUEUE",
    ),
)
"""Parameters on which a module's clocks depend."""


def parameters(dut: Any) -> Parameters:
    """Those of the module that are in `TIMED`."""
    return {name: integers(dut, name)[0] for name in TIMED if hasattr(dut, name)}


def lines(dut: Any, name: str) -> list[int]:
    """The words of a $readmemh file that a parameter names."""
    import cocotb

    shown = "ghdl" not in cocotb.SIM_NAME.lower()  # whose strings cannot be read
    file = getattr(dut, name).value.decode() if shown else f"{name.lower()}.mem"
    return [int(line, 16) for line in Path(file).read_text().split()]


def some(rng: random.Random, count: int, width: int) -> list[int]:
    """Random words; every fifth is all ones or all zeros."""
    return [
        rng.choice([0, (1 << width) - 1]) if rng.random() < 0.2 else rng.randrange(1 << width) for _ in range(count)
    ]


def fifo(dut: Any, rng: random.Random) -> tuple[Streams, Streams]:
    words = some(rng, 60, *integers(dut, "WIDTH"))
    return {"s": words}, {"m": words}


def fork(dut: Any, rng: random.Random) -> tuple[Streams, Streams]:
    words = some(rng, 60, *integers(dut, "WIDTH"))
    return {"s": words}, {"a": words, "b": words}


def gearbox(dut: Any, rng: random.Random) -> tuple[Streams, Streams]:
    width, narrow, wide = integers(dut, "LANE_W", "IN_LANES", "OUT_LANES")
    lanes = some(rng, 24 * max(narrow, wide), width)
    group = lambda size: [pack(lanes[i : i + size], width) for i in range(0, len(lanes), size)]  # noqa: E731
    return {"s": group(narrow)}, {"m": group(wide)}


def join(dut: Any, rng: random.Random) -> tuple[Streams, Streams]:
    lanes, width, a_signed, b_signed, acc = integers(dut, "LANES", "X_W", "A_SIGNED", "B_SIGNED", "ACC_W")
    a_factor, b_factor = integers(dut, "A_FACTOR", "B_FACTOR")
    a, b = (some(rng, 50, lanes * width) for _ in range(2))
    sums = [
        [x * a_factor + y * b_factor for x, y in zip(*rows, strict=True)]
        for rows in (
            (unpack(p, lanes, width, signed=bool(a_signed)), unpack(q, lanes, width, signed=bool(b_signed)))
            for p, q in zip(a, b, strict=True)
        )
    ]
    return {"a": a, "b": b}, {"m": [pack(row, acc) for row in sums]}


def concat(dut: Any, rng: random.Random) -> tuple[Streams, Streams]:
    a_w, b_w = integers(dut, "A_W", "B_W")
    a, b = some(rng, 50, a_w), some(rng, 50, b_w)
    return {"a": a, "b": b}, {"m": [p | q << a_w for p, q in zip(a, b, strict=True)]}


def ending(dut: Any, rng: random.Random) -> tuple[Streams, Streams]:
    """Accumulators of all sizes, and most of them beside a threshold's limit, or where the rounded output changes."""
    lanes, folds, acc, factor_w, out, threshold = integers(
        dut, "LANES", "FOLDS", "ACC_W", "FACTOR_W", "OUT_W", "THRESHOLD"
    )
    shift, lo, hi = integers(dut, "SHIFT", "LO", "HI")
    offset = dut.OFFSET.value.to_signed()
    factors = [unpack(line, lanes, factor_w, signed=True) for line in lines(dut, "FILE")]
    given, made = [], []
    for number in range(40 * folds):
        row = factors[number % folds]
        steps = [(rng.randint(lo - 2, hi + 2) << shift) - offset for _ in row]
        limits = row if threshold else [step // (m or 1) for step, m in zip(steps, row, strict=True)]
        near = [limit + rng.choice([-1, 0, 1]) for limit in limits]
        values = near if rng.random() < 0.7 else unpack(some(rng, 1, lanes * acc)[0], lanes, acc, signed=True)
        values = unpack(pack(values, acc), lanes, acc, signed=True)
        given.append(pack(values, acc))
        if threshold:
            made.append(pack([int(v < limit) for v, limit in zip(values, row, strict=True)], out))
        else:
            rounded = [(v * m + offset) >> shift for v, m in zip(values, row, strict=True)]
            made.append(pack([min(max(v, lo), hi) for v in rounded], out))
    return {"s": given}, {"m": made}


def table(dut: Any, rng: random.Random) -> tuple[Streams, Streams]:
    """Every byte, in any lane."""
    lanes, out = integers(dut, "LANES", "OUT_W")
    results = lines(dut, "TABLE")
    given = [byte for _ in range(2) for byte in rng.sample(range(256), 256)][: 512 // lanes * lanes]
    words = [given[i : i + lanes] for i in range(0, len(given), lanes)]
    return {"s": [pack(row, 8) for row in words]}, {"m": [pack([results[byte] for byte in row], out) for row in words]}


def _products(kind: int, x: list[int], w: list[int], bits: int) -> int:
    if kind == 0:
        return sum(a * b for a, b in zip(x, w, strict=True))
    if kind == 1:
        shifted = [a << (b & ((1 << (bits - 1)) - 1)) for a, b in zip(x, w, strict=True)]
        return sum(~v if b >> (bits - 1) else v for v, b in zip(shifted, w, strict=True))
    return sum(1 if a == b else -1 for a, b in zip(x, w, strict=True))


def mvu(dut: Any, rng: random.Random) -> tuple[Streams, Streams]:
    pe, simd, inputs, outputs = integers(dut, "PE", "SIMD", "INPUT_FOLDS", "OUTPUT_FOLDS")
    kind, x_w, x_signed, w_w, acc = integers(dut, "KIND", "X_W", "X_SIGNED", "W_W", "ACC_W")
    weights = [unpack(line, pe * simd, w_w, signed=kind == 0) for line in lines(dut, "WEIGHTS")]
    biases = [unpack(line, pe, acc, signed=True) for line in lines(dut, "BIASES")]
    given, made = [], []
    for _ in range(12):
        vector = some(rng, inputs, simd * x_w)
        given += vector
        x = [unpack(word, simd, x_w, signed=bool(x_signed)) for word in vector]
        for o in range(outputs):
            sums = list(biases[o])
            for i in range(inputs):
                row = weights[o * inputs + i]
                for p in range(pe):
                    sums[p] += _products(kind, x[i], row[p * simd : (p + 1) * simd], w_w)
            made.append(pack(sums, acc))
    return {"s": given}, {"m": made}


def lanes(dut: Any, rng: random.Random) -> tuple[Streams, Streams]:
    """Ten images of one pixel each; a word holds `parallel` taps."""
    count, taps, parallel, folds, outer = integers(dut, "LANES", "TAPS", "PARALLEL", "FOLDS", "PIXELS_OUTER")
    op, start, x_w, x_signed, w_w, acc = integers(dut, "OP", "START", "X_W", "X_SIGNED", "W_W", "ACC_W")
    weights = [row for line in lines(dut, "WEIGHTS") for row in _taps(line, parallel, count, w_w)] if op == 2 else []
    biases = [unpack(line, count, acc, signed=True) for line in lines(dut, "BIASES")] if op == 2 else []
    given, made = [], []
    for _ in range(10):
        words = [some(rng, taps // parallel, parallel * count * x_w) for _ in range(folds)]
        given += [word for step in (zip(*words, strict=True) if outer else words) for word in step]
        for fold, window in enumerate(words):
            rows = [row for word in window for row in _taps(word, parallel, count, x_w, signed=bool(x_signed))]
            columns = list(zip(*rows, strict=True))
            if op == 2:
                factors = list(zip(*weights[fold * taps : (fold + 1) * taps], strict=True))
                sums = [sum(x * w for x, w in zip(*pair, strict=True)) for pair in zip(columns, factors, strict=True)]
                made.append(pack([a + b for a, b in zip(sums, biases[fold], strict=True)], acc))
            else:
                reduce = {0: max, 1: lambda column: sum(column, start), 3: min}[op]
                made.append(pack([reduce(column) for column in columns], acc))
    return {"s": given}, {"m": made}


def _taps(word: int, taps: int, count: int, width: int, *, signed: bool = True) -> list[list[int]]:
    """The taps of a word, each with its lanes."""
    values = unpack(word, taps * count, width, signed=signed)
    return [values[i : i + count] for i in range(0, len(values), count)]


def window(dut: Any, rng: random.Random) -> tuple[Streams, Streams]:
    """Three images; tsm_slide gives all taps of a word in one."""
    whole = dut._name == "tsm_slide"
    word_w, words, h, w, oh, ow, kh, kw = integers(dut, "WORD_W", "WORDS", "H", "W", "OH", "OW", "KH", "KW")
    sh, sw, dh, dw, top, left, pad = integers(dut, "SH", "SW", "DH", "DW", "TOP", "LEFT", "PAD")
    outer = whole or integers(dut, "CHANNELS_OUTER")[0]
    taps = [(i, j) for i in range(kh) for j in range(kw)]
    order = [(t, c) for c in range(words) for t in taps] if outer else [(t, c) for t in taps for c in range(words)]
    given, made = [], []
    for _ in range(3):
        image = some(rng, h * w * words, word_w)
        given += image
        for oy, ox in ((y, x) for y in range(oh) for x in range(ow)):
            for (i, j), c in order:
                y, x = oy * sh + i * dh - top, ox * sw + j * dw - left
                made.append(image[(y * w + x) * words + c] if 0 <= y < h and 0 <= x < w else pad)
    if whole:
        made = [pack(made[i : i + kh * kw], word_w) for i in range(0, len(made), kh * kw)]
    return {"s": given}, {"m": made}


MODELS: Mapping[str, Callable[[Any, random.Random], tuple[Streams, Streams]]] = {
    "tsm_concat": concat,
    "tsm_ending": ending,
    "tsm_fifo": fifo,
    "tsm_fork": fork,
    "tsm_gearbox": gearbox,
    "tsm_join": join,
    "tsm_lanes": lanes,
    "tsm_mvu": mvu,
    "tsm_slice": fifo,
    "tsm_slide": window,
    "tsm_table": table,
    "tsm_window": window,
}
"""By module name."""
