"""Milliseconds of a layer on x86-64: our kernels against onnxruntime's int8, in turn, in one process.

    python tests/bench/layers_x86.py [--json] [--seconds 5]

Layer D is a 3x3 convolution of 14x14 pixels, 256 to 256 channels. The peer runs what its own quantizer makes of Conv +
Clip(0, 6) (QDQ, uint8 activations, int8 weights per channel), one thread, all graph optimizations, 8-bit tensors in
and out. Ours are the binary layer of that size, from packed bits to packed bits, and the int8 layer. The fastest run
of each counts: on a busy machine the median of a long run has other programs' time in it.

Needs gcc. Exit code 1 when the binary layer takes more than 0.65 of the peer's time.
"""

from __future__ import annotations

import argparse
import ctypes
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import onnxruntime
from bench_report import Row, report
from layers_node import bytes_model
from peer_layers import LAYERS, LayerKernel, binary_kernel, constant_arrays, layer_kernel, quantized_model
from tinsmith_backends.cpu.tvm_adapter import compile_kernels

PEER = "onnxruntime int8"
LIMITS = {"binary": 0.65, "int8": float("inf")}
"""Of the peer's time. The int8 layer stands in the table for comparison: the peer may have other instructions."""
_WARMING = 10


def library(layer: LayerKernel, folder: Path) -> Callable[[], None]:
    """The kernel with its constants as a function of the running process."""
    code = compile_kernels([layer.kernel], "avx2")
    if isinstance(code, str):
        raise TypeError("kernels of x86-64 come as an object file")
    name, s = layer.kernel.symbol, layer.kernel.shape
    (folder / f"{name}.o").write_bytes(code)
    scalars = ", ".join(str(value) for value in layer.scalars)
    (folder / f"{name}.c").write_text(f"""#include <stdint.h>
int32_t {name}();
{constant_arrays(layer.packed)}
static _Alignas(64) int8_t x[{s.h * s.w * s.cin}], y[{s.ho * s.wo * s.cout}];
static _Alignas(64) int8_t scratch[{max(1, layer.kernel.scratch_bytes)}];
void fill(void) {{ for (unsigned i = 0; i < sizeof x; ++i) x[i] = (int8_t)(i * 2654435761u >> 24); }}
void run(void) {{ {name}(x, weight, bias, multiplier, y, scratch, {scalars}); }}
""")
    command = ["gcc", "-O2", "-std=gnu11", "-fPIC", "-shared", f"{name}.c", f"{name}.o", "-o", f"{name}.so"]
    subprocess.run(command, cwd=folder, check=True)
    loaded = ctypes.CDLL(str(folder / f"{name}.so"))
    loaded.fill()
    run: Callable[[], None] = loaded.run
    return run


def peer(model: Path) -> Callable[[], object]:
    """One run of the peer between 8-bit tensors."""
    path, x, y = bytes_model(model)
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    session = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    data = np.random.default_rng(0).integers(0, 256, session.get_inputs()[0].shape).astype(np.uint8)
    return lambda: session.run([y], {x: data})


def fastest(runs: dict[str, Callable[[], object]], seconds: float) -> dict[str, float]:
    """Milliseconds of the fastest run of each, taken in turn."""
    for _ in range(_WARMING):
        for run in runs.values():
            run()
    times: dict[str, list[float]] = {name: [] for name in runs}
    stop = time.perf_counter() + seconds
    while time.perf_counter() < stop:
        for name, run in runs.items():
            start = time.perf_counter()
            run()
            times[name].append(1e3 * (time.perf_counter() - start))
    return {name: min(values) for name, values in times.items()}


def main() -> int:
    """Measure, print, and say by the exit code whether the limit holds."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json", action="store_true", help="print a JSON list instead of the table")
    parser.add_argument("--seconds", type=float, default=5.0, help="time for all timed runs together")
    arguments = parser.parse_args()
    size = LAYERS["D"]
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        model = quantized_model(size, folder)
        layers = {"binary": binary_kernel(size, "avx2"), "int8": layer_kernel(size, model, "avx2")}
        runs: dict[str, Callable[[], object]] = {key: library(layer, folder) for key, layer in layers.items()}
        times = fastest({**runs, PEER: peer(model)}, arguments.seconds)
    rows = [
        Row(f"{size}, ours {key}, {layer.kernel.name}", times[key], times[PEER], PEER, LIMITS[key])
        for key, layer in layers.items()
    ]
    return report(rows, "milliseconds, fastest", as_json=arguments.json)


if __name__ == "__main__":
    sys.exit(main())
