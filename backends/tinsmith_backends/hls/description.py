"""tinsmith.json of a build: where in the project the exact graph's tensors are."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from tinsmith.errors import TinsmithError
from tinsmith.ir.exact import ExactGraph, Tensor

from tinsmith_backends.hls.network import Form, Held, Network, Node, order

FILE = "tinsmith.json"
UNTRACED = ("InputLayer", "Reshape")
"""Kinds of nodes that compute nothing, so that the project keeps no value of theirs."""


@dataclass(frozen=True)
class Port:
    """An input or output of the project, or a layer that it can show: a tensor of the exact graph.

    Attributes:
        tensor: of the exact graph.
        held: in which form and order.
        size: elements.
    """

    tensor: str
    held: Held
    size: int

    @property
    def node(self) -> str:
        """The node of the project that holds it."""
        return self.held.node

    def from_stored(self, stored: npt.NDArray[np.float64], tensor: Tensor) -> npt.NDArray[Any]:
        """The tensor as the exact graph has it, from what the project holds."""
        zero = tensor.zero_point
        values = {"value": stored + zero, "plus": 2 * stored - 1, "minus": 1 - 2 * stored}[self.held.form]
        result = np.empty(self.size, tensor.dtype)
        result[order(self.held)] = values.astype(np.int64)
        return result.reshape(tensor.shape)

    def to_stored(self, values: npt.NDArray[Any], tensor: Tensor) -> npt.NDArray[np.float64]:
        """What the project takes or gives, from a tensor of the exact graph."""
        flat = values.ravel()[order(self.held)].astype(np.float64)
        return {"value": flat - tensor.zero_point, "plus": (flat + 1) / 2, "minus": (1 - flat) / 2}[self.held.form]


@dataclass(frozen=True)
class Description:
    """Ports of the project and layers that it can show."""

    project: str
    inputs: tuple[Port, ...]
    outputs: tuple[Port, ...]
    layers: tuple[Port, ...]


def describe(network: Network, *, shows_layers: bool = True) -> Description:
    """What a runner and the self-test need to know of a network; `shows_layers` as the project does."""
    nodes = {node.name: node for node in network.nodes}
    ports = {tensor: Port(tensor, held, int(np.prod(nodes[held.node].shape))) for tensor, held in network.held.items()}
    first: dict[str, Port] = {}
    for port in ports.values():
        first.setdefault(port.node, port)
    return Description(
        network.name,
        tuple(first[name] for name in network.inputs),
        tuple(first[name] for name in network.outputs),
        tuple(port for port in ports.values() if _is_shown(port, network, nodes, shows_layers)),
    )


def _is_shown(port: Port, network: Network, nodes: Mapping[str, Node], shows_layers: bool) -> bool:
    return port.node in network.outputs or (shows_layers and nodes[port.node].class_name not in UNTRACED)


def write_description(description: Description, folder: Path) -> None:
    """Write tinsmith.json."""
    ports = {key: [_as_json(port) for port in getattr(description, key)] for key in ("inputs", "outputs", "layers")}
    text = json.dumps({"project": description.project, **ports}, indent=1)
    (folder / FILE).write_text(text + "\n", encoding="utf-8")


def read_description(folder: Path, graph: ExactGraph) -> Description:
    """Read tinsmith.json; raises `TinsmithError` where it is damaged or of another network."""
    try:
        entry = json.loads((folder / FILE).read_text(encoding="utf-8"))
        ports = {key: tuple(map(_port, entry[key])) for key in ("inputs", "outputs", "layers")}
        description = Description(entry["project"], **ports)
    except (OSError, ValueError, KeyError, TypeError) as error:
        what = f"cannot read the description of the project: {error}"
        raise TinsmithError(what, where=str(folder / FILE), fix="compile again") from error
    for port in (*description.inputs, *description.outputs, *description.layers):
        tensor = graph.tensors.get(port.tensor)
        if tensor is None or int(np.prod(tensor.shape)) != port.size:
            what = f"the project holds a tensor {port.tensor!r} of {port.size} elements that the exact graph lacks"
            raise TinsmithError(what, where=str(folder / FILE), fix="compile again")
    return description


def _as_json(port: Port) -> dict[str, Any]:
    held = port.held
    place = {"node": held.node, "form": held.form, "shape": list(held.shape), "axes": list(held.axes)}
    return {"tensor": port.tensor, "size": port.size, **place}


def _port(entry: dict[str, Any]) -> Port:
    form: Form = entry["form"]
    held = Held(entry["node"], form, tuple(entry["shape"]), tuple(entry["axes"]))
    return Port(entry["tensor"], held, int(entry["size"]))
