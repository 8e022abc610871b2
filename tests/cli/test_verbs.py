"""Every verb on the command line: what it prints, what it writes, its exit code and its JSON."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import onnx_ir as ir
import pytest
from command_line import CommandLine
from fake_backend import CONSTANTS, FakeBackend
from tinsmith.ir.warnings import warn


def spoil(folder: Path) -> str:
    """Flips a bit of one constant of the fake artefact; gives the layer's name."""
    path = folder / CONSTANTS
    constants = json.loads(path.read_text())
    key = next(key for key in constants if key.endswith("/weight"))
    data = bytearray.fromhex(constants[key])
    data[0] ^= 4
    path.write_text(json.dumps(constants | {key: data.hex()}))
    return key.removesuffix("/weight")


def test_quantize_says_what_comes_next(place: Path, tinsmith: CommandLine) -> None:
    ended = tinsmith("quantize", place / "net.onnx", "--calibrate", place / "x.npz", "-o", place / "again.onnx")
    assert "tinsmith compile" in ended.out
    assert (place / "again.onnx").read_bytes() == (place / "net.exact.onnx").read_bytes()
    as_json = tinsmith("quantize", place / "net.onnx", "--calibrate", place / "x.npz", "-o", place / "j.onnx", "--json")
    assert as_json.json == {"exact": str(place / "j.onnx")}


def test_compile_prints_the_report(place: Path, tinsmith: CommandLine) -> None:
    ended = tinsmith("compile", place / "net.exact.onnx", "--target", "other", "-o", place / "o", "--json")
    assert ended.json == json.loads((place / "o" / "report.json").read_text())
    assert ended.err == ""
    text = tinsmith("compile", place / "net.exact.onnx", "--target", "other", "-o", place / "o", "--name", "tiny").out
    assert "tiny for other" in text
    assert "arena 2,048 (lower bound 1,024)" in text


def test_verify_exits_with_0_or_1(place: Path, tinsmith: CommandLine) -> None:
    ended = tinsmith("verify", place / "out", "--samples", 4)
    assert (ended.code, ended.err) == (0, "")
    assert ended.out.startswith("exact: ")
    ended = tinsmith("verify", place / "out", "--samples", 4, "--json")
    found = ended.json
    assert (found["target"], found["runner"], found["samples"], found["exact"]) == ("fake", "fake", 4, True)
    assert found["values_compared"] > 0
    assert found["first_mismatch"] is None
    layer = spoil(place / "out")
    ended = tinsmith("verify", place / "out", "--samples", 4)
    assert ended.code == 1
    assert ended.out == ""
    assert f"layer '{layer}'" in ended.err
    ended = tinsmith("verify", place / "out", "--samples", 4, "--json")
    assert ended.code == 1
    assert ended.json["exact"] is False
    assert ended.json["first_mismatch"]["layer"] == layer


def test_verify_passes_the_runner_on(place: Path, tinsmith: CommandLine) -> None:
    assert tinsmith("verify", place / "out", "--runner", "slow", "--json").json["runner"] == "slow"


def test_no_samples_is_never_exact(place: Path, tinsmith: CommandLine) -> None:
    ended = tinsmith("verify", place / "out", "--samples", 0, "--json")
    assert ended.code == 2
    assert "0 samples" in ended.json["error"][0]["what"]


def test_run_writes_the_outputs(place: Path, tinsmith: CommandLine) -> None:
    ended = tinsmith("run", place / "out", "--input", place / "x.npz", "-o", place / "y.npz")
    assert ended.code == 0
    assert "y float32 (10, 4)" in ended.out
    with np.load(place / "y.npz") as outputs, np.load(place / "out" / "vectors.npz") as vectors:
        np.testing.assert_array_equal(outputs["y"][:8], vectors["outputs/y"][:, 0])
    ended = tinsmith("run", place / "out", "--input", place / "x.npz", "-o", place / "y.npz", "--json")
    assert ended.json["arrays"] == {"y": {"shape": [10, 4], "dtype": "float32"}}


def test_bench_prints_median_and_best(place: Path, tinsmith: CommandLine) -> None:
    assert "median 4.000 ms, best 2.000 ms of 5" in tinsmith("bench", place / "out", "--repeats", 5).out
    found = tinsmith("bench", place / "out", "--repeats", 3, "--json").json
    assert (found["repeats"], found["median_s"], found["min_s"]) == (3, pytest.approx(0.003), pytest.approx(0.002))


def test_inspect_shows_every_layer(place: Path, tinsmith: CommandLine) -> None:
    text = tinsmith("inspect", place / "out").out
    report = json.loads((place / "out" / "report.json").read_text())
    for layer in report["layers"]:
        assert layer["name"] in text
    assert str(place / "out" / "report.html") in text.replace("\n", "")
    assert tinsmith("inspect", place / "out", "--json").json == report


def test_compile_and_inspect_print_what_a_pass_warned_of(place: Path, tinsmith: CommandLine) -> None:
    model = ir.load(place / "net.exact.onnx")
    layer = model.graph[1].name or ""
    said = "it stayed 8 bit: its input is no bit"
    warn(model, layer, said)
    ir.save(model, place / "warned.onnx")
    text = tinsmith("compile", place / "warned.onnx", "--target", "fake", "-o", place / "w").out
    line = f"warning: {layer}: {said}\n"
    assert line in text and line in tinsmith("inspect", place / "w").out
    assert "8/8/8" in tinsmith("inspect", place / "w").out
    assert tinsmith("inspect", place / "w", "--json").json["warnings"] == [{"name": layer, "text": said}]


def test_targets_are_listed(tinsmith: CommandLine) -> None:
    assert "pretends" in tinsmith("targets").out
    assert [each["name"] for each in tinsmith("targets", "--json").json] == [
        "fake",
        "other",
        "fake-small",
        "fake-large",
    ]


def test_doctor_fails_only_for_the_target_that_was_asked_for(tinsmith: CommandLine) -> None:
    tinsmith.use(FakeBackend(missing=("fakemu",)))
    ended = tinsmith("doctor")
    assert ended.code == 0
    assert "apt-get install fakemu" in ended.out
    assert "apt-get install fakecc" not in ended.out
    assert tinsmith("doctor", "fake").code == 2
    found = tinsmith("doctor", "fake", "--json")
    assert found.code == 2
    assert {(each["tool"], each["version"]) for each in found.json} == {("fakecc", "1.0"), ("fakemu", None)}
    tinsmith.use(FakeBackend())
    assert tinsmith("doctor", "fake").code == 0
    assert tinsmith("doctor", "fakir").code == 2


def test_version_and_help(tinsmith: CommandLine) -> None:
    assert tinsmith("--version").out.startswith("tinsmith 0.")
    text = tinsmith("--help").out
    for verb in ("quantize", "compile", "verify", "run", "bench", "inspect", "ops", "targets", "doctor"):
        assert verb in text


def test_help_describes_arguments_and_options(tinsmith: CommandLine) -> None:
    text = tinsmith("compile", "--help").out
    assert "An .onnx file, or file.py:name." in text
    assert "see tinsmith" in text


def test_a_wrong_option_ends_with_2(tinsmith: CommandLine) -> None:
    ended = tinsmith("verify", "x", "--runer", "native")
    assert ended.code == 2
    assert "--runer" in ended.err
