"""How far the integers are from the float model, layer by layer: signal-to-quantization-noise ratio."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from tinsmith.calibration_data import FloatArray, iterate
from tinsmith.ir.exact import ExactGraph, Tensor
from tinsmith.numerics.float_run import FloatRun

Arrays = Mapping[str, npt.NDArray[Any]]


@dataclass
class Sqnr:
    """10 * log10(sum of real**2 / sum of (real - quantized)**2) over all that was taken in."""

    signal: float = 0.0
    noise: float = 0.0

    def update(self, real: npt.NDArray[Any], quantized: npt.NDArray[Any]) -> None:
        """Take in one more pair of arrays of one shape."""
        wide = real.astype(np.float64)
        self.signal += float(np.square(wide).sum())
        self.noise += float(np.square(wide - quantized).sum())

    @property
    def db(self) -> float:
        """Decibels; infinite without noise, minus infinite where there is noise without signal."""
        if self.noise == 0:
            return math.inf
        return 10 * math.log10(self.signal / self.noise) if self.signal > 0 else -math.inf


def real_values(stored: npt.NDArray[Any], tensor: Tensor) -> npt.NDArray[np.float64]:
    """What the stored values of a tensor mean."""
    wide = stored.astype(np.float64)
    return (wide - tensor.zero_point) * tensor.scale if tensor.scale else wide


def layer_sqnr(
    float_model: FloatRun,
    graph: ExactGraph,
    run_exact: Callable[[Mapping[str, FloatArray]], Arrays],
    samples: Mapping[str, FloatArray],
) -> dict[str, float]:
    """Decibels by layer name, over all samples, of every layer of the exact graph that the float model has too.

    Class indices (ArgMax) have no ratio and are left out.

    Args:
        float_model: `FloatRun` of the canonical model, made before it was quantized.
        graph: the exact graph's records, for scales and zero points.
        run_exact: gives every tensor of the exact graph by name for one sample (`Oracle.run`).
        samples: from `tinsmith.calibration_data.load_samples`.
    """
    pairs = {}
    for layer in graph.layers:
        name = float_name(layer.output, float_model.values)
        if name is not None and graph.tensors[layer.output].dtype != "int64":
            pairs[layer.name] = (name, graph.tensors[layer.output])
    ratios = {layer: Sqnr() for layer in pairs}
    for sample in iterate(samples):
        real, exact = float_model.run(sample), run_exact(sample)
        for key, (name, tensor) in pairs.items():
            ratios[key].update(real[name], real_values(exact[tensor.name], tensor))
    return {key: ratio.db for key, ratio in ratios.items()}


def float_name(exact_name: str, float_values: list[str]) -> str | None:
    """The float value that an exact tensor stands for, by the naming rule of the quantize pass; None if it has none."""
    known = set(float_values)
    candidates = (exact_name, exact_name.rstrip("_").removesuffix("_q"))
    return next((name for name in candidates if name in known), None)
