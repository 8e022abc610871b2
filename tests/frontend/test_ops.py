"""`tinsmith ops`: the answer, as a table and as JSON, and what it must not need."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import onnx
import pytest
from float_models import ints, model, weights
from processor_time import least_seconds
from tinsmith.backend import Registry, Target
from tinsmith.cli.ops import as_dict
from tinsmith.errors import Problem, TinsmithError
from tinsmith.frontend.support import support
from tinsmith.ir.exact import ExactGraph
from typer.testing import CliRunner

DATA = Path(__file__).parents[2] / "../shared/data"

BLOCKED = ("torch", "tvm", "onnxruntime", "onnxscript", "onnx_ir", "sympy", "ziglang", "wasmtime", "onnx.reference")
"""Packages that `tinsmith ops` must do without: missing in a bare install, or too slow to import."""

GUARDED = f"""
import sys

class Guard:
    def find_spec(self, name, path=None, target=None):
        if any(name == b or name.startswith(b + ".") for b in {BLOCKED!r}):
            raise ImportError("blocked: " + name)

sys.meta_path.insert(0, Guard())
from tinsmith.cli.main import main
main()
"""


class OneTarget:
    """A backend with one target that takes nothing."""

    targets: Mapping[str, Target] = {"t1": Target("t1", "a target", "native")}

    def problems(self, graph: ExactGraph, target: str) -> list[Problem]:
        return [Problem(f"{target} takes nothing", layer.name) for layer in graph.layers]


REGISTRY = Registry({"t1": OneTarget()})  # type: ignore[dict-item]


def save(proto: onnx.ModelProto, folder: Path) -> str:
    onnx.save(proto, folder / "net.onnx")
    return str(folder / "net.onnx")


def shortcut() -> onnx.ModelProto:
    """Constants, Slices and a Pad as exporters write them."""
    return model(
        "s = Shape (x)\n c = Gather (s, i)\n k = Unsqueeze (c, o)\n r = Relu (x)\n"
        "p = Slice (r, o, k, a, t)\n y = Conv (p, w)",
        i=ints(2).reshape(()),
        o=ints(0),
        a=ints(2),
        t=ints(2),
        w=weights(6, 4, 3, 3),
    )


def test_taken_model(tmp_path: Path) -> None:
    answer = support(save(shortcut(), tmp_path), "t1", {}, REGISTRY)
    assert answer.supported
    assert [(row.operator, row.count) for row in answer.rows] == [("Conv", 1), ("Relu", 1), ("Slice", 1)]


def test_reasons_as_json(tmp_path: Path) -> None:
    ref = save(model("a = Cos (x)\n b = Cos (a)\n y = Relu (b)", outputs="y x"), tmp_path)
    told = as_dict(support(ref, "t1", {}, REGISTRY))
    cosine, relu = told["operators"]  # type: ignore[misc]
    assert (relu["operator"], relu["supported"], relu["problems"]) == ("Relu", True, [])
    assert (cosine["count"], cosine["supported"], len(cosine["problems"])) == (2, False, 2)
    assert cosine["problems"][1]["where"] == "Cos 'b'"
    assert [p["what"] for p in told["problems"]] == ["output 'x' is an input"]  # type: ignore[attr-defined]
    assert told["supported"] is False and told["target"] == "t1"
    json.dumps(told)


def test_unknown_target_names_the_nearest(tmp_path: Path) -> None:
    with pytest.raises(TinsmithError, match="no target is called 't2'") as caught:
        support(save(shortcut(), tmp_path), "t2", {}, REGISTRY)
    assert caught.value.problems[0].fix == "t1"


def test_exact_graph_is_the_targets_to_judge(tmp_path: Path) -> None:
    import numpy as np
    from tinsmith import pipeline

    images = np.random.default_rng(0).normal(size=(4, 4, 8, 8)).astype(np.float32)
    exact = tmp_path / "exact.onnx"
    pipeline.quantize(save(shortcut(), tmp_path), {"x": images}, exact)
    answer = support(exact, "t1", {}, REGISTRY)
    assert not answer.supported and {p.what for p in answer.problems} == {"t1 takes nothing"}
    assert "Conv" in {row.operator for row in answer.rows}


def test_command(tmp_path: Path) -> None:
    import typer
    from tinsmith.cli.ops import ops

    app = typer.Typer()
    app.command()(ops)
    good = CliRunner().invoke(app, [save(shortcut(), tmp_path), "--target", "wasm"])
    assert good.exit_code == 0 and "every operator is taken for wasm" in good.output
    bad = save(model("y = Cos (x)"), tmp_path)
    refused = CliRunner().invoke(app, [bad, "--target", "wasm"])
    assert refused.exit_code == 2 and "operator 'Cos' is not supported" in refused.output
    as_json = CliRunner().invoke(app, [bad, "--target", "wasm", "--json"])
    assert as_json.exit_code == 2 and json.loads(as_json.output)["supported"] is False


def command(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-c", GUARDED, *arguments], capture_output=True, text=True, check=False)


def test_needs_nothing_heavy(tmp_path: Path) -> None:
    """Also what `tinsmith ops` is to take less than half a second by: none of these is imported."""
    done = command("ops", save(shortcut(), tmp_path), "--target", "arm64")
    assert done.returncode == 0, done.stderr
    assert "every operator is taken" in done.stdout


@pytest.mark.slow
@pytest.mark.skipif(not (DATA / "cifar10_resnet20.onnx").exists(), reason="the trained network is not there")
def test_half_a_second() -> None:
    def ops() -> None:
        assert command("ops", str(DATA / "cifar10_resnet20.onnx"), "--target", "wasm").returncode == 0

    assert least_seconds(ops) < 0.5
