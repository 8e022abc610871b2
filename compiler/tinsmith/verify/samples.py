"""Inputs that try what calibration samples do not: the corners of every input's range, noise, and values beyond it."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
import numpy.typing as npt

from tinsmith.ir.exact import ExactGraph, Quantize, Tensor

FloatArray = npt.NDArray[np.float32]
Sample = dict[str, FloatArray]

_Make = Callable[[tuple[int, ...], Tensor], FloatArray]
"""What makes one input: (shape, the tensor it is quantized to) → float32 array."""

SEED = 20260101
"""Fixed, so that a mismatch that one run finds is there in the next."""
CORNERS = 5
"""Samples that `generated` yields before it turns to random ones."""


def generated(graph: ExactGraph, count: int) -> list[Sample]:
    """`count` float32 samples: all lowest, all highest, alternating, rounding ties, far beyond the range, then noise.

    The noise alternates between the range that the input's quantization covers and twice that range.
    """
    random = np.random.default_rng(SEED)
    kinds = _kinds(random)
    ranges = {name: input_range(graph, name) for name in graph.inputs}
    return [{name: make(*ranges[name]) for name in graph.inputs} for make in (next(kinds) for _ in range(count))]


def input_range(graph: ExactGraph, name: str) -> tuple[tuple[int, ...], Tensor]:
    """Shape of the float input `name` and the quantized tensor that it becomes.

    Raises:
        ValueError: nothing quantizes the input, so the graph is not an exact one.
    """
    for layer in graph.layers:
        if isinstance(layer, Quantize) and layer.inputs == (name,):
            return graph.tensors[name].shape, graph.tensors[layer.output]
    raise ValueError(f"graph input {name!r} has no Quantize")


def _kinds(random: np.random.Generator) -> Iterator[_Make]:
    yield _lowest
    yield _highest
    yield _alternating
    yield _ties
    yield _far_beyond
    while True:
        yield lambda shape, q: _uniform(random, shape, q, 1.0)
        yield lambda shape, q: _uniform(random, shape, q, 2.0)


def _real(stored: npt.ArrayLike, q: Tensor) -> FloatArray:
    return ((np.asarray(stored, np.float64) - q.zero_point) * q.scale).astype(np.float32)


def _lowest(shape: tuple[int, ...], q: Tensor) -> FloatArray:
    return np.full(shape, _real(q.lo, q), np.float32)


def _highest(shape: tuple[int, ...], q: Tensor) -> FloatArray:
    return np.full(shape, _real(q.hi, q), np.float32)


def _alternating(shape: tuple[int, ...], q: Tensor) -> FloatArray:
    return np.resize(_real([q.lo, q.hi, q.hi, q.lo, q.hi], q), shape)


def _ties(shape: tuple[int, ...], q: Tensor) -> FloatArray:
    return np.resize(_real(np.arange(q.lo, q.hi) + 0.5, q), shape)


def _far_beyond(shape: tuple[int, ...], q: Tensor) -> FloatArray:
    largest = float(np.finfo(np.float32).max)
    return np.resize(np.asarray([largest, -largest, 1e-30, -1e-30, 0.0, -0.0], np.float32), shape)


def _uniform(random: np.random.Generator, shape: tuple[int, ...], q: Tensor, times: float) -> FloatArray:
    middle, half = (q.lo + q.hi) / 2, (q.hi - q.lo) / 2 * times
    return _real(random.uniform(middle - half, middle + half, shape), q)
