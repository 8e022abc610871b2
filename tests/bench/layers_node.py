"""Milliseconds of int8 layers in node: our WebAssembly kernels against onnxruntime-web, in turn, in one process.

    python tests/bench/layers_node.py [--json] [--layers A,B,D] [--seconds 5] [--cache ~/.cache/tinsmith-bench]

Each layer is measured twice. "float in and out": float32 tensors in NCHW order go in and come out, so both engines also
quantize, reorder and dequantize. "bytes in and out": the layer as it stands in the middle of a network, 8-bit tensors
in the engine's own order of the input. The peer runs what its own quantizer makes of Conv + Clip(0, 6) (QDQ, uint8
activations, int8 weights per channel, opset 17, three random calibration inputs), one thread, execution provider
wasm, SIMD, all graph optimizations; outputs of both must agree within one step. Median of at least 15 timed runs each.
Layer D is measured with one bit, too, from packed bits to packed bits, beside our own int8 kernel; the fastest run of
each counts.

Needs node 20 and npm; onnxruntime-web is installed from its registry into the cache folder. Exit code 1 when ours is
slower on any line, or the outputs differ.
"""

from __future__ import annotations

import argparse
import json
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import onnx
from bench_report import Row, report
from onnx import TensorProto, helper
from peer_layers import (
    LAYERS,
    LayerKernel,
    LayerSize,
    binary_kernel,
    constant_arrays,
    layer_kernel,
    quantized_model,
)
from tinsmith_backends.cpu.tvm_adapter import compile_kernels

HERE = Path(__file__).resolve().parent
PEER = "onnxruntime-web"
VERSION = "1.30.0"
LIMIT = 1.0
BINARY = "D"
"""The layer that is measured with one bit, too: against our own int8 kernel, of whose time it may take this much, and
at this rate of operations (two a product)."""
BINARY_LIMIT, BINARY_RATE = 1 / 2.2, 170e9


def install_peer(cache: Path) -> Path:
    """Folder whose node_modules holds the peer."""
    folder = cache / f"{PEER}-{VERSION}"
    if not (folder / "node_modules" / PEER / "package.json").is_file():
        folder.mkdir(parents=True, exist_ok=True)
        quiet = ["--silent", "--no-audit", "--no-fund", "--prefix", str(folder)]
        subprocess.run(["npm", "install", *quiet, f"{PEER}@{VERSION}"], check=True, stdout=sys.stderr)
    return folder


def bytes_model(quantized: Path) -> tuple[Path, str, str]:
    """The QDQ model without the float ends: its path, and the names of its uint8 input and output."""
    model = onnx.load(quantized)
    graph = model.graph
    first = next(n for n in graph.node if n.op_type == "QuantizeLinear" and n.input[0] == "x")
    last = next(n for n in graph.node if n.output[0] == "y")
    for ends, name in ((graph.input, first.output[0]), (graph.output, last.input[0])):
        shape = [d.dim_value for d in ends[0].type.tensor_type.shape.dim]
        del ends[:]
        ends.append(helper.make_tensor_value_info(name, TensorProto.UINT8, shape))
    for node in (first, last):
        graph.node.remove(node)
    onnx.checker.check_model(model)
    path = quantized.with_suffix(".bytes.onnx")
    onnx.save(model, path)
    return path, first.output[0], last.input[0]


def build_wasm(size: LayerSize, layer: LayerKernel, folder: Path) -> str:
    """Link the kernel, its constants and layers_node.c into one module; returns its file name."""
    code = compile_kernels([layer.kernel], "simd128")
    if isinstance(code, str):
        raise TypeError("WebAssembly kernels come as an object file")
    (folder / "kernel.o").write_bytes(code)
    scalars = ", ".join(str(value) for value in layer.scalars)
    values: dict[str, Any] = {"SCALARS": scalars, "SCALAR_TYPES": ", ".join(["int32_t"] * len(layer.scalars))}
    x_zp, _, y_zp, *_ = layer.scalars
    values |= {"X_ZP": x_zp, "Y_ZP": y_zp}
    values |= {"KERNEL": layer.kernel.symbol, "SCRATCH_BYTES": max(1, layer.kernel.scratch_bytes)}
    values |= {"IMAGE": size.image, "CIN": size.cin, "COUT": size.cout}
    values |= {"X_SCALE": f"{layer.x_scale.hex()}f", "Y_SCALE": f"{layer.y_scale.hex()}f"}
    lines = ["#include <stdint.h>", *(f"#define {k} {v}" for k, v in values.items())]
    lines.append(constant_arrays(layer.packed))
    (folder / "constants.h").write_text("\n".join(lines) + "\n")
    name = f"{layer.kernel.kind}-{size.name}.wasm"
    flags = ["-target", "wasm32-freestanding", "-mcpu=generic+simd128", "-O3", "-nostdlib", "-Wl,--no-entry"]
    sources = [f"-I{folder}", str(HERE / "layers_node.c"), "kernel.o", "-o", name]
    subprocess.run([sys.executable, "-m", "ziglang", "cc", *flags, *sources], cwd=folder, check=True)
    return name


def prepare(size: LayerSize, folder: Path) -> list[dict[str, Any]]:
    """Build both sides of one layer; returns what layers_node.mjs runs."""
    model = quantized_model(size, folder)
    layer = layer_kernel(size, model, "simd128")
    shape = {"x": [1, size.cin, size.image, size.image], "y": [1, size.cout, size.image, size.image]}
    common = {"wasm": build_wasm(size, layer, folder), "shape": shape, "yScale": layer.y_scale}
    inner, x, y = bytes_model(model)
    return [
        {**common, "name": f"{size}, float in and out", "model": model.name, "bytes": False, "x": "x", "y": "y"},
        {**common, "name": f"{size}, bytes in and out", "model": inner.name, "bytes": True, "x": x, "y": y},
    ]


def prepare_binary(size: LayerSize, folder: Path) -> list[dict[str, Any]]:
    """The binary layer of this size, which is compared with our own int8 layer."""
    layers = (binary_kernel(size, "simd128"), layer_kernel(size, quantized_model(size, folder), "simd128"))
    modules = [build_wasm(size, layer, folder) for layer in layers]
    return [{"name": f"{size}, binary beside int8", "wasm": modules[0], "own": modules[1]}]


def measure(sizes: list[LayerSize], cache: Path, seconds: float) -> list[dict[str, Any]]:
    """Both medians, in milliseconds, and the largest difference of the outputs in steps, per line."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        layers = [line for size in sizes for line in prepare(size, folder)]
        layers += [line for size in sizes if size.name == BINARY for line in prepare_binary(size, folder)]
        (folder / "layers.json").write_text(json.dumps(layers))
        script = str(HERE / "layers_node.mjs")
        command = ["node", script, str(folder), str(install_peer(cache)), str(seconds)]
        done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
        results: list[dict[str, Any]] = json.loads(done.stdout)
        return results


def row(result: dict[str, Any]) -> Row:
    """A line of the table."""
    if result["own"]:
        return Row(result["name"], result["ours"], result["peer"], "our int8", BINARY_LIMIT)
    return Row(result["name"], result["ours"], result["peer"], f"{PEER} {VERSION}", LIMIT)


def main() -> int:
    """Measure, print, and say by the exit code whether ours is at least level."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json", action="store_true", help="print a JSON list instead of the table")
    parser.add_argument("--layers", default="A,B,D", help="which of A, B, C, D, separated by commas")
    parser.add_argument("--seconds", type=float, default=5.0, help="time for the timed runs of one line")
    parser.add_argument("--cache", type=Path, default=Path.home() / ".cache/tinsmith-bench", help="where npm installs")
    arguments = parser.parse_args()
    for tool in ("node", "npm"):
        if not shutil.which(tool):
            parser.error(f"{tool} is not installed: apt-get install nodejs npm")
    results = measure([LAYERS[n] for n in arguments.layers.split(",")], arguments.cache, arguments.seconds)
    wrong = [r for r in results if r["difference"] > 1.01]
    for line in wrong:
        print(f"{line['name']}: outputs differ by {line['difference']:.2f} steps", file=sys.stderr)
    rows = [row(r) for r in results]
    slow = [r for r in results if r["own"] and LAYERS[BINARY].operations / (1e-3 * r["ours"]) < BINARY_RATE]
    for line in results:
        if line["own"]:
            rate = LAYERS[BINARY].operations / (1e6 * line["ours"])
            print(f"{line['name']}: {rate:.0f} G operations/s, at least {BINARY_RATE / 1e9:.0f}", file=sys.stderr)
    return report(rows, "milliseconds, median", as_json=arguments.json) or int(bool(wrong or slow))


if __name__ == "__main__":
    sys.exit(main())
