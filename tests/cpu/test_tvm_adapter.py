import re
import subprocess
import sys
from pathlib import Path

import pytest
from fake_kernels import Copy, DotProduct
from tinsmith.errors import TinsmithError
from tinsmith_backends.cpu.kernels.base import Conv16Shape, ConvShape, ElementShape
from tinsmith_backends.cpu.kernels.manifest import choose
from tinsmith_backends.cpu.tvm_adapter import compile_kernels

SHAPES = [
    # A grouped convolution that gathers long runs, a matrix product, a strided 1x1.
    ConvShape(6, 6, 320, 6, 6, 24, 3, 3, 1, 1, 1, 1, 1, 1, 2, True),
    ConvShape(1, 1, 64, 1, 1, 10, 1, 1, 1, 1, 0, 0, 1, 1, 1, False),
    ConvShape(8, 8, 96, 4, 4, 16, 1, 1, 2, 2, 0, 0, 1, 1, 1, False),
]
WIDE_SHAPES = [Conv16Shape(**vars(shape), x_bits=16) for shape in SHAPES]
ZIG = [sys.executable, "-m", "ziglang", "cc", "-nostdlib"]
WHOLE_LINK = {
    "avx2": [*ZIG, "-target", "x86_64-linux-gnu", "-shared", "-Wl,-z,defs"],
    "neon": [*ZIG, "-target", "aarch64-linux-gnu", "-shared", "-Wl,-z,defs"],
    "neondot": [*ZIG, "-target", "aarch64-linux-gnu", "-shared", "-Wl,-z,defs"],
    "simd128": [*ZIG, "-target", "wasm32-freestanding", "-Wl,--no-entry"],
}
"""Linkers' commands that refuse undefined symbols."""


def link(code: bytes, isa: str, folder: Path, *flags: str) -> subprocess.CompletedProcess[str]:
    (folder / "k.o").write_bytes(code)
    command = [*WHOLE_LINK[isa], *flags, "k.o", "-o", "whole"]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)


@pytest.mark.parametrize("isa", ["avx2", "neon", "neondot"])
def test_objects_need_no_library_and_stand_in_for_none(tmp_path, isa):
    code = compile_kernels([choose("conv", shape, isa) for shape in SHAPES], isa)
    done = link(code, isa, tmp_path)
    assert done.returncode == 0, done.stderr
    # Names of the compiler's own library: defined here, they would replace its functions in the user's program.
    assert not re.findall(rb"__[a-z]+[sd]f2|__[a-z]+[sd]i[34]|__aeabi_\w+|\0mem(?:cpy|set|move)\0", code)


@pytest.mark.parametrize("isa", ["avx2", "dsp"])
def test_plain_loops_for_rare_types_call_no_library(isa):
    """LLVM would make calls of memcpy and memset of the copies that gather windows."""
    code = compile_kernels([choose(kind, shape, isa) for kind in ("convsum", "conv16") for shape in WIDE_SHAPES], isa)
    assert not re.findall(rb"\0mem(?:cpy|set|move)\0", code)


def test_webassembly_needs_no_import_and_has_the_same_bytes_each_time(tmp_path):
    import wasmtime

    kernels = [choose("conv", shape, "simd128") for shape in SHAPES]
    code = compile_kernels(kernels, "simd128")
    assert code == compile_kernels([*reversed(kernels), kernels[0]], "simd128")
    done = link(code, "simd128", tmp_path, *(f"-Wl,--export={k.symbol}" for k in kernels))
    assert done.returncode == 0, done.stderr
    module = wasmtime.Module.from_file(wasmtime.Engine(), str(tmp_path / "whole"))
    assert not module.imports
    assert {k.symbol for k in kernels} <= {e.name for e in module.exports}


def test_an_object_names_what_it_lacks_and_no_place(tmp_path):
    code = compile_kernels([Copy(ElementShape(4096, 1, False, False), "neon")], "neon")
    done = link(code, "neon", tmp_path)
    assert done.returncode != 0
    assert "memcpy" in done.stderr
    for word in (sys.prefix, "/home", "/root", "/tmp", "site-packages"):  # nor a place on this machine
        assert word.encode() not in code


def test_a_death_of_the_code_generator_names_the_kernel():
    good, bad = Copy(ElementShape(8, 1, False, False), "neon"), DotProduct(ElementShape(16, 1, False, False), "neon")
    with pytest.raises(TinsmithError) as error:
        compile_kernels([good, bad], "neon")
    assert bad.symbol in str(error.value)
    assert good.symbol not in str(error.value)
    assert "neon" in error.value.problems[0].where


def test_c_text_has_the_declared_signature_and_nothing_of_tvm():
    text = compile_kernels([Copy(ElementShape(5, 1, False, False), "scalar")], "scalar")
    assert "(const int8_t *restrict x, int8_t *restrict y) {" in text
    assert "tvm" not in text.lower().replace("tinsmith", "")
