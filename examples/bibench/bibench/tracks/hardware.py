"""Track 6: time and size of what Tinsmith makes of a CNN, beside float in onnxruntime and the int8 twin."""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import onnxruntime
import tinsmith
import torch
from tinsmith.train.exporting import CALIBRATION_NAME, MODEL_NAME, export_run
from tinsmith.train.networks import BiRealResNet

from bibench.networks import binary_copy
from bibench.plan import REAL, Plan
from bibench.scores import quadratic_mean
from bibench.track import Job, Outcome, Result, Results, Track

TARGETS = ("x86-64", "wasm", "arm64")
EMULATED = {"arm64": "qemu-aarch64"}
REPEATS = 50
SIDE = 16
FLOAT = "float"


def _network(method: str) -> torch.nn.Module:
    """A residual network for images of 16×16, as it starts: training changes neither time nor size."""
    with torch.random.fork_rng():
        torch.manual_seed(0)
        net = binary_copy(BiRealResNet(1, (64, 128), depth=1), method)
        with torch.no_grad():
            net.train()(_images())  # gives batch normalization its statistics
        return net.eval()


def _images() -> torch.Tensor:
    return torch.rand(32, 1, SIDE, SIDE, generator=torch.Generator().manual_seed(0))


def _key(target: str, method: str) -> str:
    return f"hardware {target} {method}"


def _export(plan: Plan, method: str) -> Path:
    folder = plan.out / "models" / method
    if not (folder / MODEL_NAME).exists():
        folder.mkdir(parents=True, exist_ok=True)
        export_run(_network(method), _images(), folder)
    return folder


def _measure_float(plan: Plan) -> Result:
    """The least of many inferences of one image in onnxruntime, one thread; the size of the file."""
    path = _export(plan, REAL) / MODEL_NAME
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
    feed = {session.get_inputs()[0].name: np.zeros((1, 1, SIDE, SIDE), np.float32)}
    times = []
    for _ in range(REPEATS):
        start = time.perf_counter()
        session.run(None, feed)
        times.append(time.perf_counter() - start)
    return {"seconds": min(times), "bytes": path.stat().st_size}


def _measure(plan: Plan, target: str, method: str) -> Callable[[], Result]:
    """Compile, verify, time."""

    def run() -> Result:
        model, build = _export(plan, method), plan.out / "builds" / f"{target}-{method}"
        memory = tinsmith.compile(
            model / MODEL_NAME, target, build, calibrate=model / CALIBRATION_NAME, name="bibench"
        ).memory
        exact = tinsmith.verify(build, samples=2).exact
        seconds = tinsmith.bench(build, repeats=3 if target in EMULATED else REPEATS).min_s
        size = memory.weight_bytes + memory.code_bytes
        return {"seconds": seconds, "bytes": size, "arena": memory.arena_bytes, "exact": exact}

    return run


def _targets() -> list[str]:
    return [target for target in TARGETS if target not in EMULATED or shutil.which(EMULATED[target])]


def _jobs(plan: Plan) -> list[Job]:
    jobs = [Job(_key("x86-64", FLOAT), lambda: _measure_float(plan))]
    jobs += [
        Job(_key(target, method), _measure(plan, target, method)) for target in _targets() for method in plan.variants
    ]
    return jobs


def _evaluate(plan: Plan, results: Results) -> Outcome:
    targets, real = _targets(), results[_key("x86-64", FLOAT)]
    scores = {}
    for method in plan.methods:
        found = results[_key("x86-64", method)]
        scores[method] = quadratic_mean([real["seconds"] / found["seconds"], real["bytes"] / found["bytes"]])
    headers = ["method"]
    for target in targets:
        headers += [f"{target}, ms", "× int8", "KiB", "× int8"]
    headers.append("exact")
    float_row = (FLOAT, *_cells(real, None), *("",) * (4 * (len(targets) - 1) + 1))
    rows = [float_row, *(_row(results, targets, method) for method in plan.variants)]
    notes = [
        f"A residual CNN for images of {SIDE}×{SIDE}, untrained: training changes neither time nor size. Float is "
        "onnxruntime on this machine, one thread, and the score compares x86-64 with it; real is the int8 twin. "
        "“× int8” is how much less than the twin takes. Size is weights and code.",
        "exact: every build gave the oracle's bits.",
    ]
    if "arm64" in targets:
        notes.append("arm64 runs under qemu: its milliseconds are the emulator's, good for comparing rows only.")
    notes += [f"{each} is left out: {EMULATED[each]} is missing" for each in TARGETS if each not in targets]
    return Outcome(scores, headers, rows, notes)


def _row(results: Results, targets: list[str], method: str) -> tuple[str, ...]:
    cells = [method if method != REAL else f"{REAL} (int8)"]
    for target in targets:
        cells += _cells(results[_key(target, method)], results[_key(target, REAL)])
    exact = all(results[_key(target, method)]["exact"] for target in targets)
    return (*cells, "yes" if exact else "NO")


def _cells(found: Result, twin: Result | None) -> list[str]:
    """Milliseconds and KiB, each with how much less than the twin's they are."""
    cells = []
    for name, value in (("seconds", 1000 * found["seconds"]), ("bytes", found["bytes"] / 1024)):
        cells += [
            f"{value:.3f}" if name == "seconds" else f"{value:.1f}",
            f"{twin[name] / found[name]:.2f}" if twin else "",
        ]
    return cells


TRACK = Track(
    "hardware",
    "Hardware inference",
    "√(½ [(T / T_bi)² + (S / S_bi)²]), T the time of an inference and S the size",
    _jobs,
    _evaluate,
)
