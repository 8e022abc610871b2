"""The firmware's steps in numpy, as `model` needs them: the same bits as docs/numbers.md."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

import numpy as np
import numpy.typing as npt

from tinsmith_backends.soc.memory_map import ENDING, SOFT_OPERATOR

Act = npt.NDArray[np.uint8]
Place = tuple[int, int]


def run(step: Mapping[str, int], act: Act, image: bytes) -> None:
    """Carry out one software step on the activation memory."""
    operator = _OPERATORS[SOFT_OPERATOR.name_of(step["operator"])]
    data = np.ascontiguousarray(operator(step, act, image)).view(np.uint8).ravel()
    act[step["out_base"] : step["out_base"] + data.size] = data


def _values(act: Act, base: int, size: int, signed: int) -> npt.NDArray[np.int64]:
    return act[base : base + size].view(np.int8 if signed else np.uint8).astype(np.int64)


def _zero(step: Mapping[str, int], operand: str = "in") -> int:
    """The zero point of an operand."""
    byte = step[f"{operand}_zero"]
    return byte - 256 if step[f"{operand}_signed"] and byte > 127 else byte


def _add(step: Mapping[str, int], act: Act, image: bytes) -> npt.NDArray[np.generic]:
    size = step["out_h"] * step["out_w"] * step["channels"]
    a = _values(act, step["in_base"], size, step["in_signed"]) - _zero(step)
    b = _values(act, step["in2_base"], size, step["in2_signed"]) - _zero(step, "in2")
    return _rescaled(a * step["m_a"] + b * step["m_b"], step)


def _max_pool(step: Mapping[str, int], act: Act, image: bytes) -> npt.NDArray[np.generic]:
    x = _image(step, act, step["channels"])
    y = np.full((step["out_h"], step["out_w"], step["channels"]), -(2**31), np.int64)
    for to, _, place in _taps(step):
        y[to] = np.maximum(y[to], x[place])
    return _bytes(y)


def _bit_pool(step: Mapping[str, int], act: Act, image: bytes) -> npt.NDArray[np.generic]:
    x = _image(step, act, step["channels"])
    least = np.frombuffer(image, "<i4", step["channels"], step["table"]).astype(np.int64)
    y = np.full((step["out_h"], step["out_w"], step["channels"]), 0xFF, np.int64)
    for to, _, place in _taps(step):
        y[to] &= x[place] ^ least
    return _bytes(y ^ least)


def _convolution(step: Mapping[str, int], act: Act, image: bytes) -> npt.NDArray[np.generic]:
    channels, depth = step["channels"], step["inputs"] // step["groups"]
    x = _image(step, act, step["inputs"]) - _zero(step)
    count = step["kh"] * step["kw"] * depth
    table = np.frombuffer(image, "<i4", channels * (2 + -(-count // 4)), step["table"]).reshape(channels, -1)
    weights = np.ascontiguousarray(table[:, 2:]).view(np.int8)[:, :count].astype(np.int64)
    weights = weights.reshape(channels, step["kh"], step["kw"], depth)
    sums = np.zeros((step["out_h"], step["out_w"], channels), np.int64) + table[:, 0]
    for to, (ky, kx), place in _taps(step):
        pixel = np.repeat(x[place].reshape(step["groups"], depth), channels // step["groups"], axis=0)
        sums[to] += (weights[:, ky, kx] * pixel).sum(axis=-1)
    if step["ending"] == ENDING["RAW"]:
        return np.asarray(sums).astype("<i4")
    if step["ending"] == ENDING["THRESHOLD"]:
        negative = sums < 0
        return (
            np.packbits(negative, axis=-1, bitorder="little") if step["packed"] else _bytes(np.where(negative, -1, 1))
        )
    return _rescaled(sums * table[:, 1], step)


def _piecewise(step: Mapping[str, int], act: Act, image: bytes) -> npt.NDArray[np.generic]:
    channels = step["channels"]
    table = np.frombuffer(image, "<i4", 5 * channels, step["table"]).reshape(channels, 5).astype(np.int64)
    knee, m0, b0, m1, b1 = table.T
    size = step["out_h"] * step["out_w"] * channels
    x = _values(act, step["in_base"], size, step["in_signed"]).reshape(-1, channels) - _zero(step)
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


def _image(step: Mapping[str, int], act: Act, channels: int) -> npt.NDArray[np.int64]:
    shape = (step["in_h"], step["in_w"], channels)
    return _values(act, step["in_base"], int(np.prod(shape)), step["in_signed"]).reshape(shape)


def _taps(step: Mapping[str, int]) -> Iterator[tuple[Place, Place, Place]]:
    """Places (row, column) of an output, of a tap of its window, and of the input there, where there is one."""
    for oy, ox, ky, kx in np.ndindex(step["out_h"], step["out_w"], step["kh"], step["kw"]):
        row = oy * step["stride_y"] - step["pad_top"] + ky * step["dil_y"]
        column = ox * step["stride_x"] - step["pad_left"] + kx * step["dil_x"]
        if 0 <= row < step["in_h"] and 0 <= column < step["in_w"]:
            yield (oy, ox), (ky, kx), (row, column)


def _rescaled(sums: npt.NDArray[np.int64], step: Mapping[str, int]) -> npt.NDArray[np.uint8]:
    shifted = (sums + (1 << (step["shift"] - 1))) >> step["shift"]
    return _bytes(np.clip(shifted, step["lo"], step["hi"]) + step["zero"])


def _bytes(values: npt.NDArray[np.int64]) -> npt.NDArray[np.uint8]:
    return np.asarray(values & 0xFF).astype(np.uint8)


_OPERATORS: Mapping[str, Callable[[Mapping[str, int], Act, bytes], npt.NDArray[np.generic]]] = {
    "ADD": _add,
    "MAXPOOL": _max_pool,
    "PIECEWISE": _piecewise,
    "SOFTMAX": _softmax,
    "ARGMAX": _arg_max,
    "TABLE": _table,
    "CONV": _convolution,
    "BITPOOL": _bit_pool,
}
