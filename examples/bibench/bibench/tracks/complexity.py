"""Track 5: operations and parameters, counted in the exact graph that the digits' CNN becomes."""

from __future__ import annotations

import math
import tempfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
from tinsmith.ir.exact import AbsoluteSum, Add, ExactGraph, Layer, Multiply, PiecewiseLinear, Weighted, weight_bits
from tinsmith.ir.reader import read_exact
from tinsmith.pipeline import make_exact
from tinsmith.progress import Progress
from tinsmith.report.make import macs
from tinsmith.train.exporting import CALIBRATION_NAME, MODEL_NAME, export_run

from bibench.data import load
from bibench.plan import REAL, Plan
from bibench.scores import quadratic_mean, size_ratio, speed_ratio
from bibench.track import Job, Outcome, Result, Results, Track
from bibench.tracks.corruption import ARCH, DATA
from bibench.training import Training


def _key(training: Training) -> str:
    return f"count {training.key}"


def _count(plan: Plan, training: Training) -> Callable[[], Result]:
    def run() -> Result:
        samples, _ = load(DATA, plan.data)
        with tempfile.TemporaryDirectory() as folder:
            export_run(training.trained(plan), samples.x, Path(folder))
            path = Path(folder) / MODEL_NAME
            exact = make_exact(path, Path(folder) / CALIBRATION_NAME, progress=Progress(0, quiet=True))
        return count(read_exact(exact.model))

    return run


def count(graph: ExactGraph) -> dict[str, int]:
    """Operations (a product and a sum are two) and parameters, of 1 bit and of more."""
    weighted = [layer for layer in graph.layers if isinstance(layer, Weighted)]
    bits = [layer for layer in weighted if weight_bits(layer) == 1]
    rest = [layer for layer in weighted if weight_bits(layer) != 1]
    constants = sum(layer.bias.size for layer in weighted) + sum(map(_constants, graph.layers))
    return {
        "ops_binary": sum(2 * macs(graph, layer) for layer in bits),
        "ops_rest": sum(2 * macs(graph, layer) for layer in rest) + sum(_operations(graph, x) for x in graph.layers),
        "params_binary": sum(layer.weight.size for layer in bits),
        "params_rest": sum(layer.weight.size for layer in rest) + constants,
    }


def _operations(graph: ExactGraph, layer: Layer) -> int:
    """What a layer without weights does, element by element."""
    match layer:
        case AbsoluteSum():
            return 2 * math.prod(graph.tensors[layer.inputs[0]].shape)
        case Add() | Multiply():
            return math.prod(graph.tensors[layer.output].shape)
        case PiecewiseLinear():
            return 2 * math.prod(graph.tensors[layer.output].shape)
    return 0


def _constants(layer: Layer) -> int:
    """Numbers that such a layer holds."""
    held = [getattr(layer, name, None) for name in ("factor", "limit", "knee")]
    return sum(int(np.size(each)) for each in held if each is not None)


def _training(method: str) -> Training:
    return Training(DATA, ARCH, method)


def _jobs(plan: Plan) -> list[Job]:
    jobs = []
    for method in plan.variants:
        training = _training(method)
        jobs += [training.job(plan), Job(_key(training), _count(plan, training))]
    return jobs


def _evaluate(plan: Plan, results: Results) -> Outcome:
    counts = {method: results[_key(_training(method))] for method in plan.variants}
    flops, params = counts[REAL]["ops_rest"], counts[REAL]["params_rest"]
    ratios = {
        method: (
            speed_ratio(flops, found["ops_binary"], found["ops_rest"]),
            size_ratio(params, found["params_binary"], found["params_rest"]),
        )
        for method, found in counts.items()
    }
    headers = ("method", "1-bit operations", "other operations", "1-bit parameters", "other parameters", "r_c", "r_s")
    rows = [
        (method, *(f"{found[name]:,}" for name in _COLUMNS), *(f"{ratio:.2f}" for ratio in ratios[method]))
        for method, found in counts.items()
    ]
    notes = (
        "Counted in the exact graph of the digits' CNN: products and sums, additions of shortcuts, run-time scales; "
        "weights, one constant a channel, thresholds, scales. Stem, head and shortcuts are not binary.",
    )
    return Outcome({method: quadratic_mean(ratios[method]) for method in plan.methods}, headers, rows, notes)


_COLUMNS = ("ops_binary", "ops_rest", "params_binary", "params_rest")

TRACK = Track(
    "complexity",
    "Theoretical complexity",
    "√(½ [r_c² + r_s²]), r_c = FLOPs / (OPs_bin / 64 + FLOPs_rest), r_s = params / (params_bin / 32 + params_rest)",
    _jobs,
    _evaluate,
)
