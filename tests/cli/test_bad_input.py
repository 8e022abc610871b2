"""Whatever is wrong with the input: exit code 2, a message that names it, and an old output that is left alone."""

from __future__ import annotations

import hashlib
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from command_line import CommandLine, Ended
from fake_backend import FakeBackend
from little_room import little_room
from onnx import TensorProto, helper, numpy_helper
from qonnx_models import Qonnx
from small_net import samples, save_npz, small_net
from tinsmith.output import build_files

Refuses = Callable[..., str]


@pytest.fixture
def refuses(place: Path, tinsmith: CommandLine) -> Refuses:
    """Compiles, checks that it ends with exit code 2 and changes nothing, and returns the message."""

    def compile_badly(
        model: str = "net.onnx", calibrate: str = "x.npz", target: str = "fake", out: str = "out", more: Any = ()
    ) -> str:
        before = snapshot(place)
        ended = tinsmith("compile", place / model, "--target", target, "--calibrate", place / calibrate,
                         "-o", place / out, *more)  # fmt: skip
        assert snapshot(place) == before
        return message(ended)

    return compile_badly


def message(ended: Ended) -> str:
    assert ended.code == 2, ended
    assert "Traceback" not in ended.err
    assert ended.err.startswith("error: ")
    assert ended.out == ""
    return ended.err


def snapshot(folder: Path) -> dict[str, bytes]:
    return {name: (folder / name).read_bytes() for name in build_files(folder)}


def graph_of(path: Path, change: Callable[[onnx.GraphProto], None]) -> None:
    model = onnx.load(path.with_name("net.onnx"))
    change(model.graph)
    domains = {node.domain for node in model.graph.node} - {""}
    model.opset_import.extend(helper.make_opsetid(domain, 1) for domain in domains)
    onnx.save(model, path)


def external(path: Path, location: str, checksum: str | None = None) -> None:
    """`net.onnx` with the weights of conv1 in another file, which this function does not write."""

    def move(graph: onnx.GraphProto) -> None:
        weight = next(t for t in graph.initializer if t.name == "w1")
        data = numpy_helper.to_array(weight).tobytes()
        weight.ClearField("raw_data")
        weight.data_location = TensorProto.EXTERNAL
        entries = {"location": location, "offset": "0", "length": str(len(data))}
        if checksum is not None:
            entries["checksum"] = checksum
        for key, value in entries.items():
            weight.external_data.add(key=key, value=value)

    graph_of(path, move)


def weight_bytes(place: Path) -> bytes:
    weight = next(t for t in onnx.load(place / "net.onnx").graph.initializer if t.name == "w1")
    return numpy_helper.to_array(weight).tobytes()


def test_missing_model(refuses: Refuses) -> None:
    assert "nowhere.onnx" in refuses(model="nowhere.onnx")


def test_not_an_onnx_file(place: Path, refuses: Refuses) -> None:
    (place / "cat.onnx").write_bytes(b"\x89PNG\r\n\x1a\n" + bytes(range(256)))
    text = refuses(model="cat.onnx")
    assert "cat.onnx" in text
    assert "not an ONNX file" in text


@pytest.mark.parametrize("part", [0.0, 0.3, 0.9])
def test_truncated(place: Path, refuses: Refuses, part: float) -> None:
    data = (place / "net.onnx").read_bytes()
    (place / "cut.onnx").write_bytes(data[: int(len(data) * part)])
    assert "cut.onnx" in refuses(model="cut.onnx")


def test_wrong_checksum_of_external_data(place: Path, refuses: Refuses) -> None:
    data = weight_bytes(place)
    external(place / "e.onnx", "w.bin", hashlib.sha1(data).hexdigest())
    (place / "w.bin").write_bytes(data[:-1] + bytes([data[-1] ^ 1]))
    text = refuses(model="e.onnx")
    assert "w.bin" in text
    assert "checksum" in text


def test_external_data_missing_or_short(place: Path, refuses: Refuses) -> None:
    external(place / "e.onnx", "w.bin")
    assert "w.bin" in refuses(model="e.onnx")
    (place / "w.bin").write_bytes(weight_bytes(place)[:-4])
    assert "w.bin" in refuses(model="e.onnx")


@pytest.mark.parametrize("how", ["..", "absolute", "link"])
def test_external_data_outside_the_folder(place: Path, refuses: Refuses, how: str) -> None:
    secret = place / "secret.bin"
    secret.write_bytes(weight_bytes(place))
    inner = place / "models"
    inner.mkdir()
    location = {"..": "../secret.bin", "absolute": str(secret), "link": "link.bin"}[how]
    if how == "link":
        (inner / "link.bin").symlink_to(secret)
    external(place / "e.onnx", location)
    (place / "e.onnx").rename(inner / "e.onnx")
    text = refuses(model="models/e.onnx")
    assert location in text
    assert "folder" in text


def test_unknown_operators_and_attributes_are_all_listed(place: Path, refuses: Refuses) -> None:
    def change(graph: onnx.GraphProto) -> None:
        graph.node[1].op_type = "Cos"
        graph.node[4].op_type, graph.node[4].domain = "Frobnicate", "com.example"
        graph.node[0].attribute.append(helper.make_attribute("sparkle", 3))

    graph_of(place / "odd.onnx", change)
    text = refuses(model="odd.onnx")
    for name in ("Cos", "relu1", "Frobnicate", "com.example", "relu2", "sparkle", "conv1"):
        assert name in text, f"{name} in {text}"


def test_dynamic_shapes_say_which_dimension_and_how_to_fix_it(place: Path, refuses: Refuses) -> None:
    small_net(place / "dynamic.onnx", batch="n", size="side")
    text = refuses(model="dynamic.onnx")
    assert "side" in text
    assert "--shape x=1,3," in text
    text = refuses(model="dynamic.onnx", more=("--shape", "image=1,3,8,8"))
    assert "image" in text
    assert "x" in text
    assert "x=1,3,8 has 3 dimensions" in refuses(model="dynamic.onnx", more=("--shape", "x=1,3,8"))


def test_shape_option_fixes_a_dynamic_model(place: Path, tinsmith: CommandLine) -> None:
    small_net(place / "dynamic.onnx", batch="n", size="side")
    made = tinsmith("compile", place / "dynamic.onnx", "--target", "fake", "--calibrate", place / "x.npz",
                    "--shape", "x=1,3,8,8", "-o", place / "out2")  # fmt: skip
    assert made.code == 0, made.err


@pytest.mark.parametrize("text", ["x", "x=", "x=1,3,a", "=1,2", "x=1,-3"])
def test_shape_option_that_is_none(refuses: Refuses, text: str) -> None:
    assert f"--shape {text!r}" in refuses(more=("--shape", text))


def test_zero_sized_dimension(place: Path, refuses: Refuses) -> None:
    small_net(place / "zero.onnx", size=0)
    text = refuses(model="zero.onnx")
    assert "0" in text
    assert "x" in text


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_weights_that_are_not_finite(place: Path, refuses: Refuses, value: float) -> None:
    small_net(place / "bad.onnx", bad_weight=value)
    assert "w1" in refuses(model="bad.onnx")


def test_no_calibration(place: Path, tinsmith: CommandLine) -> None:
    text = message(tinsmith("compile", place / "net.onnx", "--target", "fake", "-o", place / "new"))
    assert "--calibrate" in text
    assert not (place / "new").exists()


def one_nan() -> Any:
    array = samples()
    array[3, 0, 0, 0] = np.nan
    return array


@pytest.mark.parametrize(
    ("arrays", "words"),
    [
        ({"image": samples()}, ("'x'", "'image'")),
        ({"x": samples()[:, :, :4]}, ("(10, 3, 4, 8)", "(samples, 3, 8, 8)")),
        ({"x": np.array([["cat"]])}, ("'x'", "numbers")),
        ({"x": np.array([{}], dtype=object)}, ("'x'", "objects")),
        ({"x": samples()[:0]}, ("'x'", "no samples")),
        ({"x": one_nan()}, ("'x'", "NaN", "sample 3")),
        ({}, ("'x'",)),
    ],
    ids=["name", "shape", "type", "objects", "empty", "nan", "no array"],
)
def test_calibration(place: Path, refuses: Refuses, arrays: dict[str, Any], words: tuple[str, ...]) -> None:
    save_npz(place / "bad.npz", **arrays)
    text = refuses(calibrate="bad.npz")
    for word in (*words, "bad.npz"):
        assert word in text


def test_calibration_that_is_no_npz(place: Path, refuses: Refuses) -> None:
    (place / "bad.npz").write_text("image,label\n1,2\n")
    assert "bad.npz" in refuses(calibrate="bad.npz")
    assert "none.npz" in refuses(calibrate="none.npz")
    data = (place / "x.npz").read_bytes()
    (place / "cut.npz").write_bytes(data[: len(data) // 2])
    assert "cut.npz" in refuses(calibrate="cut.npz")


def test_accumulator_that_cannot_be_proved(place: Path, refuses: Refuses) -> None:
    width = 140_000
    weight = numpy_helper.from_array(np.linspace(0.9, 1, width, dtype=np.float32)[:, None], "w")
    bias = numpy_helper.from_array(np.zeros(1, np.float32), "b")
    x = helper.make_tensor_value_info("x", TensorProto.FLOAT, [1, width])
    y = helper.make_tensor_value_info("y", TensorProto.FLOAT, [1, 1])
    graph = helper.make_graph([helper.make_node("Gemm", ["x", "w", "b"], ["y"], "huge")], "g", [x], [y], [weight, bias])
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9), place / "huge.onnx")
    save_npz(place / "wide.npz", x=np.random.default_rng(0).uniform(0, 1, (3, width)).astype(np.float32))
    text = refuses(model="huge.onnx", calibrate="wide.npz")
    assert "huge" in text
    assert "int32" in text


def test_qonnx_quantizers_outside_what_is_taken(place: Path, refuses: Refuses) -> None:
    net = Qonnx()
    rounded = net.quant("x", 0.5, 4, rounding_mode="FLOOR")
    onnx.save(net.model((1, 4), net.quant(rounded, 0.5, 4, zero=3)), place / "q.onnx")
    text = refuses(model="q.onnx")
    assert "Quant 'Quant_0': its rounding mode is FLOOR" in text
    assert "Quant 'Quant_1': its zero point is 3" in text


def test_unknown_target_gives_the_nearest(refuses: Refuses) -> None:
    text = refuses(target="fakee")
    assert "'fakee'" in text
    assert "fake" in text.replace("fakee", "")


def test_missing_tool_gives_the_command(place: Path, refuses: Refuses, tinsmith: CommandLine) -> None:
    tinsmith.use(FakeBackend(missing=("fakecc", "fakemu")))
    assert "apt-get install fakecc" in refuses()
    assert "apt-get install fakemu" in message(tinsmith("verify", place / "out"))


def test_recipe(place: Path, refuses: Refuses) -> None:
    (place / "r.toml").write_text('calibrater = "mse"\n[layers."conf1"]\nasymmetric = true\n')
    text = refuses(more=("--recipe", place / "r.toml"))
    assert "'calibrater'" in text
    assert "calibrator" in text
    (place / "r.toml").write_text('[layers."conf1"]\nasymmetric = true\n')
    text = refuses(more=("--recipe", place / "r.toml"))
    assert "conf1" in text
    assert "conv1" in text


def test_output_folder_that_holds_something_else(place: Path, refuses: Refuses) -> None:
    (place / "home").mkdir()
    (place / "home" / "letter.txt").write_text("dear")
    assert "home" in refuses(out="home")
    (place / "out" / "notes.txt").write_text("mine")
    assert "notes.txt" in refuses()
    assert "x.npz" in refuses(out="x.npz")


def test_outputs_that_are_inputs(place: Path, tinsmith: CommandLine) -> None:
    net, x = place / "net.onnx", place / "x.npz"
    before = snapshot(place)
    assert "also an input" in message(tinsmith("quantize", net, "--calibrate", x, "-o", net))
    assert "also an input" in message(tinsmith("run", place / "out", "--input", x, "-o", x))
    assert snapshot(place) == before


def test_disk_full(place: Path, tinsmith: CommandLine) -> None:
    net, x = place / "net.onnx", place / "x.npz"
    before = snapshot(place)
    for arguments in (
        ("compile", net, "--target", "fake", "--calibrate", x, "-o", place / "out"),
        ("quantize", net, "--calibrate", x, "-o", place / "net.exact.onnx"),
        ("run", place / "out", "--input", x, "-o", place / "y.npz"),
    ):
        with little_room(200):
            ended = tinsmith(*arguments)
        assert "disk" in message(ended)
        assert snapshot(place) == before


def test_a_really_full_disk(place: Path, tinsmith: CommandLine) -> None:
    small = place / "small"
    small.mkdir()
    if os.geteuid() != 0 or subprocess.run(["mount", "-t", "tmpfs", "-o", "size=16k", "tmpfs", small]).returncode:
        pytest.skip("needs root and the right to mount a small file system")
    try:
        inputs = (place / "net.onnx", "--calibrate", place / "x.npz")
        ended = tinsmith("compile", *inputs, "--target", "fake", "-o", small / "out")
        assert "No space left" in message(ended)
        assert list(small.iterdir()) == []
    finally:
        subprocess.run(["umount", small], check=True)


def test_killed_half_way(place: Path, tinsmith: CommandLine) -> None:
    before = snapshot(place)
    program = (
        "import sys; sys.path.insert(0, sys.argv[1])\n"
        "import fake_backend; from tinsmith import pipeline\n"
        "class Slow(fake_backend.FakeBackend):\n"
        "    def write_vectors(self, *more):\n"
        "        print('half way', flush=True); sys.stdin.read()\n"
        "pipeline.compile(sys.argv[2], 'fake', sys.argv[4], calibrate=sys.argv[3],\n"
        "                 registry=fake_backend.registry(Slow()))\n"
    )
    tests = str(Path(__file__).parents[1])
    inputs = (place / "net.onnx", "--calibrate", place / "x.npz")
    paths = [str(place / name) for name in ("net.onnx", "x.npz", "out")]
    command = [sys.executable, "-c", program, tests, *paths]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "half way\n"
        process.send_signal(signal.SIGKILL)
    assert {name: data for name, data in snapshot(place).items() if ".tinsmith-partial" not in name} == before
    assert any(".tinsmith-partial" in name for name in snapshot(place))
    assert tinsmith("compile", *inputs, "--target", "fake", "-o", place / "out").code == 0
    assert snapshot(place) == before, "the same bytes again, and nothing left over"


def test_json_carries_the_same_problems(place: Path, tinsmith: CommandLine) -> None:
    ended = tinsmith("compile", place / "none.onnx", "--target", "fake", "-o", place / "new", "--json")
    assert ended.code == 2
    assert ended.err == ""
    (problem,) = ended.json["error"]
    assert set(problem) == {"what", "where", "why", "fix"}
    assert "none.onnx" in problem["what"] + problem["where"]


@pytest.mark.parametrize("verb", ["verify", "bench", "inspect"])
def test_a_folder_that_is_no_build(place: Path, tinsmith: CommandLine, verb: str) -> None:
    assert "report.json" in message(tinsmith(verb, place))


def test_a_broken_model_never_ends_in_a_traceback(place: Path, tinsmith: CommandLine) -> None:
    """Bytes changed at random: the model is taken, or refused with a message."""
    data = (place / "net.onnx").read_bytes()
    rng = np.random.default_rng(3)
    for _ in range(40):
        changed = bytearray(data)
        for place_of_change in rng.integers(0, len(data), 3):
            changed[place_of_change] = int(rng.integers(256))
        (place / "noise.onnx").write_bytes(bytes(changed))
        inputs = (place / "noise.onnx", "--calibrate", place / "x.npz")
        ended = tinsmith("compile", *inputs, "--target", "fake", "-o", place / "noise")
        assert ended.code in (0, 2), ended
