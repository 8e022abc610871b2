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


def scaled(step: Mapping[str, int], product: npt.NDArray[np.object_]) -> Bytes:
    shift = step["shift"]
    rounded = (product + (1 << (shift - 1))) >> shift
    return (np.clip(rounded, step["lo"], step["hi"]) & 255).astype(np.uint8)


def put(step: Mapping[str, int], after: Bytes, data: Bytes) -> None:
    after[step["out_base"] :][: data.size] = data.reshape(-1)


def add(step, table, memory, after):  # type: ignore[no-untyped-def]
    count = step["out_h"] * step["out_w"] * step["channels"]
    total = values(step, memory, count) * step["m_a"] + values(step, memory, count, which="in2") * step["m_b"]
    put(step, after, scaled(step, total))


def requantize(step, table, memory, after):  # type: ignore[no-untyped-def]
    x = values(step, memory, step["out_h"] * step["out_w"] * step["channels"]).reshape(-1, step["channels"])
    put(step, after, scaled(step, x * table))


def piecewise(step, table, memory, after):  # type: ignore[no-untyped-def]
    x = values(step, memory, step["out_h"] * step["out_w"] * step["channels"]).reshape(-1, step["channels"])
    knee, m0, b0, m1, b1 = table.reshape(-1, 5).T
    put(step, after, scaled(step, np.where(x >= knee, x * m1 + b1, x * m0 + b0)))


def max_pool(step, table, memory, after):  # type: ignore[no-untyped-def]
    h, w, c = step["in_h"], step["in_w"], step["channels"]
    x = values(step, memory, h * w * c).reshape(h, w, c)
    best = np.full((step["out_h"], step["out_w"], c), -128 if step.get("in_signed") else 0, object)
    for y in range(step["out_h"]):
        for z in range(step["out_w"]):
            for ky in range(step["kh"]):
                for kx in range(step["kw"]):
                    row = y * step["stride_y"] - step["pad_top"] + ky * step["dil_y"]
                    col = z * step["stride_x"] - step["pad_left"] + kx * step["dil_x"]
                    if 0 <= row < h and 0 <= col < w:
                        best[y, z] = np.maximum(best[y, z], x[row, col])
    put(step, after, (best & 255).astype(np.uint8))


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
}
