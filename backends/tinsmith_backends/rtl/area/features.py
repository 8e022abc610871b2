"""What the area of each module depends on: its memories, its multipliers, and terms for look-up tables and registers.

A term is a number that look-up tables or flip-flops grow with; `fit.py` finds how much.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from tinsmith_backends.rtl.area.blocks import ADDERS, Block
from tinsmith_backends.rtl.area.parts import Memory, Product
from tinsmith_backends.rtl.clock_models.engines import BITS_TOGETHER, terms

Numbers = Mapping[str, int]


@dataclass(frozen=True)
class Shape:
    """A block as a sum of parts.

    Attributes:
        luts: terms of look-up tables.
        ffs: terms of flip-flops.
        memories: its memories.
        products: its multipliers.
    """

    luts: tuple[float, ...]
    ffs: tuple[float, ...]
    memories: tuple[Memory, ...] = ()
    products: tuple[Product, ...] = ()


def shape(block: Block) -> Shape:
    """The parts of a block."""
    return _SHAPES[block.module](block.parameters)


def _bits(n: int) -> int:
    """Of a counter of n states."""
    return max(n - 1, 1).bit_length()


def _is_power(n: int) -> bool:
    return n & (n - 1) == 0


def _by_constant(count: int, bits: int, constant: int) -> tuple[Product, ...]:
    """Products by a constant; by a power of two they are wires."""
    return () if _is_power(abs(constant)) else (Product(count, bits, abs(constant).bit_length() + 1),)


def _fifo(p: Numbers) -> Shape:
    memory = Memory(p["WIDTH"], p["DEPTH"], written=True, registered=False)
    pointer = _bits(p["DEPTH"])
    return Shape((pointer, p["WIDTH"], 1), (pointer, 1), (memory,))


def _fork(p: Numbers) -> Shape:
    return Shape((1,), (1,))


def _slice(p: Numbers) -> Shape:
    return Shape((1,), (p["WIDTH"], 1))


def _table(p: Numbers) -> Shape:
    """A word moves where it can, so a block memory has its enable; a lane each has one."""
    rom = Memory(p["OUT_W"], 256, written=False, registered=True)
    return Shape((1,), (p["LANES"] * p["OUT_W"], 1), (rom,) * p["LANES"])


def _concat(p: Numbers) -> Shape:
    return Shape((1,), (p["A_W"] + p["B_W"], 1))


def _gearbox(p: Numbers) -> Shape:
    width, narrow, wide = p["LANE_W"], p["IN_LANES"], p["OUT_LANES"]
    counter = _bits(max(narrow, wide) // min(narrow, wide) + 1)
    unpacked = narrow * width if narrow > wide else 0
    return Shape((unpacked, counter, 1), (max(narrow, wide) * width, counter, 1))


def _join(p: Numbers) -> Shape:
    lanes, acc = p["LANES"], p["ACC_W"]
    factors = [p[f"{side}_FACTOR"] for side in "AB"]
    if not p.get("MULTIPLIER", 1):  # sums of shifted lanes
        adders = lanes * acc * max(sum(factor.bit_count() for factor in factors) - 1, 1)
        return Shape((0, adders, 1), (lanes * acc, 1))
    products = tuple(product for factor in factors for product in _by_constant(lanes, p.get("X_W", 8) + 1, factor))
    return Shape((lanes * acc, 0, 1), (lanes * acc, 1), (), products)


def _ending(p: Numbers) -> Shape:
    lanes, acc, factor, folds = p["LANES"], p["ACC_W"], p["FACTOR_W"], p["FOLDS"]
    rom = Memory(lanes * factor, folds, written=False, registered=False)
    counter = _bits(folds)
    if p.get("THRESHOLD"):
        return Shape((0, 0, lanes * acc, 0, 0, counter, 1), (0, lanes * acc, lanes, 0, 0, counter, 1), (rom,))
    product, out = lanes * (acc + factor), lanes * p["OUT_W"]
    kept = lanes * _below_the_half(p)
    if not p.get("MULTIPLIER", 1):  # a sum of shifted accumulators, but of bits that are 0 in every line
        adders = lanes * _tree(factor, acc, acc + factor) * (1 - 2.0**-folds)
        chosen = lanes * acc * factor * (1 - 2.0 ** (1 - folds))
        luts = (product, kept, 0, adders, chosen, counter, 1)
        return Shape(luts, (product, 0, out, adders, kept, counter, 1), (rom,))
    luts, ffs = (product, kept, 0, 0, 0, counter, 1), (product, 0, out, 0, kept, counter, 1)
    return Shape(luts, ffs, (rom,), (Product(lanes, acc, factor),))


def _below_the_half(p: Numbers) -> int:
    """Bits of a product below half a step that may carry: none unless OFFSET has such bits."""
    offset = p.get("OFFSET", 0)
    return max(p["SHIFT"] - (offset & -offset).bit_length(), 0) if offset else 0


def _lanes(p: Numbers) -> Shape:
    lanes, taps, acc, op, x = p["LANES"], p["PARALLEL"], p["ACC_W"], p["OP"], p.get("X_W", 8)
    steps, folds = p["TAPS"] // taps, p["FOLDS"]
    counters = _bits(steps) + 2 * _bits(folds)
    accumulators = folds if p.get("PIXELS_OUTER") else 1
    memories = [Memory(lanes * acc, accumulators, written=True, registered=False)] if accumulators > 1 else []
    products: tuple[Product, ...] = ()
    if op == 2:
        memories.append(Memory(taps * lanes * p["W_W"], steps * folds, written=False, registered=True))
        memories.append(Memory(lanes * acc, folds, written=False, registered=True))
        products = (Product(lanes * taps, x + 1, p["W_W"]),)
    compared = lanes * (taps - 1) * (acc if op in (1, 2) else x)
    luts = (compared if op in (1, 2) else 0, compared if op in (0, 3) else 0, lanes * acc, counters, 1)
    return Shape(luts, (lanes * taps * x, lanes * acc, counters, 1), tuple(memories), products)


def _mvu(p: Numbers) -> Shape:
    pe, simd, acc, kind, x, w = p["PE"], p["SIMD"], p["ACC_W"], p["KIND"], p["X_W"], p["W_W"]
    inputs, outputs = p["INPUT_FOLDS"], p["OUTPUT_FOLDS"]
    memories = [
        Memory(pe * simd * w, inputs * outputs, written=False, registered=True),
        Memory(pe * acc, outputs, written=False, registered=True),
    ]
    kept = not p.get("HOLD") and outputs > 1
    if kept:
        memories.append(Memory(simd * x, inputs, written=True, registered=False))
    counters = _bits(inputs) + 2 * _bits(outputs) + _bits(inputs * outputs)
    count, term = terms(p), min(acc, (x + w, x + 2 ** (w - 1), BITS_TOGETHER)[kind])
    adders = pe * _tree(count, term, acc)
    varying = inputs * outputs > 1  # else weights are constants
    luts = (
        adders if kind != 2 else 0,
        pe * count * term * (w - 1) if kind == 1 and varying else 0,
        adders if kind == 2 else 0,
        pe * simd if kind == 2 and varying else 0,
        pe * acc,
        simd * x if kept else 0,
        counters,
        1,
    )
    products = (Product(pe * simd, x + 1 - (not p.get("X_SIGNED")), w),) if kind == 0 else ()
    ffs = (simd * x, pe * simd * w * varying, pe * count * term + adders, pe * acc, counters, 1)
    return Shape(luts, ffs, tuple(memories), products)


def _tree(terms: int, width: int, widest: int) -> int:
    """Bits of the adders of a tree, each a bit wider than those in front of it."""
    bits = 0
    while terms > 1:
        width = min(width + 1, widest)
        bits += terms // 2 * width
        terms = -(-terms // 2)
    return bits


def _window(p: Numbers) -> Shape:
    row = p["W"] * p["WORDS"]
    memory = Memory(p["WORD_W"], p["ROWS"] * row, written=True, registered=True)
    slot, line = _bits(p["ROWS"]), _bits(p["H"] + p["OH"] * p["SH"] + p["KH"])
    place = _bits(row) + 1
    counters = _bits(p["KH"]) + _bits(p["KW"]) + _bits(p["WORDS"]) + _bits(p["OW"])
    uneven = 0 if _is_power(p["ROWS"]) else slot * (p["KH"] > 1)
    products = _by_constant(2, slot, row)
    luts = (p["WORD_W"], slot, uneven, line, place, counters, 1)
    return Shape(luts, (p["WORD_W"], slot, line, place, counters, 1), (memory,), products)


def _slide(p: Numbers) -> Shape:
    row, word, high = p["W"] * p["WORDS"], p["WORD_W"], p["KH"]
    span = (p["KW"] - 1) * p["DW"] + 1
    shifted = high * word * ((span - 1) * p["WORDS"] + 1)
    out = high * p["KW"] * word
    place = _bits(row) + _bits(p["W"] + span) + _bits(p["WORDS"])
    if high == 1 and p["SH"] == 1 and p["TOP"] == 0:
        queue = Memory(word, p["QUEUE"], written=True, registered=True)
        return Shape((out, 0, place, _bits(p["QUEUE"]), 0, p["KW"], 1), (shifted, 0, place, 0, 1), (queue,))
    rows = p["ROWS"]
    memories = (Memory(word, row, written=True, registered=True),) * rows
    line = _bits(p["H"] + p["OH"] * p["SH"] + high) + _bits(rows)
    luts = (out, high * rows * word, place, line, high * rows, p["KW"], 1)
    return Shape(luts, (shifted, rows * word, place, line, 1), memories)


def _adders(p: Numbers) -> Shape:
    return Shape((p["ADDERS"], 1), (p["REGISTERS"], 1))


_SHAPES: Mapping[str, Callable[[Numbers], Shape]] = MappingProxyType(
    {
        ADDERS: _adders,
        "tsm_concat": _concat,
        "tsm_ending": _ending,
        "tsm_fifo": _fifo,
        "tsm_fork": _fork,
        "tsm_gearbox": _gearbox,
        "tsm_join": _join,
        "tsm_lanes": _lanes,
        "tsm_mvu": _mvu,
        "tsm_slice": _slice,
        "tsm_slide": _slide,
        "tsm_table": _table,
        "tsm_window": _window,
    }
)
"""By module."""
