"""Quantize, compile, verify, run, bench, inspect, with a backend that runs the oracle."""

from __future__ import annotations

import io
import json
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pytest
import tinsmith
from fake_backend import CONSTANTS, MODEL, FakeBackend, registry
from small_net import samples, save_npz, small_net
from tinsmith import pipeline, verbs
from tinsmith.errors import Problem, TinsmithError
from tinsmith.output import build_files
from tinsmith.progress import Progress


@pytest.fixture(scope="module")
def exact(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("exact")
    return pipeline.quantize(small_net(folder / "net.onnx"), {"x": samples()}, folder / "net.exact.onnx")


@pytest.fixture
def build(exact: Path, tmp_path: Path) -> Path:
    pipeline.compile(exact, "fake", tmp_path / "out", calibrate={"x": samples()}, registry=registry())
    return tmp_path / "out"


def test_exact_graph_runs_in_stock_onnxruntime_and_is_near_the_float_model(exact: Path) -> None:
    onnx.checker.check_model(str(exact), full_check=True)
    options = onnxruntime.SessionOptions()
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    ours = onnxruntime.InferenceSession(exact, options)
    theirs = onnxruntime.InferenceSession(exact.with_name("net.onnx"))
    for sample in samples():
        got, want = (session.run(None, {"x": sample[None]})[0] for session in (ours, theirs))
        assert np.abs(got - want).max() < 0.1 * np.abs(want).max() + 0.05


def test_build_folder_is_whole_and_says_what_it_holds(build: Path) -> None:
    report = json.loads((build / "report.json").read_text())
    assert report["files"] == build_files(build)
    assert {"exact.onnx", "vectors.npz", "report.json", "report.csv", "report.html", "src/net.c"} < set(report["files"])
    assert report["target"] == "fake"
    names = [layer["name"] for layer in report["layers"]]
    assert [layer["name"] for layer in report["accuracy"]["layers"]] == names
    with np.load(build / "vectors.npz") as vectors:
        assert vectors["inputs/x"].shape == (8, 1, 3, 8, 8)
        assert vectors["outputs/y"].shape == (8, 1, 4)
        np.testing.assert_array_equal(vectors["inputs/x"][:, 0], samples()[:8])


def test_samples_that_training_left_beside_the_model_are_taken_and_named(tmp_path: Path) -> None:
    net = small_net(tmp_path / "net.onnx")
    left = save_npz(tmp_path / "calibrate.npz", x=samples())
    said = io.StringIO()
    pipeline.compile(net, "fake", tmp_path / "out", progress=Progress(0, stream=said), registry=registry())
    assert f"samples of {left} and quantize" in said.getvalue()
    left.unlink()
    with pytest.raises(TinsmithError, match=r"no calibration samples(.|\n)*--calibrate X.npz, or a calibrate.npz"):
        pipeline.compile(net, "fake", tmp_path / "out", registry=registry())


def test_compiling_the_float_model_gives_the_bytes_of_compiling_its_exact_graph(build: Path, tmp_path: Path) -> None:
    net = small_net(tmp_path / "again.onnx")
    pipeline.compile(net, "fake", tmp_path / "direct", calibrate={"x": samples()}, registry=registry())
    assert contents(tmp_path / "direct") == contents(build)


def test_same_input_gives_same_bytes_in_folders_of_other_name_and_depth(exact: Path, tmp_path: Path) -> None:
    kept = []
    for place in (tmp_path / "a", tmp_path / "some" / "deeper place" / "build-2"):
        place.mkdir(parents=True)
        net = small_net(place / "net.onnx")
        calibrate = save_npz(place / "x.npz", x=samples())
        pipeline.compile(net, "fake", place / "out", calibrate=calibrate, registry=registry())
        pipeline.quantize(net, calibrate, place / "e.onnx")
        kept.append(contents(place / "out") | {"e": (place / "e.onnx").read_bytes()})
    assert kept[0] == kept[1]
    for name, data in kept[0].items():
        assert str(tmp_path).encode() not in data, name


def test_verify_compares_every_layer_of_every_sample(build: Path) -> None:
    found = verbs.verify(build, samples=12, registry=registry())
    assert found.exact
    assert found.samples == 12
    with_outputs = json.loads((build / "report.json").read_text())["layers"]
    assert found.layers_compared == len(with_outputs)
    assert found.values_compared == 12 * sum(int(np.prod(layer["shape"])) for layer in with_outputs)
    assert set(found.as_json()) >= {"target", "runner", "samples", "values_compared", "exact", "first_mismatch"}


def test_verify_finds_one_flipped_bit_anywhere_in_the_constants(build: Path) -> None:
    path = build / CONSTANTS
    whole = json.loads(path.read_text())
    rng = np.random.default_rng(0)
    for _ in range(25):
        key = str(rng.choice(list(whole)))
        data = bytearray.fromhex(whole[key])
        place, bit = int(rng.integers(len(data))), int(rng.integers(8))
        data[place] ^= 1 << bit
        path.write_text(json.dumps(whole | {key: data.hex()}))
        found = verbs.verify(build, samples=1, registry=registry())
        assert not found.exact
        assert found.first_mismatch is not None
        layer, _, kind = key.rpartition("/")
        assert (found.first_mismatch.layer, found.first_mismatch.what) == (layer, f"constant {kind}")
        assert found.first_mismatch.index == (place,)


def test_verify_names_the_first_layer_and_element_that_differ(build: Path) -> None:
    model = onnx.load(build / MODEL)
    bias = next(t for t in model.graph.initializer if t.name == "conv2/bias")
    changed = onnx.numpy_helper.to_array(bias).copy()
    changed[2] += 1 << 12
    bias.CopyFrom(onnx.numpy_helper.from_array(changed, bias.name))
    onnx.save(model, build / MODEL)
    found = verbs.verify(build, samples=4, registry=registry())
    assert not found.exact
    mismatch = found.first_mismatch
    assert mismatch is not None
    assert mismatch.layer == "conv2"
    assert mismatch.index[:2] == (0, 2), "channel 2"
    assert mismatch.expected != mismatch.got
    assert "conv2" in str(mismatch)
    assert mismatch.sample == "vector 0"


def test_what_was_not_compared_is_not_called_exact(build: Path) -> None:
    with pytest.raises(TinsmithError, match="0 samples"):
        verbs.verify(build, samples=0, registry=registry())
    with pytest.raises(TinsmithError, match="answered 3 of 4 samples"):
        verbs.verify(build, samples=4, registry=registry(FakeBackend(drop=1)))


def test_run_gives_the_oracles_outputs(build: Path, exact: Path, tmp_path: Path) -> None:
    from tinsmith.verify.oracle import Oracle

    inputs = save_npz(tmp_path / "in.npz", x=samples(5), label=np.arange(5))
    out = tmp_path / "out.npz"
    got = verbs.run(build, inputs, out, registry=registry())
    want = np.concatenate([Oracle(exact).run({"x": one[None]})["y"] for one in samples(5)])
    np.testing.assert_array_equal(got["y"], want)
    with np.load(out) as saved:
        assert saved.files == ["y"]
        np.testing.assert_array_equal(saved["y"], want)


def test_bench_counts_and_sorts(build: Path) -> None:
    timing = verbs.bench(build, repeats=5, registry=registry())
    assert (timing.repeats, timing.median_s, timing.min_s) == (5, pytest.approx(0.004), pytest.approx(0.002))
    with pytest.raises(TinsmithError, match="0 repeats"):
        verbs.bench(build, repeats=0, registry=registry())


def test_a_damaged_build_is_refused(build: Path) -> None:
    (build / "src" / "net.c").unlink()
    with pytest.raises(TinsmithError, match=r"lacks src/net\.c"):
        verbs.verify(build, registry=registry())
    (build / "report.json").write_text("{")
    with pytest.raises(TinsmithError, match="not a report"):
        verbs.inspect(build)
    with pytest.raises(TinsmithError, match="not a build folder"):
        verbs.inspect(build / "src")


@pytest.mark.parametrize("broken", ["exact.onnx", "vectors.npz"])
def test_a_truncated_file_of_a_build_is_a_clear_error(build: Path, broken: str) -> None:
    data = (build / broken).read_bytes()
    (build / broken).write_bytes(data[: len(data) // 2])
    with pytest.raises(TinsmithError) as caught:
        verbs.verify(build, registry=registry())
    assert broken in str(caught.value)


def test_the_backends_problems_are_all_told_and_the_old_build_stays(build: Path, exact: Path) -> None:
    before = contents(build)
    refuse = [Problem("conv1 is too wide", "conv1"), Problem("conv2 is too deep", "conv2")]
    with pytest.raises(TinsmithError, match=r"too wide[\s\S]*too deep"):
        pipeline.compile(exact, "fake", build, registry=registry(FakeBackend(refuse=refuse)))
    with pytest.raises(TinsmithError, match="No space left"):
        pipeline.compile(exact, "fake", build, registry=registry(FakeBackend(fail_after="build")))
    assert contents(build) == before
    assert [path.name for path in build.parent.iterdir()] == ["out"]


def test_missing_tools_are_named_with_the_command_that_brings_them(build: Path, exact: Path, tmp_path: Path) -> None:
    lacking = registry(FakeBackend(missing=("fakecc",)))
    with pytest.raises(TinsmithError, match=r"fakecc is missing[\s\S]*apt-get install fakecc"):
        pipeline.compile(exact, "fake", tmp_path / "new", registry=lacking)
    assert not (tmp_path / "new").exists()
    lacking = registry(FakeBackend(missing=("fakemu",)))
    with pytest.raises(TinsmithError, match=r"fakemu is missing[\s\S]*nothing was checked[\s\S]*install fakemu"):
        verbs.verify(build, registry=lacking)


def test_vectors_that_are_not_the_networks_are_found(exact: Path, tmp_path: Path) -> None:
    pipeline.compile(exact, "fake", tmp_path / "out", registry=registry())
    file = tmp_path / "out" / "vectors.npz"
    with np.load(file) as archive:
        right = dict(archive)
    output = next(name for name in right if name.startswith("outputs/"))
    flipped = right[output].copy()
    flipped.view(np.uint8).flat[-1] ^= 1
    for arrays, text in (
        (right | {output: flipped}, "test vector 7 is wrong"),
        (right | {"inputs/x": right["inputs/x"][..., :5]}, "test vector 0 is of another network"),
    ):
        np.savez(file, **arrays)
        with pytest.raises(TinsmithError, match=text):
            verbs.verify(tmp_path / "out", registry=registry())


def test_an_exact_graph_needs_no_samples_and_takes_no_recipe(exact: Path, tmp_path: Path) -> None:
    pipeline.compile(exact, "fake", tmp_path / "out", registry=registry())
    assert verbs.verify(tmp_path / "out", samples=3, registry=registry()).exact
    (tmp_path / "r.toml").write_text('calibrator = "min-max"\n')
    with pytest.raises(TinsmithError, match="--recipe has no effect"):
        pipeline.compile(exact, "fake", tmp_path / "o2", recipe=tmp_path / "r.toml", registry=registry())
    with pytest.raises(TinsmithError, match="--shape has no effect"):
        pipeline.compile(exact, "fake", tmp_path / "o2", shapes={"x": (1, 3, 8, 8)}, registry=registry())


def test_a_recipe_tells_targets_and_the_report_keeps_it(exact: Path, tmp_path: Path) -> None:
    recipe = tmp_path / "r.toml"
    recipe.write_text('[targets."fa*"]\ndepth = 3\n[targets.other]\ndepth = 9\n[targets.fake.layers."*"]\ndepth = 5\n')
    kept = pipeline.compile(exact, "fake", tmp_path / "out", recipe=recipe, registry=registry()).settings
    assert kept == {"depth": "3", "depth@*": "5"}
    told = {"depth": "4"}
    kept = pipeline.compile(exact, "fake", tmp_path / "out", recipe=recipe, settings=told, registry=registry()).settings
    assert kept == {"depth": "4", "depth@*": "5"} and verbs.verify(tmp_path / "out", registry=registry()).exact
    with pytest.raises(TinsmithError, match="no layer matches 'nowhere'"):
        pipeline.compile(exact, "fake", tmp_path / "o2", settings={"depth@nowhere": "4"}, registry=registry())
    recipe.write_text("[targets.fkae]\ndepth = 3\n")
    with pytest.raises(TinsmithError, match=r"no target matches 'fkae'[\s\S]*'fake'"):
        pipeline.compile(exact, "fake", tmp_path / "o2", recipe=recipe, registry=registry())


def test_name_reaches_the_code_and_the_report(exact: Path, tmp_path: Path) -> None:
    report = pipeline.compile(exact, "fake", tmp_path / "out", name="digits", registry=registry())
    assert report.name == "digits"
    assert "digits" in (tmp_path / "out" / "src" / "net.c").read_text()


@pytest.mark.parametrize(
    ("model", "graph", "name"),
    [
        ("models/net.py:digits", "main_graph", "digits"),
        ("a/b/net.v2.onnx", "torch_jit", "net.v2"),
        ("net.onnx", "", "net"),
        ("net.onnx", "ic_resnet8", "ic_resnet8"),
    ],
)
def test_a_network_has_a_name_of_its_own(model: str, graph: str, name: str) -> None:
    assert pipeline.network_name(model, graph) == name


def test_progress_counts_every_step(exact: Path, tmp_path: Path) -> None:
    stream = io.StringIO()
    net, calibrate = exact.with_name("net.onnx"), {"x": samples()}
    progress = Progress(0, stream=stream)
    pipeline.compile(net, "fake", tmp_path / "o", calibrate=calibrate, progress=progress, registry=registry())
    lines = stream.getvalue().splitlines()
    counted = [line.split("]")[0].lstrip("[").split("/") for line in lines]
    assert [int(done) for done, _ in counted] == list(range(1, len(lines) + 1))
    assert {total for _, total in counted} == {str(len(lines))}
    assert any("plan memory" in line for line in lines)


def test_the_python_api_is_the_verbs(build: Path) -> None:
    assert tinsmith.compile is pipeline.compile
    assert tinsmith.quantize is pipeline.quantize
    assert tinsmith.verify(build, samples=2, registry=registry()).exact
    assert tinsmith.verify(build, samples=2, registry=registry()).exact, "also when the package is imported by now"
    assert tinsmith.inspect(build).target == "fake"
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        tinsmith.nothing  # noqa: B018


def contents(folder: Path) -> dict[str, bytes]:
    return {name: (folder / name).read_bytes() for name in build_files(folder)}
