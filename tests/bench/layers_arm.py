"""Instructions of an int8 and of a binary layer on arm64 and armv7, beside the published counts of peers.

    python tests/bench/layers_arm.py [--json] [--cycles]

Layer A is a 1x1 convolution of 14x14 pixels, 512 to 512 channels, with and without dot product. Layer D is a 3x3
convolution of 14x14 pixels, 256 to 256 channels, between packed bits. The program runs under qemu-aarch64, whose plugin
armcount/kcount.c counts executed instructions exactly; the peers were counted by the same plugin from their aarch64
wheels (onnxruntime 1.32, ai-edge-litert 2.3, one thread, uint8/int8 QDQ models; Larq Compute
Engine 0.16). Their figures are constants here,
because a foreign Python root is needed to count them again. --cycles adds llvm-mca's estimate for Neoverse N1.

No peer was counted on armv7: its layers stand beside our own on arm64.

Needs gcc, qemu-user (qemu-aarch64, qemu-arm) and, for --cycles, llvm-19. Exit code 1 when ours is over 1.3 times the
best peer.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
from pathlib import Path

from bench_report import Row, report
from peer_layers import LAYERS, LayerKernel, binary_kernel, constant_arrays, layer_kernel, quantized_model
from tinsmith_backends.cpu.kernels.base import Isa
from tinsmith_backends.cpu.tvm_adapter import compile_kernels

HERE = Path(__file__).resolve().parent
CPU: dict[Isa, str] = {"neon": "cortex-a53", "neondot": "cortex-a76", "neon32": "cortex-a8"}
TARGET: dict[Isa, str] = {"neon": "arm64", "neondot": "arm64-dotprod", "neon32": "armv7"}
PEERS: dict[Isa, dict[str, dict[str, float]]] = {
    "neon": {"A": {"onnxruntime": 13.8, "LiteRT": 19.0}},
    "neondot": {"A": {"onnxruntime": 5.70, "LiteRT": 4.18}},
}
"""Millions of instructions of a layer."""
LIMIT = 1.3
BINARY, BINARY_PEER, BINARY_COUNT = "D", "Larq", 3.41
"""The binary layer and its peer, in millions of instructions."""
BINARY_LIMIT = 2.8 / BINARY_COUNT
_MARKS: dict[Isa, tuple[str, str]] = {"neon32": (".inst 0xe320f061", ".inst 0xe320f062")}
_START, _STOP = ".inst 0xd297ddff", ".inst 0xd29bd5bf"
_ZIG: dict[Isa, list[str]] = {"neon32": ["-target", "arm-linux-musleabihf", "-mcpu=generic+v7a+vfp3d16"]}


def program_source(layer: LayerKernel) -> str:
    """A C program that calls the kernel twice and marks the second call."""
    s = layer.kernel.shape
    scalars = ", ".join(str(v) for v in layer.scalars)
    start, stop = _MARKS.get(layer.kernel.isa, (_START, _STOP))
    call = f"{layer.kernel.symbol}(x, weight, bias, multiplier, y, scratch, {scalars});"
    return f"""#include <stdint.h>
int32_t {layer.kernel.symbol}(const int8_t *, const int8_t *, const int32_t *, const int32_t *, int8_t *, int8_t *,
                              {", ".join(["int32_t"] * len(layer.scalars))});
{constant_arrays(layer.packed)}
static _Alignas(4) int8_t x[{s.h * s.w * s.cin}], y[{s.ho * s.wo * s.cout}];
static _Alignas(16) int8_t scratch[{max(1, layer.kernel.scratch_bytes)}];
int main(void) {{
  for (unsigned i = 0; i < sizeof x; ++i) x[i] = (int8_t)(i * 2654435761u >> 24);
  {call}
  __asm__ volatile("{start}" ::: "memory");
  {call}
  __asm__ volatile("{stop}" ::: "memory");
  return 0;
}}
"""


def build_counter(folder: Path) -> Path:
    """The qemu plugin that counts instructions between the two markers."""
    plugin = folder / "kcount.so"
    source = HERE / "armcount" / "kcount.c"
    subprocess.run(["gcc", "-O2", "-fPIC", "-shared", "-o", str(plugin), str(source)], check=True)
    return plugin


def count(layer: LayerKernel, isa: Isa, folder: Path, plugin: Path) -> Path:
    """Run the layer under qemu; returns the plugin's dump."""
    code = compile_kernels([layer.kernel], isa)
    if isinstance(code, str):
        raise TypeError(f"{isa} is not an instruction set of ARM")
    (folder / "kernel.o").write_bytes(code)
    (folder / "main.c").write_text(program_source(layer))
    target = _ZIG.get(isa, ["-target", "aarch64-linux-musl"])
    zig = [sys.executable, "-m", "ziglang", "cc", *target, "-static", "-O1"]
    subprocess.run([*zig, "main.c", "kernel.o", "-o", "program"], cwd=folder, check=True)
    dump = folder / "dump.txt"
    plugin_options = f"{plugin},region=1,top=80,out={dump}"
    qemu = "qemu-arm" if isa == "neon32" else "qemu-aarch64"
    subprocess.run([qemu, "-cpu", CPU[isa], "-plugin", plugin_options, "./program"], cwd=folder, check=True)
    return dump


def instructions(dump: Path) -> int:
    """Executed instructions in a dump of the plugin."""
    return int(dump.read_text().split(maxsplit=2)[1])


def binary_row(folder: Path, plugin: Path) -> Row:
    """The binary layer; instructions with dot product are of no use to it."""
    layer = binary_kernel(LAYERS[BINARY], "neon")
    ours = instructions(count(layer, "neon", folder, plugin)) / 1e6
    work = f"{TARGET['neon']}, {LAYERS[BINARY]}, {layer.kernel.name}"
    return Row(work, ours, BINARY_COUNT, BINARY_PEER, BINARY_LIMIT)


def armv7_rows(arm64: list[Row], folder: Path, plugin: Path) -> list[Row]:
    """Layers A and D on armv7 beside ours on arm64, which has twice the registers."""
    size = LAYERS["A"]
    layers = [
        (size, layer_kernel(size, quantized_model(size, folder), "neon32")),
        (LAYERS[BINARY], binary_kernel(LAYERS[BINARY], "neon32")),
    ]
    rows = []
    for (size, layer), other in zip(layers, arm64, strict=True):
        ours = instructions(count(layer, "neon32", folder, plugin)) / 1e6
        work = f"{TARGET['neon32']}, {size}, {layer.kernel.name}"
        rows.append(Row(work, ours, other.ours, "ours, arm64", float("inf")))
    return rows


def main() -> int:
    """Count, print, and say by the exit code whether the limit holds."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json", action="store_true", help="print a JSON list instead of the table")
    parser.add_argument("--cycles", action="store_true", help="also print llvm-mca's estimate for each run")
    arguments = parser.parse_args()
    rows = []
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        plugin = build_counter(folder)
        for isa, layers in PEERS.items():
            for layer_name, peers in layers.items():
                size = LAYERS[layer_name]
                layer = layer_kernel(size, quantized_model(size, folder), isa)
                dump = count(layer, isa, folder, plugin)
                work = f"{TARGET[isa]}, {size}, {layer.kernel.name}"
                best = min(peers.values())
                ours = instructions(dump) / 1e6
                # The limit holds against the best peer; the others stand in the table for comparison.
                rows += [Row(work, ours, v, k, LIMIT if v == best else float("inf")) for k, v in peers.items()]
                if arguments.cycles:
                    script = HERE / "armcount" / "armcost.py"
                    subprocess.run([sys.executable, str(script), str(dump)], check=True, stdout=sys.stderr)
        rows.append(binary_row(folder, plugin))
        rows += armv7_rows([rows[0], rows[-1]], folder, plugin)
    return report(rows, "millions of executed instructions", as_json=arguments.json)


if __name__ == "__main__":
    sys.exit(main())
