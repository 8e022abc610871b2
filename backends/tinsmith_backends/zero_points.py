"""Zero points of inputs, folded into biases: weights then multiply values as they are stored."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt


def folded_bias(
    weight: npt.NDArray[np.signedinteger[Any]], bias: npt.NDArray[np.signedinteger[Any]], zero_point: int
) -> npt.NDArray[np.int64]:
    """bias - zero_point * sum(weight) of each output, for weights (outputs, ...) and biases (outputs,)."""
    sums = weight.reshape(weight.shape[0], -1).sum(axis=1, dtype=np.int64)
    folded: npt.NDArray[np.int64] = bias.astype(np.int64) - zero_point * sums
    return folded
