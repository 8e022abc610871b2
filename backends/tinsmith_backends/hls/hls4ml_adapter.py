"""Writes the hls4ml project of a network. The only file that imports hls4ml."""

from __future__ import annotations

import contextlib
import io
import logging
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tinsmith_backends.hls.network import Network, Node
from tinsmith_backends.hls.settings import LayerSettings, Settings

STAMP = "tinsmith"
"""Part of the name of the library that the project's build_lib.sh makes; hls4ml would draw a random one."""


def write_project(network: Network, backend: str, settings: Settings, folder: Path) -> None:
    """Fill the empty `folder` with the hls4ml project. The same network gives the same bytes.

    Args:
        network: what to build.
        backend: hls4ml's name of the flow: Vitis, Vivado, Quartus or Catapult.
        settings: how: io type, and reuse factor and strategy of each layer.
        folder: where; hls4ml writes it into its files, so the caller names it relative to itself.
    """
    from hls4ml.model.graph import ModelGraph

    config = _config(network, backend, settings)
    with _quiet(), contextlib.chdir(folder):
        model = ModelGraph.from_layer_list(
            config, [_layer(node) for node in network.nodes], inputs=list(network.inputs), outputs=list(network.outputs)
        )
        model.write()
        _scrub({model.config.get_config_value("Stamp"): STAMP, str(Path().resolve()): "."})


def _scrub(replaced: Mapping[str, str]) -> None:
    """Take out of the project in the current folder what differs from one build to the next."""
    for archive in Path().glob("*.tar.gz"):  # a copy of the project, with the time of day in it
        archive.unlink()
    for file in (path for path in Path().iterdir() if path.suffix in (".cpp", ".sh", ".tcl", ".yml")):
        text = right = file.read_text(encoding="utf-8")
        for found, neutral in replaced.items():
            right = right.replace(found, neutral)
        if right != text:
            file.write_text(right, encoding="utf-8")


def _layer(node: Node) -> dict[str, Any]:
    entry = {"class_name": node.class_name, "name": node.name, "data_format": "channels_last", **node.attributes}
    if node.class_name == "InputLayer":
        return entry | {"input_shape": list(node.shape)}
    size = 1
    for n in node.shape:
        size *= n
    return entry | {"inputs": list(node.inputs), "n_in": entry.get("n_in", size), "n_filt": node.shape[-1]}


def _config(network: Network, backend: str, settings: Settings) -> dict[str, Any]:
    ends = {held.node for held in network.held.values()}
    layers = {}
    for node in network.nodes:
        layers[node.name] = {
            "Precision": {what: str(number) for what, number in node.types.items()},
            "Trace": node.name in ends and node.name not in network.inputs,
            **_built(settings.of_layer(node.layer)),
        }
    return {
        "OutputDir": ".",
        "ProjectName": network.name,
        "Backend": backend,
        "IOType": settings.io_type,
        "Part": settings.part,
        "ClockPeriod": settings.clock_ns,
        "TraceOutput": True,
        "HLSConfig": {"Model": {"Precision": "fixed<32,32>", **_built(settings.of_layer(""))}, "LayerName": layers},
        "WriterConfig": {"Namespace": None, "WriteWeightsTxt": True, "WriteTar": False, "TBOutputStream": "both"},
    }


def _built(layer: LayerSettings) -> dict[str, Any]:
    return {"ReuseFactor": layer.reuse, "Strategy": layer.strategy}


@contextlib.contextmanager
def _quiet() -> Any:
    """hls4ml prints and warns of what it does; what goes wrong it raises."""
    level = logging.root.manager.disable
    logging.disable(logging.WARNING)
    try:
        with warnings.catch_warnings(), contextlib.redirect_stdout(io.StringIO()):
            warnings.simplefilter("ignore")
            yield
    finally:
        logging.disable(level)
