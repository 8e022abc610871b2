"""Layer A with weights of ±2**S beside our own int8 kernel for the same layer, on every instruction set.

    python tests/bench/layers_shift.py [--json] [--bits 3] [--targets arm64,arm64-dotprod,armv7,…]

Layer A is a 1x1 convolution of 14x14 pixels, 512 to 512 channels. ARM and Cortex-M are counted in qemu by the plugins
of armcount/, and so is the C text of the target `c`, as gcc compiles it for a Cortex-M4; x86-64 and wasm (in node) are
timed, both kernels in turn in one process, the fastest of 300 turns each.
A second table has the bytes of the packed weights beside `bits` / 8 a weight, and a third, with `cortex-m` among the
targets, two ways to multiply a pixel by 512 packed weights on a Cortex-M4: shifts and additions, and SMLAD with pairs
of weights from a table (shift_adds.c).

Needs gcc, qemu-user, qemu-system-arm, arm-none-eabi-gcc and node for their targets. Exit code 1 when a ratio is over
its limit.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

import cortex_m
import layers_arm
import numpy as np
from bench_report import Row, report
from peer_layers import LAYERS, LayerKernel, constant_arrays
from tinsmith_backends.cpu.kernels.base import ConvShape, Isa, ShiftConvShape, WeightedKernel
from tinsmith_backends.cpu.kernels.manifest import choose
from tinsmith_backends.cpu.tvm_adapter import compile_kernels

HERE = Path(__file__).resolve().parent
SIZE = LAYERS["A"]
TURNS = 300
OTHERS = ("arm64-dotprod", "armv7", "cortex-m", "x86-64", "wasm", "c")
LIMITS = {"arm64": 0.8, **dict.fromkeys(OTHERS, 1.15)}
"""Largest ratio of 3 bits to int8."""
LIMIT_OF_BYTES = 1.05
ISAS: dict[str, Isa] = {
    "arm64": "neon",
    "arm64-dotprod": "neondot",
    "armv7": "neon32",
    "cortex-m": "dsp",
    "x86-64": "avx2",
    "wasm": "simd128",
    "c": "scalar",
}
_POINTERS = "const int8_t *, const int8_t *, const int32_t *, const int32_t *, int8_t *, int8_t *"


def layer(isa: Isa, bits: int) -> LayerKernel:
    """Layer A with random weights: of ±2**S in `bits` bits, or int8 where `bits` is 0."""
    rng = np.random.default_rng(1)
    n, size = SIZE.image, (SIZE.cout, 1, 1, SIZE.cin)
    geometry = (n, n, SIZE.cin, n, n, SIZE.cout, 1, 1, 1, 1, 0, 0, 1, 1, 1, False)
    if bits:
        kernel = choose("shiftconv", ShiftConvShape(*geometry, bits=bits), isa)
        weight = rng.choice([-1, 1], size) << rng.integers(0, 1 << (bits - 1), size)
    else:
        kernel = choose("conv", ConvShape(*geometry), isa)
        weight = rng.integers(-127, 128, size).astype(np.int8)
    if not isinstance(kernel, WeightedKernel):
        raise TypeError(f"{kernel.name} takes no weights")
    bias, multiplier = np.zeros(SIZE.cout, np.int32), np.full(SIZE.cout, 700, np.int32)
    return LayerKernel(kernel, kernel.pack(weight, bias, multiplier, -128), (-128, 20, -128, -128, 127), 1.0, 1.0)


def counted_on_arm(isa: Isa, layers: list[LayerKernel], folder: Path) -> list[float]:
    """Millions of executed instructions each."""
    plugin = layers_arm.build_counter(folder)
    return [layers_arm.instructions(layers_arm.count(one, isa, folder, plugin)) / 1e6 for one in layers]


def counted_on_cortex_m(isa: Isa, layers: list[LayerKernel], folder: Path) -> list[float]:
    """Millions of executed instructions each."""
    found = []
    for one in layers:
        code = compile_kernels([one.kernel], isa)
        kernel = folder / ("kernel.o" if isinstance(code, bytes) else "kernel.c")
        kernel.write_bytes(code if isinstance(code, bytes) else code.encode())
        begin, end = ('__asm__ volatile(".inst.w ' + mark + '" ::: "memory");' for mark in ("0xf3af8061", "0xf3af8062"))
        main = f"int main(void) {{ fill(); {begin} layer0(); {end} return 0; }}\n"
        (folder / "main.c").write_text(program([one]) + main)
        found += [count / 1e6 for count in thumb_counts([folder / "main.c", kernel], folder)]
    return found


def thumb_counts(sources: list[Path], folder: Path) -> list[int]:
    """Executed instructions between each pair of marks of a bare-metal program."""
    plugin, elf, dump = folder / "kcount_thumb.so", folder / "counted.elf", folder / "counts.txt"
    cortex_m.run(["gcc", "-O2", "-fPIC", "-shared", "-o", plugin, HERE / "armcount" / "kcount_thumb.c"])
    flags = ["-mcpu=cortex-m4", "-mthumb", "-mfloat-abi=soft", "-O3", "-std=gnu11", "--specs=rdimon.specs"]
    linked = ["-nostartfiles", "-T", cortex_m.BARE_METAL / "mps2.ld", "-Wl,--no-warn-rwx-segments"]
    cortex_m.run(["arm-none-eabi-gcc", *flags, *sources, cortex_m.BARE_METAL / "startup.c", *linked, "-o", elf])
    machine = ["-M", "mps2-an386", "-nographic", "-monitor", "none", "-serial", "none"]
    semihosting = ["-semihosting-config", "enable=on,target=native"]
    cortex_m.run(["qemu-system-arm", *machine, *semihosting, "-plugin", f"{plugin},out={dump}", "-kernel", elf])
    return [int(line.split()[3]) for line in dump.read_text().splitlines() if line.startswith("region")]


def program(layers: list[LayerKernel]) -> str:
    """C functions `layer0`, `layer1`, ... that run the layers, and `fill` for their input."""
    shape, scratch = layers[0].kernel.shape, max(max(1, one.kernel.scratch_bytes) for one in layers)
    parts = ["#include <stdint.h>"]
    for number, one in enumerate(layers):
        arrays = constant_arrays(one.packed)
        for name in ("weight", "bias", "multiplier"):
            arrays = arrays.replace(f" {name}[]", f" {name}{number}[]")
        parts += [f"int32_t {one.kernel.symbol}({', '.join([_POINTERS, *['int32_t'] * len(one.scalars)])});", arrays]
    parts.append(
        f"static _Alignas(4) int8_t x[{shape.h * shape.w * shape.cin}], y[{shape.ho * shape.wo * shape.cout}];"
    )
    parts.append(f"static _Alignas(64) int8_t scratch[{scratch}];")
    parts.append("void fill(void) { for (unsigned i = 0; i < sizeof x; ++i) x[i] = (int8_t)(i * 2654435761u >> 24); }")
    for number, one in enumerate(layers):
        constants = ", ".join(f"{name}{number}" for name in ("weight", "bias", "multiplier"))
        scalars = ", ".join(str(v) for v in one.scalars)
        call = f"{one.kernel.symbol}(x, {constants}, y, scratch, {scalars});"
        parts.append(f"void layer{number}(void) {{ {call} }}")
    return "\n".join(parts) + "\n"


_NATIVE_MAIN = """
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
static int order(const void *a, const void *b) {{ double d = *(double *)a - *(double *)b; return (d > 0) - (d < 0); }}
static double now(void) {{
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return t.tv_sec * 1e3 + t.tv_nsec * 1e-6;
}}
int main(void) {{
  static double times[2][{turns}];
  void (*const run[])(void) = {{layer0, layer1}};
  fill();
  for (int i = 0; i < {turns} + 20; ++i)
    for (int k = 0; k < 2; ++k) {{
      double start = now();
      run[k]();
      if (i >= 20) times[k][i - 20] = now() - start;
    }}
  for (int k = 0; k < 2; ++k) {{
    qsort(times[k], {turns}, sizeof(double), order);
    printf("%.6f\\n", times[k][0]);
  }}
}}
"""
_NODE_MAIN = """
import {{ readFileSync }} from 'node:fs';
const net = (await WebAssembly.instantiate(readFileSync(process.argv[2]))).instance.exports;
const run = [net.layer0, net.layer1], times = [[], []];
net.fill();
for (let i = 0; i < {turns} + 20; i++) {{
  if (i === 10) await new Promise((resolve) => setTimeout(resolve, 500)); // lets the optimizing compiler finish
  for (const k of [0, 1]) {{
    const start = performance.now();
    run[k]();
    if (i >= 20) times[k].push(performance.now() - start);
  }}
}}
for (const list of times) console.log(list.sort((a, b) => a - b)[0]);
"""


def timed(isa: Isa, layers: list[LayerKernel], folder: Path) -> list[float]:
    """Milliseconds of the fastest turn each, both in turn."""
    code = compile_kernels([one.kernel for one in layers], isa)
    (folder / "kernels.o").write_bytes(code if isinstance(code, bytes) else code.encode())
    native = isa == "avx2"
    main = _NATIVE_MAIN.format(turns=TURNS) if native else ""
    (folder / "main.c").write_text(program(layers) + main)
    if native:
        build, start = ["gcc", "-O2", "main.c", "kernels.o", "-o", "program"], ["./program"]
    else:
        exports = [f"-Wl,--export={name}" for name in ("fill", "layer0", "layer1")]
        flags = ["-target", "wasm32-freestanding", "-mcpu=generic+simd128", "-O2", "-nostdlib", "-Wl,--no-entry"]
        zig = [sys.executable, "-m", "ziglang", "cc"]
        build = [*zig, *flags, *exports, "main.c", "kernels.o", "-o", "program.wasm"]
        (folder / "main.mjs").write_text(_NODE_MAIN.format(turns=TURNS))
        start = ["node", "main.mjs", "program.wasm"]
    subprocess.run(build, cwd=folder, check=True)
    done = subprocess.run(start, cwd=folder, check=True, stdout=subprocess.PIPE, text=True)
    return [float(line) for line in done.stdout.split()]


MEASURES: dict[str, Callable[[Isa, list[LayerKernel], Path], list[float]]] = {
    "arm64": counted_on_arm,
    "arm64-dotprod": counted_on_arm,
    "armv7": counted_on_arm,
    "cortex-m": counted_on_cortex_m,
    "x86-64": timed,
    "wasm": timed,
    "c": counted_on_cortex_m,
}


def main() -> int:
    """Measure, print, and say by the exit code whether the limits hold."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json", action="store_true", help="print JSON lists instead of tables")
    parser.add_argument("--bits", type=int, choices=(2, 3, 4), default=3, help="width of a weight")
    parser.add_argument("--targets", default=",".join(LIMITS), help="which of them, separated by commas")
    arguments = parser.parse_args()
    targets, bits = arguments.targets.split(","), arguments.bits
    counted, sizes, wrong = [], [], 0
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for target in targets:
            layers = [layer(ISAS[target], bits), layer(ISAS[target], 0)]
            ours, int8 = MEASURES[target](ISAS[target], layers, folder)
            unit = "milliseconds" if MEASURES[target] is timed else "million instructions"
            work = f"{target}, A, {bits} bits, {layers[0].kernel.name}, {unit}"
            counted.append(Row(work, ours, int8, "our int8", LIMITS[target] if bits == 3 else float("inf")))
            ideal = SIZE.cin * SIZE.cout * bits / 8000
            sizes.append(
                Row(f"{target}, A, {bits} bits", len(layers[0].packed.weight) / 1000, ideal, "ideal", LIMIT_OF_BYTES)
            )
        wrong |= report(counted, "what each row says", as_json=arguments.json)
        wrong |= report(sizes, "kB of weights", as_json=arguments.json)
        if "cortex-m" in targets:
            adds, pairs = thumb_counts([HERE / "shift_adds.c"], folder)
            row = Row("a pixel by 512 weights, Cortex-M4: SMLAD with pairs", pairs, adds, "shifts and additions", 1.0)
            wrong |= report([row], "instructions", as_json=arguments.json)
    return wrong


if __name__ == "__main__":
    sys.exit(main())
