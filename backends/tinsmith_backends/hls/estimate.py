"""What an hls4ml project asks of a vendor's tool: multipliers, their bits, bits of constants. Counted, not fitted."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt
from tinsmith.estimates import Estimate, Row, Value

from tinsmith_backends.hls.network import Network, Node
from tinsmith_backends.hls.settings import Settings
from tinsmith_backends.hls.targets import ADDERS

QUANTITIES = {
    "multipliers": "products a clock; none in adder graphs and, unless weights are in memories, by 0 and powers of two",
    "product_bits": "bits of both operands of every multiplier, multiplied: what a multiplier in logic costs",
    "constant_bits": "bits of weights, biases and scales",
    "reuse": "clocks for which a multiplier works on one output position",
}


def estimate(network: Network, settings: Settings, layers: tuple[str, ...]) -> Estimate:
    """A row for each layer of the exact graph with nodes in the project, and the whole."""
    nodes = {node.name: node for node in network.nodes}
    rows = []
    for layer in layers:
        own = [node for node in network.nodes if node.layer == layer]
        if not own:
            continue
        parts = [_values(node, nodes, settings) for node in own]
        values: dict[str, Value] = {key: sum(part[key] for part in parts) for key in parts[0]}
        told = settings.of_layer(layer)
        if any(node.is_weighted for node in own):
            values["reuse"] = told.reuse
        choice = told.strategy if any(node.is_weighted for node in own) else ""
        rows.append(Row(layer, " + ".join([*([choice] if choice else []), *(n.class_name for n in own)]), values))
    whole = {key: sum(row.values[key] for row in rows) for key in list(QUANTITIES)[:3]}
    note = "look-up tables and clocks are the vendor's tool's to say: no open tool turns HLS C++ into hardware"
    return Estimate(QUANTITIES, Row(network.name, settings.io_type, whole), tuple(rows), (note,))


def _values(node: Node, nodes: Mapping[str, Node], settings: Settings) -> dict[str, int]:
    """Multipliers of one node, bits of their operands, bits of its constants."""
    bits = sum(
        node.attributes[f"{what}_data"].size * node.types[what].width
        for what in ("weight", "bias", "scale")
        if node.attributes.get(f"{what}_data") is not None
    )
    count, width = _multipliers(node, settings)
    operand = nodes[node.inputs[0]].result.width if node.inputs else 0
    return {"multipliers": count, "product_bits": count * width * operand, "constant_bits": bits}


def _multipliers(node: Node, settings: Settings) -> tuple[int, int]:
    """How many there are, and the bits of their constants."""
    told = settings.of_layer(node.layer)
    weights, scales = node.attributes.get("weight_data"), node.attributes.get("scale_data")
    if weights is not None:
        if node.is_weighted and told.strategy == ADDERS:
            return 0, 0
        if not node.is_weighted:
            return _real(weights), node.types["weight"].width
        count = weights.size if told.strategy == "resource" or told.reuse > 1 else _real(weights)
        return math.ceil(count / told.reuse), node.types["weight"].width
    if scales is None:
        return 0, 0
    # One for each channel of a pixel in a stream, else one for each element.
    copies = 1 if settings.io_type == "io_stream" else math.prod(node.shape) // scales.size
    return _real(scales) * copies, node.types["scale"].width


def _real(constants: npt.NDArray[Any]) -> int:
    """How many constants are neither 0 nor a power of two, of either sign."""
    mantissas, _ = np.frexp(np.abs(constants.astype(np.float64)))
    return int(np.count_nonzero((mantissas != 0.5) & (constants != 0)))
