"""What an estimate of an hls4ml project counts."""

from __future__ import annotations

import numpy as np
import pytest
from exact_models import Net
from tinsmith.errors import TinsmithError
from tinsmith.estimates import Estimate, Row
from tinsmith_backends.hls.backend import BACKEND


def network() -> Net:
    net = Net(6, "counted")
    stem = net.conv(net.quantize(net.input("x", (1, 2, 5, 5))), 4)
    net.dequantize(net.shift_matmul(net.flatten(stem), 6, 3, dtype="int8"))
    return net


def told(**settings: str) -> Estimate:
    return BACKEND.configured("hls-vitis", settings).estimate(network().graph(), "hls-vitis")


def row(found: Estimate, kind: str) -> Row:
    graph = network().graph()
    name = next(layer.name for layer in graph.layers if layer.kind == kind)
    return next(each for each in found.layers if each.name == name)


def scales(kind: str, elements: int) -> int:
    """Multipliers of the requantization behind a layer: none by a power of two."""
    layer = next(layer for layer in network().graph().layers if layer.kind == kind)
    real = [m for m in np.broadcast_to(layer.ending.multiplier, (elements,)) if m & (m - 1)]
    return len(real)


def test_weights_that_are_powers_of_two_are_no_multipliers() -> None:
    found = told(io_type="io_stream")
    weights = next(layer for layer in network().graph().layers if layer.kind == "Conv").weight.astype(int)
    real = np.count_nonzero((np.abs(weights) & (np.abs(weights) - 1)) != 0)
    assert row(found, "Conv").values["multipliers"] == real + scales("Conv", 4)
    assert row(found, "ShiftMatMul").values["multipliers"] == scales("ShiftMatMul", 6)
    assert found.whole.values["multipliers"] == sum(each.values["multipliers"] for each in found.layers)


def test_reuse_and_strategy_change_what_it_takes() -> None:
    size = 4 * 2 * 9
    memory = told(io_type="io_stream", strategy="resource", reuse="4")
    assert row(memory, "Conv").values["multipliers"] == size // 4 + scales("Conv", 4)
    assert row(memory, "Conv").values["reuse"] == 4
    adders = told(io_type="io_stream", strategy="distributed_arithmetic")
    assert row(adders, "Conv").values["multipliers"] == scales("Conv", 4)
    assert row(adders, "Conv").choice.startswith("distributed_arithmetic + Conv2D")
    assert told().whole.values["multipliers"] > told(io_type="io_stream").whole.values["multipliers"]


def test_settings_that_cannot_be_are_refused() -> None:
    with pytest.raises(TinsmithError, match="cannot be used twice"):
        told(strategy="distributed_arithmetic", reuse="2")
