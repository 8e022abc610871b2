"""Fill a report from the exact graph and from what the backend says that it built."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from importlib.metadata import version

import numpy as np

from tinsmith.backend import Build, LayerBuild, Target
from tinsmith.ir import warnings
from tinsmith.ir.exact import (
    Add,
    ExactGraph,
    Layer,
    PiecewiseLinear,
    Requantization,
    Tensor,
    Weighted,
    ending_of,
    weight_bits,
)
from tinsmith.report.model import AccuracyReport, LayerAccuracy, LayerReport, LayerWarning, MemoryReport, Report
from tinsmith.settings import Settings


def make_report(
    graph: ExactGraph,
    build: Build,
    target: Target,
    *,
    sqnr_db: Mapping[str, float],
    files: Sequence[str],
    settings: Settings | None = None,
    warned: Sequence[warnings.LayerWarning] = (),
) -> Report:
    """The report of one build.

    Args:
        graph: what was built.
        build: the backend's numbers.
        target: what it was built for.
        sqnr_db: signal-to-quantization-noise ratio in dB by layer name, for the layers where it was measured.
        files: every file of the build folder.
        settings: what the target was told besides the network.
        warned: warnings about layers.
    """
    built: dict[str, list[LayerBuild]] = {}
    for part in build.layers:
        built.setdefault(part.name, []).append(part)
    layers = tuple(_layer_report(graph, layer, built.get(layer.name, [])) for layer in graph.layers)
    accuracy = tuple(
        _layer_accuracy(layer.name, sqnr_db[layer.name]) for layer in graph.layers if layer.name in sqnr_db
    )
    return Report(
        generator="tinsmith",
        version=version("tinsmith"),
        name=graph.name,
        target=target.name,
        runner=target.runner,
        settings=dict(settings or {}),
        macs=sum(layer.macs for layer in layers),
        memory=MemoryReport(
            arena_bytes=build.arena_bytes,
            arena_lower_bound_bytes=build.arena_lower_bound_bytes,
            weight_bytes=build.weight_bytes,
            code_bytes=build.code_bytes,
        ),
        layers=layers,
        warnings=tuple(LayerWarning(name=warning.layer, text=warning.text) for warning in warned),
        accuracy=AccuracyReport(layers=accuracy),
        files=tuple(sorted(files)),
    )


def macs(graph: ExactGraph, layer: Layer) -> int:
    """Multiply-accumulates of one inference of one layer; 0 for layers without weights."""
    if not isinstance(layer, Weighted):
        return 0
    windowed = layer.weight.ndim == 4
    terms = layer.weight.shape[1:] if windowed else layer.weight.shape[:1]
    return math.prod(graph.tensors[layer.output].shape) * math.prod(terms)


def multipliers(layer: Layer) -> int:
    """Constants that requantization multiplies by and that are no powers of two: on an FPGA they cost multipliers."""
    factors: list[int] = []
    ending = ending_of(layer)
    match layer:
        case Add():
            factors += layer.multipliers
        case PiecewiseLinear():
            factors += layer.multiplier.ravel().tolist()
        case _ if isinstance(ending, Requantization):
            factors += ending.multiplier.ravel().tolist()
    return sum(abs(factor).bit_count() > 1 for factor in factors)


def _bits(tensor: Tensor) -> int:
    return tensor.bits if tensor.dtype in ("int8", "uint8") else np.dtype(tensor.dtype).itemsize * 8


def _layer_report(graph: ExactGraph, layer: Layer, built: Sequence[LayerBuild]) -> LayerReport:
    weight = layer.weight if isinstance(layer, Weighted) else None
    output = graph.tensors[layer.output]
    return LayerReport(
        name=layer.name,
        source=layer.source,
        op=layer.kind,
        shape=output.shape,
        weight_bits=weight_bits(layer),
        input_bits=max(_bits(graph.tensors[name]) for name in layer.inputs),
        activation_bits=_bits(output),
        density=None if weight is None else round(np.count_nonzero(weight) / weight.size, 4),
        macs=macs(graph, layer),
        multipliers=multipliers(layer),
        weight_bytes=sum(part.weight_bytes for part in built),
        kernel=", ".join(part.kernel for part in built if part.kernel),
    )


def _layer_accuracy(name: str, sqnr_db: float) -> LayerAccuracy:
    return LayerAccuracy(name=name, sqnr_db=round(sqnr_db, 2) if math.isfinite(sqnr_db) else None)
