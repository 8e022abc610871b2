"""The six-track comparison: its formulas, its corruptions, resuming, and a tiny run with its page."""

import json
import math
import sys
from pathlib import Path

import pytest
import torch

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "examples/bibench"))

pytest.importorskip("matplotlib")
pytest.importorskip("sklearn")

import run
from bibench.corruptions import CORRUPTIONS, STRENGTHS, corrupt
from bibench.data import SETS, available, left_out, load
from bibench.networks import make
from bibench.plan import Plan
from bibench.scores import gap_ratio, quadratic_mean, size_ratio, speed_ratio
from bibench.store import FILE_NAME, Store
from bibench.track import Job
from bibench.tracks import TRACKS, consumption, corruption
from bibench.training import Training
from tinsmith.train.methods import METHODS


def test_quadratic_mean() -> None:
    assert quadratic_mean([3.0, 4.0]) == math.sqrt(12.5)
    assert quadratic_mean([0.5]) == 0.5
    assert quadratic_mean([]) == 0.0


def test_small_gaps_count_as_half_a_point() -> None:
    assert gap_ratio(0.2, 0.1) == 2.0
    assert gap_ratio(-0.1, 0.02) == 0.25
    assert gap_ratio(0.0, -0.3) == 1.0


def test_complexity_ratios() -> None:
    assert speed_ratio(1000, 640, 90) == 10.0
    assert size_ratio(1000, 320, 240) == 4.0


@pytest.mark.parametrize("name", CORRUPTIONS)
def test_corruptions_are_seeded_and_grow(name: str) -> None:
    x = torch.rand(20, 1, 8, 8, generator=torch.Generator().manual_seed(1))
    spoilt = [corrupt(x, name, strength) for strength in STRENGTHS]
    assert all(torch.equal(one, corrupt(x, name, strength)) for one, strength in zip(spoilt, STRENGTHS, strict=True))
    assert all(one.shape == x.shape and one.min() >= 0 and one.max() <= 1 for one in spoilt)
    moved = [float((one - x).abs().mean()) for one in spoilt]
    assert 0 < moved[0] < moved[1] < moved[2]


def test_occlusion_hides_a_square() -> None:
    spoilt = corrupt(torch.zeros(5, 1, 8, 8), "occlusion", 3)
    assert set(spoilt.unique().tolist()) == {0.0, 0.5}
    assert all(count in (12, 16, 20, 25, 9) for count in spoilt.count_nonzero(dim=(1, 2, 3)).tolist())


def test_results_resume_after_a_torn_line(tmp_path: Path) -> None:
    asked: list[str] = []
    jobs = [Job(key, lambda key=key: {"value": asked.append(key) or len(asked)}) for key in ("a", "b")]  # type: ignore[misc]
    store = Store(tmp_path)
    for job in store.missing([*jobs, *jobs]):
        store.run(job)
    path = tmp_path / FILE_NAME
    path.write_text(path.read_text()[:-3])
    again = Store(tmp_path)
    assert [job.key for job in again.missing(jobs)] == ["b"]
    again.run(jobs[1])
    assert Store(tmp_path).results == {"a": {"value": 1}, "b": {"value": 3}}
    assert asked == ["a", "b", "b"]


def test_every_method_takes_every_set_that_is_there(tmp_path: Path) -> None:
    plan = Plan(tmp_path, tmp_path / "nothing")
    assert [each.name for each in available(plan)] == ["digits", "waveforms", "breast_cancer", "wine"]
    assert {each.domain for each in available(plan)} == {"image", "sensor", "tabular"}
    assert len(left_out(plan)) == sum(bool(each.needs) and not each.full for each in SETS)
    for each in available(plan):
        train, test = load(each.name, plan.data)
        assert max(int(train.y.max()), int(test.y.max())) < each.classes
        for method in METHODS:
            assert make(each.arch, each.name, method, 0)(train.x[:3]).shape == (3, each.classes)


def test_one_seed_gives_every_method_the_same_first_weights() -> None:
    real, binary = make("mlp", "wine", "real", 3), make("mlp", "wine", "reactnet", 3)
    assert torch.equal(real.stem[0].weight, binary.stem[0].weight)
    assert torch.equal(real.blocks[0][0].weight, binary.blocks[0][0].weight)


def test_jobs_have_keys_of_their_own(tmp_path: Path) -> None:
    for full in (False, True):
        plan = Plan(tmp_path, tmp_path, full)
        for track in TRACKS:
            keys = [job.key for job in track.jobs(plan)]
            assert len(keys) == len(set(keys))
    per_method = len(consumption.TRACK.jobs(Plan(tmp_path, tmp_path))) / (len(METHODS) + 1)
    assert per_method == 4


def test_corruption_scores_are_ratios_of_losses(tmp_path: Path) -> None:
    plan = Plan(tmp_path, tmp_path, methods=("bnn",))
    results = {}
    for method, clean, spoilt in (("real", 0.9, 0.7), ("bnn", 0.8, 0.4)):
        training = Training("digits", "cnn", method)
        results[training.key] = {"accuracy": clean, "seconds": 1.0}
        results[f"corrupt {training.key}"] = dict.fromkeys(CORRUPTIONS, spoilt)
    assert corruption.TRACK.evaluate(plan, results).scores["bnn"] == pytest.approx(0.5)


def test_a_tiny_run_makes_the_page_and_is_not_repeated(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(consumption, "EPOCHS", 1)
    words = ["-o", str(tmp_path), "--data", str(tmp_path / "nothing"), "--methods", "bnn", "reactnet"]
    words += ["--tracks", "consumption"]
    assert run.main(words) == 0
    results = (tmp_path / FILE_NAME).read_text()
    assert len(results.splitlines()) == 3 * 4
    assert all(json.loads(line)["result"]["seconds"] > 0 for line in results.splitlines())
    printed = capsys.readouterr().out
    assert "reactnet" in printed and "our reading" in printed
    page = (tmp_path / "bibench.html").read_text()
    assert "our reading" in page and "data:image/png;base64," in page and consumption.TRACK.title in page
    assert str(tmp_path) not in page
    assert run.main(words) == 0
    assert (tmp_path / FILE_NAME).read_text() == results
    assert (tmp_path / "bibench.html").read_text() == page
