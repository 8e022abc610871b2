"""The firmware's software operators in numpy, by docs/numbers.md: a step's fields, its table and the memory before."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt
from tinsmith_backends.soc import memory_map as m

Bytes = npt.NDArray[np.uint8]


def apply(step: Mapping[str, int], table: npt.NDArray[np.int32], memory: Bytes) -> Bytes:
    """The memory after the step."""
    after = memory.copy()
    name = m.SOFT_OPERATOR.name_of(step["operator"])
    OPERATORS[name](step, table.astype(object), memory, after)
    return after


def values(step: Mapping[str, int], memory: Bytes, count: int, *, which: str = "in") -> npt.NDArray[np.object_]:
    part = memory[step[f"{which}_base"] :][:count]
    return (part.astype(np.int8) if step.get(f"{which}_signed") else part).astype(object)


def zero(step: Mapping[str, int], *, which: str = "in") -> int:
    byte = step.get(f"{which}_zero", 0)
    return byte - 256 if step.get(f"{which}_signed") and byte > 127 else byte


def scaled(step: Mapping[str, int], product: npt.NDArray[np.object_]) -> Bytes:
    shift = step["shift"]
    rounded = (product + (1 << (shift - 1))) >> shift
    return ((np.clip(rounded, step["lo"], step["hi"]) + step.get("zero", 0)) & 255).astype(np.uint8)


def put(step: Mapping[str, int], after: Bytes, data: Bytes) -> None:
    after[step["out_base"] :][: data.size] = data.reshape(-1)


def add(step, table, memory, after):  # type: ignore[no-untyped-def]
    count = step["out_h"] * step["out_w"] * step["channels"]
    a, b = (values(step, memory, count, which=which) - zero(step, which=which) for which in ("in", "in2"))
    put(step, after, scaled(step, a * step["m_a"] + b * step["m_b"]))


def requantize(step, table, memory, after):  # type: ignore[no-untyped-def]
    x = values(step, memory, step["out_h"] * step["out_w"] * step["channels"]).reshape(-1, step["channels"])
    put(step, after, scaled(step, (x - zero(step)) * table))


def piecewise(step, table, memory, after):  # type: ignore[no-untyped-def]
    x = values(step, memory, step["out_h"] * step["out_w"] * step["channels"]).reshape(-1, step["channels"])
    knee, m0, b0, m1, b1 = table.reshape(-1, 5).T
    x = x - zero(step)
    put(step, after, scaled(step, np.where(x >= knee, x * m1 + b1, x * m0 + b0)))


def max_pool(step, table, memory, after):  # type: ignore[no-untyped-def]
    c = step["channels"]
    best = np.full((step["out_h"], step["out_w"], c), -128 if step.get("in_signed") else 0, object)
    for y, z, _, _, pixel in windows(step, memory, c):
        best[y, z] = np.maximum(best[y, z], pixel)
    put(step, after, (best & 255).astype(np.uint8))


def bit_pool(step, table, memory, after):  # type: ignore[no-untyped-def]
    """A minimum of +1 and -1 is the maximum of the others' signs; bits are 1 for -1."""
    c, sign = step["channels"], 1 - 2 * bits_of(table.astype(np.uint8))
    best = np.full((step["out_h"], step["out_w"], 8 * c), -1)
    for y, z, _, _, pixel in windows({**step, "in_signed": 0}, memory, c):
        best[y, z] = np.maximum(best[y, z], sign * (1 - 2 * bits_of(pixel.astype(np.uint8))))
    put(step, after, np.packbits(best * sign < 0, axis=-1, bitorder="little"))


def convolution(step, table, memory, after):  # type: ignore[no-untyped-def]
    channels, inputs, groups, kh, kw = (step[name] for name in ("channels", "inputs", "groups", "kh", "kw"))
    depth = inputs // groups
    rows = table.astype(np.int32).reshape(channels, -1)
    weights = np.ascontiguousarray(rows[:, 2:]).view(np.int8)[:, : kh * kw * depth].reshape(channels, kh, kw, depth)
    sums = np.broadcast_to(rows[:, 0].astype(object), (step["out_h"], step["out_w"], channels)).copy()
    for y, z, ky, kx, stored in windows(step, memory, inputs):
        pixel = stored - zero(step)
        for o in range(channels):
            first = o // (channels // groups) * depth
            sums[y, z, o] += sum(
                int(w) * v for w, v in zip(weights[o, ky, kx], pixel[first : first + depth], strict=True)
            )
    if step["ending"] == m.ENDING["RAW"]:
        put(step, after, np.frombuffer(sums.astype("<i4").tobytes(), np.uint8))
    elif step["ending"] == m.ENDING["REQUANTIZE"]:
        put(step, after, scaled(step, sums * rows[:, 1].astype(object)))
    elif step["packed"]:
        put(step, after, np.packbits(sums < 0, axis=-1, bitorder="little"))
    else:
        put(step, after, np.where(sums < 0, 255, 1).astype(np.uint8))


def bits_of(data: Bytes) -> npt.NDArray[np.int64]:
    return np.unpackbits(data, axis=-1, bitorder="little").astype(np.int64)


def windows(step, memory, channels):  # type: ignore[no-untyped-def]
    """Every output pixel with every tap of its window that lies inside the input, and the pixel there."""
    h, w = step["in_h"], step["in_w"]
    x = values(step, memory, h * w * channels).reshape(h, w, channels)
    for y, z, ky, kx in np.ndindex(step["out_h"], step["out_w"], step["kh"], step["kw"]):
        row = y * step["stride_y"] - step["pad_top"] + ky * step["dil_y"]
        col = z * step["stride_x"] - step["pad_left"] + kx * step["dil_x"]
        if 0 <= row < h and 0 <= col < w:
            yield y, z, ky, kx, x[row, col]


def copy(step, table, memory, after):  # type: ignore[no-untyped-def]
    for row in range(step["in_h"]):
        source, target = step["in_base"] + row * step["in_w"], step["out_base"] + row * step["out_w"]
        after[target : target + step["channels"]] = memory[source : source + step["channels"]]


def softmax(step, table, memory, after):  # type: ignore[no-untyped-def]
    x = values(step, memory, step["in_h"] * step["channels"]).reshape(step["in_h"], -1).astype(np.int64)
    e = table.astype(np.int64)[x.max(1, keepdims=True) - x]
    quotient = e.astype(np.float32) / e.sum(1, keepdims=True).astype(np.float32)
    put(step, after, np.frombuffer(quotient.astype("<f4").tobytes(), np.uint8))


def argmax(step, table, memory, after):  # type: ignore[no-untyped-def]
    x = values(step, memory, step["in_h"] * step["channels"]).reshape(step["in_h"], -1).astype(np.int64)
    put(step, after, np.frombuffer(x.argmax(1).astype("<i8").tobytes(), np.uint8))


def entries(step, table, memory, after):  # type: ignore[no-untyped-def]
    x = values({**step, "in_signed": 0}, memory, step["out_h"] * step["out_w"] * step["channels"])
    put(step, after, np.array([table.astype(np.int32).tobytes()[v] for v in x], np.uint8))


OPERATORS = {
    "ADD": add,
    "MAXPOOL": max_pool,
    "REQUANTIZE": requantize,
    "PIECEWISE": piecewise,
    "COPY": copy,
    "SOFTMAX": softmax,
    "ARGMAX": argmax,
    "TABLE": entries,
    "CONV": convolution,
    "BITPOOL": bit_pool,
}
