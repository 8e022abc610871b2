"""Instructions of one int8 layer on arm64, with and without dot product, beside the published counts of two peers.

    python tests/bench/layers_arm.py [--json] [--cycles]

Layer A is a 1x1 convolution of 14x14 pixels, 512 to 512 channels. The program runs under qemu-aarch64, whose plugin
armcount/kcount.c counts executed instructions exactly; the peers were counted by the same plugin from their aarch64
wheels (onnxruntime 1.32, ai-edge-litert 2.3, one thread, uint8/int8 QDQ models). Their figures are constants here,
because a foreign Python root is needed to count them again. --cycles adds llvm-mca's estimate for Neoverse N1.

Needs gcc, qemu-user (qemu-aarch64) and, for --cycles, llvm-19. Exit code 1 when ours is over 1.3 times the best peer.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
from pathlib import Path

from bench_report import Row, report
from peer_layers import LAYERS, LayerKernel, constant_arrays, layer_kernel, quantized_model
from tinsmith_backends.cpu.kernels.base import Isa
from tinsmith_backends.cpu.tvm_adapter import compile_kernels

HERE = Path(__file__).resolve().parent
CPU: dict[Isa, str] = {"neon": "cortex-a53", "neondot": "cortex-a76"}
TARGET: dict[Isa, str] = {"neon": "arm64", "neondot": "arm64-dotprod"}
PEERS: dict[Isa, dict[str, dict[str, float]]] = {
    "neon": {"A": {"onnxruntime": 13.8, "LiteRT": 19.0}},
    "neondot": {"A": {"onnxruntime": 5.70, "LiteRT": 4.18}},
}
"""Millions of instructions of a layer."""
LIMIT = 1.3
_START, _STOP = ".inst 0xd297ddff", ".inst 0xd29bd5bf"


def program_source(layer: LayerKernel) -> str:
    """A C program that calls the kernel twice and marks the second call."""
    s = layer.kernel.shape
    scalars = ", ".join(str(v) for v in layer.scalars)
    call = f"{layer.kernel.symbol}(x, weight, bias, multiplier, y, scratch, {scalars});"
    return f"""#include <stdint.h>
int32_t {layer.kernel.symbol}(const int8_t *, const int8_t *, const int32_t *, const int32_t *, int8_t *, int8_t *,
                              int32_t, int32_t, int32_t, int32_t, int32_t);
{constant_arrays(layer.packed)}
static int8_t x[{s.h * s.w * s.cin}], y[{s.ho * s.wo * s.cout}];
static _Alignas(16) int8_t scratch[{max(1, layer.kernel.scratch_bytes)}];
int main(void) {{
  for (unsigned i = 0; i < sizeof x; ++i) x[i] = (int8_t)(i * 2654435761u >> 24);
  {call}
  __asm__ volatile("{_START}" ::: "memory");
  {call}
  __asm__ volatile("{_STOP}" ::: "memory");
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
        raise TypeError(f"{isa} is not an instruction set of arm64")
    (folder / "kernel.o").write_bytes(code)
    (folder / "main.c").write_text(program_source(layer))
    zig = [sys.executable, "-m", "ziglang", "cc", "-target", "aarch64-linux-musl", "-static", "-O1"]
    subprocess.run([*zig, "main.c", "kernel.o", "-o", "program"], cwd=folder, check=True)
    dump = folder / "dump.txt"
    plugin_options = f"{plugin},region=1,top=80,out={dump}"
    subprocess.run(["qemu-aarch64", "-cpu", CPU[isa], "-plugin", plugin_options, "./program"], cwd=folder, check=True)
    return dump


def instructions(dump: Path) -> int:
    """Executed instructions in a dump of the plugin."""
    return int(dump.read_text().split(maxsplit=2)[1])


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
    return report(rows, "millions of executed instructions", as_json=arguments.json)


if __name__ == "__main__":
    sys.exit(main())
