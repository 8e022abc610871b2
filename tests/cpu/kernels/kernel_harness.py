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
from importlib.resources import files
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from tinsmith_backends.cpu.kernels.base import Isa, Kernel, Packed
from tinsmith_backends.cpu.kernels.signatures import pointers
from tinsmith_backends.cpu.tvm_adapter import compile_kernels

_ZIG = [sys.executable, "-m", "ziglang", "cc"]
# A C library would first be compiled for each of these targets, which takes minutes: they do without one.
_BARE = [
    "-DBARE",
    "-nostdlib",
    "-ffreestanding",
    "-fno-sanitize=all",
    "-O1",
    f"-I{files('tinsmith_backends.cpu') / 'templates'}",
]
_BARE_LINUX = [*_BARE, "-static", "-Wno-unused-function"]
_EXPORTS = [f"-Wl,--export={name}" for name in ("run", "get_in", "get_out", "get_failure")]
_NATIVE = ["gcc", "-O1"]
_LINK: dict[str, list[str]] = {
    "avx2": _NATIVE,
    "scalar": _NATIVE,
    "neon": [*_ZIG, "-target", "aarch64-linux-none", *_BARE_LINUX],
    "neondot": [*_ZIG, "-target", "aarch64-linux-none", *_BARE_LINUX],
    "neon32": [*_ZIG, "-target", "arm-linux-musleabihf", "-mcpu=generic+v7a+vfp3d16", *_BARE_LINUX],
    "dsp": [*_ZIG, "-target", "arm-linux-none", "-mcpu=cortex_a7", *_BARE_LINUX],
    "simd128": [
        *_ZIG,
        "-target",
        "wasm32-freestanding",
        "-mcpu=generic+bulk_memory",
        "-Wl,--no-entry",
        *_EXPORTS,
        *_BARE,
    ],
}
_RUN: dict[str, list[str]] = {
    "avx2": [],
    "scalar": [],
    "neon": ["qemu-aarch64", "-cpu", "cortex-a53"],
    "neondot": ["qemu-aarch64", "-cpu", "cortex-a76"],
    "neon32": ["qemu-arm", "-cpu", "cortex-a8"],
    "dsp": ["qemu-arm", "-cpu", "max"],
}
_PRELUDE = """
#include <stddef.h>
#include <stdint.h>
#define NOINLINE __attribute__((noinline)) /* there are hundreds of calls */
static uint8_t in_data[IN_BYTES], out_data[OUT_BYTES];
static size_t in_at, out_at;
#ifdef EXACT_ALLOCATIONS /* the address sanitizer guards them */
enum { GUARD = 0 };
#else
enum { GUARD = 64 };
#endif
#ifdef BARE
_Alignas(16) static int8_t heap[HEAP_BYTES];
static size_t heap_at;
static int8_t *allocate(size_t n) { int8_t *p = heap + heap_at; heap_at += (n + 15u) / 16u * 16u; return p; }
static void release_all(void) { heap_at = 0; }
#else
#include <stdio.h>
#include <stdlib.h>
static int8_t *allocate(size_t n) { return GUARD ? aligned_alloc(16, (n + 15u) / 16u * 16u) : malloc(n); }
static void release_all(void) {}
#endif
#if !defined BARE
static void fail(const char *what) { puts(what); exit(3); }
#elif defined __wasm__
static const char *failure = "";
const char *get_failure(void) { return failure; }
uint8_t *get_in(void) { return in_data; }
uint8_t *get_out(void) { return out_data; }
static void fail(const char *what) { failure = what; __builtin_trap(); }
#else
#include "harness_linux.h"
static void fail(const char *what) {
  size_t n = 0;
  while (what[n]) ++n;
  write(2, what, n);
  _exit(3);
}
#endif
/* n bytes behind a guard; odd tensors start at an odd address, because kernels may assume no alignment of them. */
NOINLINE static int8_t *take(size_t n, int odd, int filled) {
  size_t front = GUARD + (odd ? 1u : 0u);
  int8_t *p = allocate(front + n + GUARD);
  if (!p || (uintptr_t)p % 16) fail("no memory");
  for (size_t i = 0; i < front + n + GUARD; ++i) p[i] = 0x5a;
  for (size_t i = 0; filled && i < n; ++i) p[front + i] = (int8_t)in_data[in_at++];
  return p + front;
}
NOINLINE static void check(const int8_t *p, size_t n, const char *what) {
  for (int i = 1; i <= GUARD; ++i)
    if (p[-i] != 0x5a || p[n + (size_t)i - 1] != 0x5a) fail(what);
}
NOINLINE static void put(const int8_t *p, size_t n) {
  for (size_t i = 0; i < n; ++i) out_data[out_at++] = (uint8_t)p[i];
}
"""
_MAIN = """
#if !defined BARE
int main(void) {
  FILE *in = fopen("in.bin", "rb"), *out = fopen("out.bin", "wb");
  if (!in || !out || fread(in_data, 1, IN_BYTES, in) != IN_BYTES) fail("in.bin cannot be read");
  run();
  return fwrite(out_data, 1, OUT_BYTES, out) != OUT_BYTES || fclose(out);
}
#elif !defined __wasm__
int main(int argc, char **argv) {
  (void)argc, (void)argv;
  for (size_t at = 0; at < IN_BYTES;) {
    long got = read(0, in_data + at, IN_BYTES - at);
    if (got <= 0) fail("the input ends early");
    at += (size_t)got;
  }
  run();
  for (size_t at = 0; at < OUT_BYTES;) {
    long put_now = write(1, out_data + at, OUT_BYTES - at);
    if (put_now <= 0) fail("the output cannot be written");
    at += (size_t)put_now;
  }
  return 0;
}
#endif
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
        _run_wasm(program, blob, sum(case.expected.size for case in cases), folder)
    else:
        # The program frees nothing; that is not what the address sanitizer is here for.
        environment = {**os.environ, "ASAN_OPTIONS": "detect_leaks=0"}
        command = [*_RUN[isa], str(program)]
        done = subprocess.run(command, cwd=folder, env=environment, input=blob, capture_output=True, check=False)
        assert done.returncode == 0, (done.stdout + done.stderr)[-3000:]
        if _RUN[isa]:
            (folder / "out.bin").write_bytes(done.stdout)
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
    text, calls = [_sizes(cases) + _PRELUDE], []
    declared = {}
    for number, case in enumerate(cases):
        types = pointers(case.kernel.kind, case.kernel.shape)
        parameters = [f"{types[name]}_t *{name}" for name in case.pointers] + ["int32_t"] * len(case.scalars)
        declared[case.kernel.symbol] = f"int32_t {case.kernel.symbol}({', '.join(parameters)});"
        body = []
        for name, data in case.pointers.items():
            filled = isinstance(data, bytes)
            size = len(data) if isinstance(data, bytes) else data
            source = case.in_place if name == "y" and case.in_place else ""
            odd = int(name in ("x", "a", "b", "y") and types[name] == "int8")
            body.append(f"  int8_t *{name} = {source or f'take({size}, {odd}, {int(filled)})'};")
        arguments = [f"(void *){name}" for name in case.pointers] + [str(s) for s in case.scalars]
        body.append(f"  {case.kernel.symbol}({', '.join(arguments)});")
        for name, data in case.pointers.items():
            if isinstance(data, int) and not (name == "y" and case.in_place):
                body.append(f'  check({name}, {data}, "case {number} wrote outside of {name}");')
        body.append(f"  put(y, {case.expected.size});\n  release_all();")
        text.append(f"static void case_{number}(void) {{\n" + "\n".join(body) + "\n}")
        calls.append(f"  case_{number}();")
    text[1:1] = list(declared.values())
    return "\n".join([*text, "void run(void);\nvoid run(void) {", *calls, "}", _MAIN])


def _sizes(cases: Sequence[Case]) -> str:
    """Bytes of all inputs, of all outputs, and of the tensors of the largest case with their guards."""
    sizes = [[len(data) if isinstance(data, bytes) else data for data in case.pointers.values()] for case in cases]
    inputs = sum(len(data) for case in cases for data in case.pointers.values() if isinstance(data, bytes))
    outputs = sum(case.expected.size for case in cases)
    heap = max(sum(size + 160 for size in case) for case in sizes)
    return f"enum {{ IN_BYTES = {inputs}, OUT_BYTES = {outputs}, HEAP_BYTES = {heap} }};"


def _run_wasm(program: Path, blob: bytes, outputs: int, folder: Path) -> None:
    import wasmtime

    engine = wasmtime.Engine()
    store = wasmtime.Store(engine)
    instance = wasmtime.Instance(store, wasmtime.Module.from_file(engine, str(program)), [])
    exports: Any = instance.exports(store)
    memory = exports["memory"]
    memory.write(store, blob, exports["get_in"](store))
    try:
        exports["run"](store)
    except wasmtime.Trap as trap:
        at = exports["get_failure"](store)
        message = bytes(memory.read(store, at, at + 80)).split(b"\0")[0].decode()
        raise AssertionError(message or str(trap)) from trap
    at = exports["get_out"](store)
    (folder / "out.bin").write_bytes(bytes(memory.read(store, at, at + outputs)))
