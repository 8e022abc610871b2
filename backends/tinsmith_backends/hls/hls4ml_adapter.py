"""Writes the hls4ml project of a network. The only file that imports hls4ml."""

from __future__ import annotations

import contextlib
import io
import logging
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tinsmith.errors import Problems

from tinsmith_backends.hls.network import Network, Node
from tinsmith_backends.hls.settings import Settings

STAMP = "tinsmith"
"""Part of the name of the library that the project's build_lib.sh makes; hls4ml would draw a random one."""


def write_project(network: Network, settings: Settings, folder: Path) -> None:
    """Fill the empty `folder` with the hls4ml project. The same network gives the same bytes.

    Args:
        network: what to build.
        settings: how: flow, io type, and reuse factor and strategy of each layer.
        folder: where; hls4ml writes it into its files, so the caller names it relative to itself.

    Raises:
        TinsmithError: for every layer whose reuse factor is not one of those that divide its products evenly.
    """
    from hls4ml.model.graph import ModelGraph

    config = _config(network, settings)
    with _quiet(), _mended(), contextlib.chdir(folder):
        model = ModelGraph.from_layer_list(
            config, [_layer(node) for node in network.nodes], inputs=list(network.inputs), outputs=list(network.outputs)
        )
        _check_built(model, network, settings)
        model.write()
        _scrub()


def _check_built(model: Any, network: Network, settings: Settings) -> None:
    """hls4ml takes another reuse factor or strategy where it cannot do the one that it was told, and only prints so."""
    problems = Problems()
    backend = model.config.backend
    for node in network.nodes:
        if not node.is_weighted:
            continue
        built, asked = model.graph[node.name], settings.of_layer(node.layer)
        if built.get_attr("strategy") != asked.strategy:
            raise RuntimeError(f"hls4ml builds {node.name} as {built.get_attr('strategy')}, not {asked.strategy}")
        if asked.strategy != "resource":
            continue
        possible = backend.get_valid_reuse_factors(*backend.get_layer_mult_size(built))
        if asked.reuse not in possible:
            why = f"with strategy resource it can be one of {', '.join(map(str, possible))}"
            fix = f'--set "reuse@{node.layer}={backend.get_closest_reuse_factor(possible, asked.reuse)}"'
            problems.add(f"a multiplier cannot be used {asked.reuse} times", where=node.layer, why=why, fix=fix)
    problems.check()


def _scrub() -> None:
    """Take out of the project in the current folder where and when it was built."""
    here = str(Path().resolve())
    for archive in Path().glob("*.tar.gz"):  # a copy of the project, with the time of day in it
        archive.unlink()
    for file in (path for path in Path().iterdir() if path.suffix in (".cpp", ".sh", ".tcl", ".yml")):
        text = file.read_text(encoding="utf-8")
        if here in text:
            file.write_text(text.replace(here, "."), encoding="utf-8")


def _layer(node: Node) -> dict[str, Any]:
    entry = {"class_name": node.class_name, "name": node.name, "data_format": "channels_last", **node.attributes}
    if node.class_name == "InputLayer":
        return entry | {"input_shape": list(node.shape)}
    size = 1
    for n in node.shape:
        size *= n
    return entry | {"inputs": list(node.inputs), "n_in": entry.get("n_in", size), "n_filt": node.shape[-1]}


def _config(network: Network, settings: Settings) -> dict[str, Any]:
    ends = {held.node for held in network.held.values()}
    layers = {}
    for node in network.nodes:
        layers[node.name] = {
            "Precision": {what: str(number) for what, number in node.types.items()},
            "Trace": settings.shows_layers and node.name in ends and node.name not in network.inputs,
            **_built(node, settings),
        }
    return {
        "OutputDir": ".",
        "ProjectName": network.name,
        "Backend": settings.flow.backend,
        "IOType": settings.io_type,
        "Part": settings.part,
        "ClockPeriod": settings.clock_ns,
        "TraceOutput": settings.shows_layers,
        "HLSConfig": {"Model": {"Precision": "fixed<32,32>", "ReuseFactor": 1}, "LayerName": layers},
        "WriterConfig": {"Namespace": None, "WriteWeightsTxt": True, "WriteTar": False, "TBOutputStream": "both"},
    }


def _built(node: Node, settings: Settings) -> dict[str, Any]:
    """Strategies are of layers with weights alone; hls4ml would look for an adder graph in any other."""
    layer = settings.of_layer(node.layer)
    return {"ReuseFactor": layer.reuse} | ({"Strategy": layer.strategy} if node.is_weighted else {})


@contextlib.contextmanager
def _mended() -> Iterator[None]:
    """Two of hls4ml's functions, otherwise while a project is written.

    Its search for adder graphs looks a layer's inputs up by the names of layers; these are names of tensors. And it
    draws a random stamp, which differs from build to build in its letters and, where it reads as a number, in how
    YAML quotes it.
    """
    from hls4ml.backends.vivado.passes import distributed_arithmetic
    from hls4ml.model.optimizer.passes.stamp import MakeStamp

    def found(layer: Any) -> list[Any]:
        return [layer.get_input_node(name) for name in layer.inputs]

    def stamped(_: Any, model: Any) -> bool:
        model.config.config["Stamp"] = STAMP
        return False

    with _replaced(distributed_arithmetic, "get_input_layers", found), _replaced(MakeStamp, "transform", stamped):
        yield


@contextlib.contextmanager
def _replaced(owner: Any, name: str, function: Any) -> Iterator[None]:
    right = getattr(owner, name)
    setattr(owner, name, function)
    try:
        yield
    finally:
        setattr(owner, name, right)


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """hls4ml prints and warns of what it does; what goes wrong it raises."""
    level = logging.root.manager.disable
    logging.disable(logging.WARNING)
    try:
        with warnings.catch_warnings(), contextlib.redirect_stdout(io.StringIO()):
            warnings.simplefilter("ignore")
            yield
    finally:
        logging.disable(level)
