"""Runs kernels as the compiler emits them, on every instruction set, and brings back the bytes that they wrote.

One program holds all cases of a call: a generated C file that calls each kernel, linked with the compiled kernels and
run natively, under qemu or in wasmtime. It stops at a write outside of the output or the scratch.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
from tinsmith_backends.cpu.kernels.base import Isa, Kernel, Packed
from tinsmith_backends.cpu.tvm_adapter import compile_kernels

ZIG = [sys.executable, "-m", "ziglang", "cc"]
_NATIVE = ["gcc", "-O1"]
_LINK: dict[str, list[str]] = {
    "avx2": _NATIVE,
    "scalar": _NATIVE,
    "neon": [*ZIG, "-target", "aarch64-linux-musl", "-static", "-O1"],
    "neondot": [*ZIG, "-target", "aarch64-linux-musl", "-static", "-O1"],
    "dsp": [*ZIG, "-target", "arm-linux-musleabi", "-mcpu=cortex_a7", "-static", "-O1"],
    "simd128": [*ZIG, "-target", "wasm32-wasi", "-O1"],
}
_RUN: dict[str, list[str]] = {
    "avx2": [],
    "scalar": [],
    "neon": ["qemu-aarch64", "-cpu", "cortex-a53"],
    "neondot": ["qemu-aarch64", "-cpu", "cortex-a76"],
    "dsp": ["qemu-arm", "-cpu", "max"],
}
_PRELUDE = """
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
static FILE *in, *out;
#ifdef EXACT_ALLOCATIONS /* the address sanitizer guards them */
enum { GUARD = 0 };
#else
enum { GUARD = 64 };
#endif
/* n bytes behind a guard; odd tensors start at an odd address, because kernels may assume no alignment of them. */
static int8_t *take(size_t n, int odd, int filled) {
  size_t front = GUARD + (odd ? 1u : 0u);
  int8_t *p = GUARD ? aligned_alloc(16, (front + n + GUARD + 15u) / 16u * 16u) : malloc(front + n);
  if (!p || (uintptr_t)p % 16) abort();
  memset(p, 0x5a, front + n + GUARD);
  if (filled && fread(p + front, 1, n, in) != n) abort();
  return p + front;
}
static void check(const int8_t *p, size_t n, int number, const char *what) {
  for (int i = 1; i <= GUARD; ++i)
    if (p[-i] != 0x5a || p[n + (size_t)i - 1] != 0x5a) {
      printf("case %d wrote outside of %s\\n", number, what);
      exit(3);
    }
}
"""


@dataclass(frozen=True)
class Case:
    """One call of one kernel.

    `pointers` holds, in the order of the C signature, the input bytes, or a size for "y" and "scratch". With
    `in_place`, y takes the storage of the input of that name.
    """

    kernel: Kernel
    pointers: dict[str, bytes | int]
    scalars: tuple[int, ...]
    expected: npt.NDArray[np.int8]
    in_place: str = ""
    note: str = field(default="", compare=False)


def weighted_case(
    kernel: Kernel, x: npt.NDArray[np.int8], packed: Packed, scalars: Sequence[int], expected: npt.NDArray[np.int8]
) -> Case:
    """A convolution, depthwise convolution or matrix product. With in-place kernels, see `Case.in_place`."""
    pointers: dict[str, bytes | int] = {
        "x": x.tobytes(),
        "w": packed.weight,
        "bias": packed.bias,
        "multiplier": packed.multiplier,
        "y": expected.size,
        "scratch": kernel.scratch_bytes,
    }
    return Case(kernel, pointers, tuple(int(s) for s in scalars), expected)


def run_cases(
    cases: Sequence[Case], isa: Isa, folder: Path, compiler: Sequence[str] = ()
) -> list[npt.NDArray[np.int8]]:
    """The bytes that each kernel wrote, in the shape of `Case.expected`. Skips the test where a tool is missing.

    `compiler` replaces the C compiler and its flags (isa "scalar").
    """
    _need(isa)
    program = _build(cases, isa, folder, compiler)
    blob = b"".join(data for case in cases for data in case.pointers.values() if isinstance(data, bytes))
    (folder / "in.bin").write_bytes(blob)
    if isa == "simd128":
        _run_wasm(program, folder)
    else:
        # The program frees nothing; that is not what the address sanitizer is here for.
        environment = {**os.environ, "ASAN_OPTIONS": "detect_leaks=0"}
        command = [*_RUN[isa], str(program)]
        done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)
        assert done.returncode == 0, (done.stdout + done.stderr)[-3000:]
    got = np.fromfile(folder / "out.bin", np.int8)
    assert got.size == sum(case.expected.size for case in cases)
    ends = np.cumsum([case.expected.size for case in cases])[:-1]
    return [part.reshape(case.expected.shape) for part, case in zip(np.split(got, ends), cases, strict=True)]


def assert_exact(
    cases: Sequence[Case], isa: Isa, folder: Path, compiler: Sequence[str] = (), spoiled: Sequence[Case] = ()
) -> None:
    """Every case gives exactly the expected bytes, and none of the `spoiled` does, which shows that errors are seen."""
    outputs = run_cases([*cases, *spoiled], isa, folder, compiler)
    wrong = []
    for case, got in zip(cases, outputs, strict=False):
        if (got != case.expected).any():
            at = tuple(int(i) for i in np.argwhere(got != case.expected)[0])
            count = int((got != case.expected).sum())
            wrong.append(
                f"{case.kernel.symbol} {case.note}: {count} of {got.size} differ, first at {at}: "
                f"expected {case.expected[at]}, got {got[at]}"
            )
    assert not wrong, "\n".join(wrong)
    unnoticed = [
        f"{case.kernel.symbol} {case.note}"
        for case, got in zip(spoiled, outputs[len(cases) :], strict=True)
        if (got == case.expected).all()
    ]
    assert not unnoticed, f"flipped bits made no difference: {unnoticed}"


def flipped(case: Case, names: Sequence[str], mask: int = 0x40) -> list[Case]:
    """The case once for each name, with the bits of `mask` flipped in every byte of that input."""
    pairs = [(name, case.pointers[name]) for name in names]
    return [
        replace(case, pointers={**case.pointers, name: bytes(b ^ mask for b in data)}, note=f"{name} flipped")
        for name, data in pairs
        if isinstance(data, bytes)
    ]


@cache
def _compiled(kernels: tuple[Kernel, ...], isa: Isa) -> bytes | str:
    """Importing TVM is the slow part, so a test that runs the same kernels with two C compilers does it once."""
    return compile_kernels(kernels, isa)


def _need(isa: Isa) -> None:
    runner = _RUN.get(isa, [])
    if runner and not shutil.which(runner[0]):
        pytest.skip(f"{runner[0]} is not installed")


def _build(cases: Sequence[Case], isa: Isa, folder: Path, compiler: Sequence[str]) -> Path:
    code = _compiled(tuple(case.kernel for case in cases), isa)
    kernels = folder / ("kernels.c" if isinstance(code, str) else "kernels.o")
    kernels.write_bytes(code.encode() if isinstance(code, str) else code)
    main = folder / "main.c"
    main.write_text(_main(cases))
    program = folder / ("cases.wasm" if isa == "simd128" else "cases")
    command = [*(compiler or _LINK[isa]), "-std=c11", str(main), str(kernels), "-o", str(program)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-3000:]
    return program


def _main(cases: Sequence[Case]) -> str:
    text, calls = [_PRELUDE], []
    types = {"bias": "int32_t", "multiplier": "int32_t"}
    declared = {}
    for number, case in enumerate(cases):
        parameters = [f"{types.get(n, 'int8_t')} *{n}" for n in case.pointers] + ["int32_t"] * len(case.scalars)
        declared[case.kernel.symbol] = f"int32_t {case.kernel.symbol}({', '.join(parameters)});"
        body = []
        for name, data in case.pointers.items():
            filled = isinstance(data, bytes)
            size = len(data) if isinstance(data, bytes) else data
            source = case.in_place if name == "y" and case.in_place else ""
            odd = int(name in ("x", "a", "b", "y"))
            body.append(f"  int8_t *{name} = {source or f'take({size}, {odd}, {int(filled)})'};")
        arguments = [f"(void *){name}" for name in case.pointers] + [str(s) for s in case.scalars]
        body.append(f"  {case.kernel.symbol}({', '.join(arguments)});")
        for name, data in case.pointers.items():
            if isinstance(data, int) and not (name == "y" and case.in_place):
                body.append(f'  check({name}, {data}, {number}, "{name}");')
        body.append(f"  fwrite(y, 1, {case.expected.size}, out);")
        text.append(f"static void case_{number}(void) {{\n" + "\n".join(body) + "\n}")
        calls.append(f"  case_{number}();")
    text[1:1] = list(declared.values())
    text.append('int main(void) {\n  in = fopen("in.bin", "rb"); out = fopen("out.bin", "wb");')
    return "\n".join([*text, "  if (!in || !out) abort();", *calls, "  return fclose(out);\n}", ""])


def _run_wasm(program: Path, folder: Path) -> None:
    import wasmtime

    engine = wasmtime.Engine()
    linker = wasmtime.Linker(engine)
    linker.define_wasi()
    store = wasmtime.Store(engine)
    wasi = wasmtime.WasiConfig()
    wasi.preopen_dir(str(folder), "/")
    wasi.stdout_file = str(folder / "stdout.txt")
    store.set_wasi(wasi)
    instance = linker.instantiate(store, wasmtime.Module.from_file(engine, str(program)))
    try:
        instance.exports(store)["_start"](store)  # type: ignore[operator]
    except wasmtime.ExitTrap as trap:
        assert trap.code == 0, (folder / "stdout.txt").read_text()
