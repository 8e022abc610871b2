"""What runners say when something is wrong with the artefact, the request or the machine."""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from cpu_nets import Built
from tinsmith.errors import TinsmithError
from tinsmith_backends.cpu.backend import BACKEND
from tinsmith_backends.cpu.runners import default_runner
from tinsmith_backends.cpu.targets import TARGETS


def _copy(one: Built, folder: Path) -> Path:
    return Path(shutil.copytree(one.folder, folder / "copy"))


def test_unknown_runner(built: Callable[[str], Built]) -> None:
    one = built("wasm")
    with pytest.raises(TinsmithError, match=r"wasm has no runner called 'qemu-arm'\n  try: one of wasmtime, node"):
        BACKEND.runner(one.folder, one.graph, "wasm", "qemu-arm")


def test_missing_emulator(built: Callable[[str], Built], monkeypatch: pytest.MonkeyPatch) -> None:
    one = built("cortex-m")
    monkeypatch.setenv("PATH", "/nowhere")
    with pytest.raises(TinsmithError, match=r"qemu-arm is missing[^$]*apt-get install qemu-user"):
        BACKEND.runner(one.folder, one.graph, "cortex-m")


def test_missing_file(built: Callable[[str], Built], tmp_path: Path) -> None:
    for target, file in (("c", "everything_weights.c"), ("wasm", "everything.wasm"), ("c", "program.json")):
        copy = _copy(built(target), tmp_path / file / target)
        (copy / file).unlink()
        with pytest.raises(TinsmithError, match=re.escape(file)):
            BACKEND.runner(copy, built(target).graph, target)


def test_build_of_another_graph(built: Callable[[str], Built]) -> None:
    from dataclasses import replace

    one = built("c")
    tensors = {name: t for name, t in one.graph.tensors.items() if "conv" not in name}
    with pytest.raises(TinsmithError, match="compile again"):
        BACKEND.runner(one.folder, replace(one.graph, tensors=tensors), "c")


def test_sources_that_do_not_compile(built: Callable[[str], Built], tmp_path: Path) -> None:
    copy = _copy(built("c"), tmp_path)
    source = copy / "everything.c"
    source.write_text(source.read_text().replace("switch (step)", "switch (stop)"))
    with pytest.raises(TinsmithError, match="the C compiler failed on the artefact everything") as error:
        BACKEND.runner(copy, built("c").graph, "c")
    assert "stop" in str(error.value)


def test_an_artefact_that_crashes(built: Callable[[str], Built], tmp_path: Path) -> None:
    copy = _copy(built("c"), tmp_path)
    source = copy / "everything.c"
    source.write_text(
        source.read_text().replace("int8_t *const arena_ = arena;", "int8_t *const arena_ = (int8_t *)16; (void)arena;")
    )
    runner = BACKEND.runner(copy, built("c").graph, "c")
    with pytest.raises(TinsmithError, match="the artefact was ended by SIGSEGV"):
        list(runner.run(built("c").samples))


def test_a_write_outside_the_arena(built: Callable[[str], Built], tmp_path: Path) -> None:
    one = built("c")
    copy = _copy(one, tmp_path)
    source = copy / "everything.c"
    text = source.read_text().replace(
        "    switch (step) {", "    arena_[EVERYTHING_ARENA_BYTES] = 1;\n    switch (step) {"
    )
    source.write_text(text)
    runner = BACKEND.runner(copy, one.graph, "c")
    with pytest.raises(TinsmithError, match="wrote outside its arena"):
        list(runner.run(one.samples))


def test_a_module_that_traps(built: Callable[[str], Built], tmp_path: Path) -> None:
    one = built("wasm")
    copy = _copy(one, tmp_path)
    module = copy / "everything.wasm"
    module.write_bytes(module.read_bytes()[:-100])
    with pytest.raises(TinsmithError, match="wasmtime does not take the module"):
        BACKEND.runner(copy, one.graph, "wasm")
    if shutil.which("node"):
        with pytest.raises(TinsmithError, match="the artefact ended with exit status 1") as error:
            list(BACKEND.runner(copy, one.graph, "wasm", "node").run(one.samples))
        assert "CompileError" in str(error.value)


def test_a_flipped_bit_in_the_module_is_seen_in_its_constants(built: Callable[[str], Built], tmp_path: Path) -> None:
    one = built("wasm")
    expected = BACKEND.expected_constants(one.graph, "wasm")
    copy = _copy(one, tmp_path)
    module = copy / "everything.wasm"
    data = bytearray(module.read_bytes())
    for key in ("conv_1/bias", "matmul_15/weight", "softmax_21/table"):
        matching = [name for name in expected if name.endswith(key.rpartition("/")[2])]
        name = matching[len(matching) // 2]
        place = data.index(expected[name]) + len(expected[name]) // 2
        data[place] ^= 4
        module.write_bytes(data)
        found = BACKEND.runner(copy, one.graph, "wasm").constants()
        assert [k for k in expected if found[k] != expected[k]] == [name]
        data[place] ^= 4


def test_default_runners(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.platform", "linux")
    monkeypatch.setattr("platform.machine", lambda: "x86_64")
    names = {name: default_runner(cpu) for name, cpu in TARGETS.items()}
    assert names == {name: cpu.target.runner for name, cpu in TARGETS.items()}
    monkeypatch.setattr("platform.machine", lambda: "aarch64")
    names = {name: default_runner(cpu) for name, cpu in TARGETS.items()}
    assert names["arm64"] == names["c"] == "native"
    assert names["x86-64"] == "qemu-x86_64"
