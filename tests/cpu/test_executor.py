"""The C artefact in the hands of its user: other compilers, sanitizers, C++, CMake, two networks in one program."""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from cpu_nets import Built, build, everything
from exact_models import Net
from tinsmith_backends.cpu.constants import constants
from tinsmith_backends.cpu.executor import Names, comment, float_literal, render_sources, table_rows
from tinsmith_backends.cpu.lower import lower
from tinsmith_backends.cpu.memory import plan

STRICT = ["-std=c11", "-Wall", "-Wextra", "-Wpedantic", "-Werror", "-O1", "-g"]
SANITIZERS = ["-fsanitize=address,undefined", "-fno-sanitize-recover=all"]
BARE_METAL = Path(__file__).parent / "bare_metal" / "run.sh"


def need(*programs: str) -> None:
    missing = [name for name in programs if shutil.which(name) is None]
    if missing:
        pytest.skip(f"{', '.join(missing)} not installed")


def run(*command: str | Path) -> str:
    """Standard output of a command that must succeed."""
    done = subprocess.run([str(word) for word in command], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def sources(folder: Path, name: str = "everything") -> list[Path]:
    return [folder / f"{name}{part}.c" for part in ("", "_weights", "_kernels")]


@pytest.mark.parametrize("compiler", ["gcc", "clang"])
def test_strict_and_sanitized(built: Callable[[str], Built], compiler: str, tmp_path: Path) -> None:
    need(compiler)
    one = built("c")
    program = tmp_path / "test"
    files = [*sources(one.folder), one.folder / "everything_test.c"]
    run(compiler, *STRICT, *SANITIZERS, *files, "-o", program)
    assert run(program) == "4 samples, 0 outputs differ\n"


def test_the_self_test_finds_a_wrong_constant(built: Callable[[str], Built], tmp_path: Path) -> None:
    need("gcc")
    one = built("c")
    copy = shutil.copytree(one.folder, tmp_path / "copy")
    weights = copy / "everything_weights.c"
    text = weights.read_text()
    place = re.search(r"matmul_\d+_bias = \{\s+(-?\d+)", text)
    assert place is not None
    weights.write_text(text[: place.start(1)] + str(int(place[1]) ^ 2**24) + text[place.end(1) :])
    run("gcc", "-std=c11", *sources(copy), copy / "everything_test.c", "-o", tmp_path / "test")
    done = subprocess.run([tmp_path / "test"], capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "differs" in done.stdout


def test_nothing_from_outside_is_needed(built: Callable[[str], Built], tmp_path: Path) -> None:
    """No malloc, no libm, no stdio: at most the two functions that a compiler itself may call."""
    need("gcc", "nm")
    one = built("c")
    run("gcc", "-std=c11", "-O2", "-r", "-nostdlib", *sources(one.folder), "-o", tmp_path / "all.o")
    undefined = {line.split()[-1] for line in run("nm", "-u", tmp_path / "all.o").splitlines()}
    assert undefined <= {"memcpy", "memset"}
    symbols = [line.split() for line in run("nm", "--defined-only", "-g", tmp_path / "all.o").splitlines()]
    assert symbols
    assert all(name.startswith("everything_") for _, _, name in symbols)
    assert {kind for _, kind, _ in symbols} <= {"T", "R"}, "only code and constants: nothing to keep between calls"


def test_inputs_and_outputs_may_stand_in_the_arena(built: Callable[[str], Built], tmp_path: Path) -> None:
    need("gcc")
    one = built("c")
    text = (one.folder / "everything_test.c").read_text()
    text = re.sub(
        r"static int8_t (\w+)\[EVERYTHING_(\w+)_COUNT\];",
        r"#define \1 ((int8_t *)arena + EVERYTHING_\2_ARENA_OFFSET)",
        text,
    )
    text = re.sub(r"sizeof (dequantize_\w+)", lambda m: f"EVERYTHING_{m[1].upper()}_COUNT", text)
    calls = []
    for port in ("x", "a"):
        place = f"arena + EVERYTHING_{port.upper()}_ARENA_OFFSET"
        calls.append(f"memcpy({place}, test_{port}[sample], EVERYTHING_{port.upper()}_COUNT);")
        text = text.replace(f"run(arena, test_{port}[sample]", f"run(arena, (int8_t *){place}").replace(
            f", test_{port}[sample], ", f", (int8_t *){place}, "
        )
    text = text.replace("        everything_run(", "        " + "\n        ".join(calls) + "\n        everything_run(")
    assert text.count("_ARENA_OFFSET") >= 6
    (tmp_path / "main.c").write_text(text)
    run("gcc", *STRICT, *SANITIZERS, f"-I{one.folder}", tmp_path / "main.c", *sources(one.folder), "-o", tmp_path / "t")
    assert run(tmp_path / "t") == "4 samples, 0 outputs differ\n"


def test_an_arena_that_is_too_small_does_not_compile(built: Callable[[str], Built], tmp_path: Path) -> None:
    need("gcc")
    copy = shutil.copytree(built("c").folder, tmp_path / "copy")
    header = copy / "everything.h"
    header.write_text(re.sub(r"(ARENA_BYTES) (\d+)", lambda m: f"{m[1]} {int(m[2]) - 1}", header.read_text()))
    done = subprocess.run(["gcc", "-c", copy / "everything.c", "-o", tmp_path / "x.o"], capture_output=True, text=True)
    assert done.returncode != 0
    assert "smaller than the memory plan needs" in done.stderr


def test_fast_math_is_refused(built: Callable[[str], Built], tmp_path: Path) -> None:
    need("gcc")
    command = ["gcc", "-ffast-math", "-c", built("c").folder / "everything.c", "-o", tmp_path / "x.o"]
    done = subprocess.run(command, capture_output=True, text=True)
    assert "compile without -ffast-math" in done.stderr


def test_two_networks_with_equal_layers_in_one_cpp_program(tmp_path: Path) -> None:
    need("gcc", "g++")
    objects, calls, includes = [], [], []
    for name in ("first", "class"):
        net = Net(4, name)
        net.dequantize(net.conv(net.quantize(net.input("int", (1, 3, 6, 6))), 4))
        folder = tmp_path / name
        build(net, "c", folder)
        word = "n_class" if name == "class" else name
        for file in sources(folder, word):
            objects.append(tmp_path / f"{file.stem}.o")
            run("gcc", *STRICT, f"-I{folder}", "-c", file, "-o", objects[-1])
        includes += [f"-I{folder}"]
        upper = word.upper()
        calls.append(f"alignas(16) static uint8_t {word}_arena[{upper}_ARENA_BYTES];")
        calls.append(
            f"static int8_t {word}_x[{upper}_N_INT_COUNT] = {{1, 2, 3}}, {word}_y[{upper}_DEQUANTIZE_2_OUT_COUNT];"
        )
    main = '#include "first.h"\n#include "n_class.h"\n#include <cstring>\n' + "\n".join(calls) + "\nint main() {\n"
    main += "first_run(first_arena, first_x, first_y); n_class_run(n_class_arena, n_class_x, n_class_y);\n"
    main += "return std::memcmp(first_y, n_class_y, sizeof first_y); }\n"
    (tmp_path / "main.cpp").write_text(main)
    run(
        "g++",
        "-std=c++17",
        "-Wall",
        "-Wextra",
        "-Werror",
        *includes,
        tmp_path / "main.cpp",
        *objects,
        "-o",
        tmp_path / "t",
    )
    run(tmp_path / "t")


@pytest.mark.parametrize(
    ("target", "option"),
    [
        ("x86-64", ""),
        pytest.param("c", "", marks=pytest.mark.slow),
        pytest.param("cortex-m", "-DEVERYTHING_PORTABLE=ON", marks=pytest.mark.slow),
    ],
)
def test_cmake_project(built: Callable[[str], Built], target: str, option: str, tmp_path: Path) -> None:
    """The artefact inside a foreign project, which links it and runs its self-test."""
    need("cmake", "ctest", "gcc")
    one = built(target)
    project = tmp_path / "app"
    project.mkdir()
    shutil.copytree(one.folder, project / "net")
    (project / "CMakeLists.txt").write_text(
        "cmake_minimum_required(VERSION 3.13)\nproject(app C)\nenable_testing()\nadd_subdirectory(net)\n"
        "add_executable(app app.c)\ntarget_link_libraries(app everything)\n"
    )
    (project / "app.c").write_text(
        '#include "everything.h"\n#include <stdio.h>\n'
        'int main(void) { printf("%d\\n", EVERYTHING_ARENA_BYTES); return 0; }\n'
    )
    run("cmake", "-S", project, "-B", tmp_path / "b", *([option] if option else []))
    run("cmake", "--build", tmp_path / "b")
    printed = int(run(tmp_path / "b" / "app"))
    assert printed == built("c" if option else target).build.arena_bytes
    listing = subprocess.run(["ctest", "--output-on-failure"], cwd=tmp_path / "b", capture_output=True, text=True)
    assert listing.returncode == 0, listing.stdout
    assert "1 tests passed" in listing.stdout or "100% tests passed, 0 tests failed out of 1" in listing.stdout


def test_cortex_m_carries_the_portable_c(built: Callable[[str], Built]) -> None:
    """The same text as the target `c`, but for the target's name in the comments."""
    ours, theirs = built("cortex-m").folder / "portable", built("c").folder
    names = sorted(path.name for path in ours.iterdir())
    assert len(names) == 6
    for name in names:
        assert (ours / name).read_text() == (theirs / name).read_text()


def test_bare_metal(built: Callable[[str], Built], tmp_path: Path) -> None:
    """The object file on an emulated Cortex-M4 board, without an operating system."""
    need("arm-none-eabi-gcc", "qemu-system-arm")
    assert run(BARE_METAL, built("cortex-m").folder, "everything", tmp_path) == "4 samples, 0 outputs differ\n"


def test_bare_metal_finds_a_wrong_constant(built: Callable[[str], Built], tmp_path: Path) -> None:
    need("arm-none-eabi-gcc", "qemu-system-arm")
    copy = shutil.copytree(built("cortex-m").folder, tmp_path / "copy")
    header = copy / "everything_test_vectors.h"
    text = header.read_text()
    at = text.rindex("},\n};")
    header.write_text(text[:at].rstrip()[:-2] + "9,\n    " + text[at:])
    done = subprocess.run([BARE_METAL, copy, "everything", tmp_path], capture_output=True, text=True)
    assert "differs" in done.stdout or done.returncode != 0


def test_numbers_as_c_reads_them() -> None:
    import numpy as np

    assert float_literal(1.0) == "1.0f"
    assert float_literal(0.1) == "0.100000001f"
    assert float_literal(1e-20) == "9.99999968e-21f"
    values = np.random.default_rng(0).integers(1, 2**31 - 2**24, 500).astype(np.int32).view(np.float32)
    assert all(np.float32(float_literal(float(v))[:-1]) == v for v in values if np.isfinite(v))
    assert table_rows(np.array([-(2**31), 5], np.int32)) == ["-2147483647 - 1, 5,"]
    assert comment("a */ b\n/* c") == "a * / b / * c"


def test_names_that_are_no_identifiers(tmp_path: Path) -> None:
    need("gcc")
    net = Net(2, "1 my-net/v2.0")
    y = net.matmul(net.quantize(net.input("serving_default:in 0", (1, 4))), 3)
    net.dequantize(y)
    net.layers = [replace(layer, name=f"{layer.name}/*evil*/") for layer in net.layers]
    memory = plan(lower(net.graph(), "scalar"))
    files = render_sources(memory, constants(memory.program), Names("c", "kernels.c"))
    for file, text in files.items():
        (tmp_path / file).write_text(text)
    for file in ("n1_my_net_v2_0.c", "n1_my_net_v2_0_weights.c"):
        run("gcc", *STRICT, "-c", tmp_path / file, "-o", tmp_path / "x.o")
    assert "serving_default_in_0" in files["n1_my_net_v2_0.h"]


def test_the_npm_package(tmp_path: Path) -> None:
    """What a JavaScript programmer does with it, mistakes included."""
    need("node")
    net = Net(4, "Digits")
    logits = net.matmul(net.quantize(net.input("x", (1, 6))), 5)
    net.softmax(logits)
    net.arg_max(logits)
    net.dequantize(logits)
    folder = tmp_path / "digits"
    build(net, "wasm", folder)
    script = tmp_path / "app.mjs"
    script.write_text(
        'import { load, inputs, outputs } from "./digits/index.mjs";\n'
        "const net = await load(), other = await load();\n"
        "const x = Float32Array.of(0.1, 0.9, 1.5, 2.5, 3, 0);\n"
        "const a = net.run({ x }), b = other.run({ x: x.map((v) => v / 3) }), c = net.run({ x });\n"
        "const same = JSON.stringify([...a.dequantize_4_out]) === JSON.stringify([...c.dequantize_4_out]);\n"
        "const errors = [];\n"
        "for (const bad of [{}, { x: [1] }, { x: new Float32Array(5) }]) {\n"
        "  try { net.run(bad); } catch (e) { errors.push(`${e.name} ${e.message}`); }\n"
        "}\n"
        "const sum = a.softmax_2_out.reduce((s, v) => s + v, 0);\n"
        "console.log(JSON.stringify({ same, errors, inputs, outputs, sum, index: Number(a.arg_max_3_out[0]),\n"
        "  best: a.softmax_2_out.indexOf(Math.max(...a.softmax_2_out)) }));\n"
    )
    import json

    got = json.loads(run("node", script))
    assert got["same"]
    assert got["errors"] == ["TypeError input x must be a Float32Array of 6 values (1×6)"] * 3
    assert got["inputs"] == {"x": {"name": "x", "shape": [1, 6]}}
    assert list(got["outputs"]) == ["softmax_2_out", "arg_max_3_out", "dequantize_4_out"]
    assert abs(got["sum"] - 1) < 1e-5
    assert got["index"] == got["best"]
    package = json.loads((folder / "package.json").read_text())
    assert package["name"] == "digits"
    assert all((folder / file).exists() for file in [*package["files"], package["main"], package["types"]])


def test_the_header_explains_itself(built: Callable[[str], Built]) -> None:
    text = (built("c").folder / "everything.h").read_text()
    graph = everything().graph()
    assert f"#define EVERYTHING_ARENA_BYTES {built('c').build.arena_bytes}\n" in text
    assert "int everything_run(void *arena, const int8_t *x, const int8_t *a, int8_t *" in text
    assert "#define EVERYTHING_X_SHAPE { 1, 11, 9, 3 }" in text
    assert "#define EVERYTHING_X_ZERO_POINT (3)" in text
    quantized = next(layer.output for layer in graph.layers if layer.inputs == ("x",))
    assert f"#define EVERYTHING_X_SCALE {float_literal(graph.tensors[quantized].scale)}\n" in text
