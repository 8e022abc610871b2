"""The firmware's steps in numpy, as `model` needs them: the same bits as docs/numbers.md."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
import numpy.typing as npt

from tinsmith_backends.soc.memory_map import SOFT_OPERATOR

Act = npt.NDArray[np.uint8]


def run(step: Mapping[str, int], act: Act, image: bytes) -> None:
    """Carry out one software step on the activation memory."""
    data = _OPERATORS[SOFT_OPERATOR.name_of(step["operator"])](step, act, image).view(np.uint8).ravel()
    act[step["out_base"] : step["out_base"] + data.size] = data


def _values(act: Act, base: int, size: int, signed: int) -> npt.NDArray[np.int64]:
    return act[base : base + size].view(np.int8 if signed else np.uint8).astype(np.int64)


def _add(step: Mapping[str, int], act: Act, image: bytes) -> npt.NDArray[np.generic]:
    size = step["out_h"] * step["out_w"] * step["channels"]
    a = _values(act, step["in_base"], size, step["in_signed"])
    b = _values(act, step["in2_base"], size, step["in2_signed"])
    return _rescaled(a * step["m_a"] + b * step["m_b"], step)


def _max_pool(step: Mapping[str, int], act: Act, image: bytes) -> npt.NDArray[np.generic]:
    shape = (step["in_h"], step["in_w"], step["channels"])
    x = _values(act, step["in_base"], int(np.prod(shape)), step["in_signed"]).reshape(shape)
    y = np.full((step["out_h"], step["out_w"], step["channels"]), -(2**31), np.int64)
    for oy, ox, ky, kx in np.ndindex(step["out_h"], step["out_w"], step["kh"], step["kw"]):
        row = oy * step["stride_y"] - step["pad_top"] + ky * step["dil_y"]
        column = ox * step["stride_x"] - step["pad_left"] + kx * step["dil_x"]
        if 0 <= row < shape[0] and 0 <= column < shape[1]:
            y[oy, ox] = np.maximum(y[oy, ox], x[row, column])
    return _bytes(y)


def _piecewise(step: Mapping[str, int], act: Act, image: bytes) -> npt.NDArray[np.generic]:
    channels = step["channels"]
    table = np.frombuffer(image, "<i4", 5 * channels, step["table"]).reshape(channels, 5).astype(np.int64)
    knee, m0, b0, m1, b1 = table.T
    size = step["out_h"] * step["out_w"] * channels
    x = _values(act, step["in_base"], size, step["in_signed"]).reshape(-1, channels)
    return _rescaled(np.where(x >= knee, x * m1 + b1, x * m0 + b0), step)


def _table(step: Mapping[str, int], act: Act, image: bytes) -> npt.NDArray[np.generic]:
    size = step["out_h"] * step["out_w"] * step["channels"]
    return np.frombuffer(image, np.uint8, 256, step["table"])[act[step["in_base"] : step["in_base"] + size]]


def _softmax(step: Mapping[str, int], act: Act, image: bytes) -> npt.NDArray[np.generic]:
    x = _rows(step, act)
    table = np.frombuffer(image, "<i4", 256, step["table"])
    exponentials = table[x.max(axis=1, keepdims=True) - x]
    total = exponentials.sum(axis=1, keepdims=True)
    return np.asarray(exponentials.astype(np.float32) / total.astype(np.float32))


def _arg_max(step: Mapping[str, int], act: Act, image: bytes) -> npt.NDArray[np.generic]:
    return np.asarray(_rows(step, act).argmax(axis=1)).astype("<i8")


def _rows(step: Mapping[str, int], act: Act) -> npt.NDArray[np.int64]:
    size = step["in_h"] * step["channels"]
    return _values(act, step["in_base"], size, step["in_signed"]).reshape(step["in_h"], -1)


def _rescaled(sums: npt.NDArray[np.int64], step: Mapping[str, int]) -> npt.NDArray[np.uint8]:
    return _bytes(np.clip((sums + (1 << (step["shift"] - 1))) >> step["shift"], step["lo"], step["hi"]))


def _bytes(values: npt.NDArray[np.int64]) -> npt.NDArray[np.uint8]:
    return np.asarray(values & 0xFF).astype(np.uint8)


_OPERATORS: Mapping[str, Callable[[Mapping[str, int], Act, bytes], npt.NDArray[np.generic]]] = {
    "ADD": _add,
    "MAXPOOL": _max_pool,
    "PIECEWISE": _piecewise,
    "SOFTMAX": _softmax,
    "ARGMAX": _arg_max,
    "TABLE": _table,
}
