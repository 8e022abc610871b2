"""What a host does around a target that takes and gives integers alone: the exact graph's Quantize and Dequantize."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from tinsmith.backend import Arrays
from tinsmith.ir.exact import Dequantize, ExactGraph, Quantize


def quantized(graph: ExactGraph, name: str, sample: Arrays) -> npt.NDArray[Any]:
    """The input tensor `name` of integers, from the real values of a sample."""
    quantizer = next(layer for layer in graph.layers if isinstance(layer, Quantize) and layer.output == name)
    tensor, values = graph.tensors[name], np.asarray(sample[quantizer.inputs[0]], np.float32)
    with np.errstate(over="ignore"):  # infinity is clamped like any value beyond the range
        steps = np.rint(values / np.float32(tensor.scale))
    zero = tensor.zero_point
    stored: npt.NDArray[Any] = (np.clip(steps, tensor.lo - zero, tensor.hi - zero) + zero).astype(tensor.dtype)
    return stored


def with_outputs(graph: ExactGraph, found: dict[str, npt.NDArray[Any]]) -> dict[str, npt.NDArray[Any]]:
    """Adds the network's real outputs to tensors that a target has given."""
    for layer in graph.layers:
        if isinstance(layer, Dequantize) and layer.inputs[0] in found:
            tensor = graph.tensors[layer.inputs[0]]
            steps = found[layer.inputs[0]].astype(np.int32) - tensor.zero_point
            found[layer.output] = steps.astype(np.float32) * np.float32(tensor.scale)
    return found
