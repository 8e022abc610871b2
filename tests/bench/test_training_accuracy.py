"""The comparison of trainings: what it concludes, that it resumes, and that the goals on the digits are reached."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

pytest.importorskip("torch")
pytest.importorskip("sklearn")
import training_accuracy
from training_accuracy import FASHION, RESULTS, VARIANTS, Trained, missed, summary, train_all


def row(method: str, percent: float, data: str = "fashion", seed: int = 0) -> Trained:
    return Trained(data, method, seed, percent, 1.0)


def test_the_summary_is_over_seeds() -> None:
    found = summary([row("real", 90.0), row("real", 88.0, seed=1), row("bnn", 86.0), row("bnn", 85.0, seed=1)])
    assert [(each["method"], each["mean"], each["min"], each["max"], each["to float"]) for each in found] == [
        ("real", 89.0, 88.0, 90.0, 0.0),
        ("bnn", 85.5, 85.0, 86.0, -3.5),
    ]


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        ([row("bnn", 86.0), row("xnor", 76.0), row("shift2", 88.0), row("shift3", 89.0), row("shift4", 89.3)], []),
        ([row("bnn", 85.9)], ["fashion: the best binary method is -4.10 points to float, at most -4 allowed"]),
        ([row("bnn", 89.0), row("fda", 75.0)], ["fashion fda: 75.00 % is not above 75 %"]),
        ([row("shift4", 89.2)], ["fashion shift4: -0.80 points to float, at most -0.7 allowed"]),
    ],
)
def test_missed_goals_are_named(rows: list[Trained], said: list[str]) -> None:
    assert list(missed(summary([row("real", 90.0), *rows]))) == said


def test_finished_trainings_are_not_repeated(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    done = []

    def train(data: str, method: str, seed: int, fashion: Path, out: Path) -> Trained:
        if len(done) == 3:
            raise KeyboardInterrupt
        done.append((method, seed))
        return row(method, 80.0 + seed, data, seed)

    monkeypatch.setattr(training_accuracy, "train_one", train)
    wanted = (["digits"], ["real", "bnn"], [0, 1], FASHION, tmp_path)
    with pytest.raises(KeyboardInterrupt):
        train_all(*wanted)
    assert len((tmp_path / RESULTS).read_text().splitlines()) == 3
    done.clear()
    assert [each.percent for each in train_all(*wanted)] == [80.0, 80.0, 81.0, 81.0]
    assert done == [("bnn", 1)]
    assert {json.loads(line)["method"] for line in (tmp_path / RESULTS).read_text().splitlines()} == {"real", "bnn"}


def test_a_set_that_is_not_there_is_left_out(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert training_accuracy.available("all", tmp_path) == ["digits"]
    assert "fashion is left out" in capsys.readouterr().err


@pytest.mark.slow
def test_digits_reach_the_goals(tmp_path: Path) -> None:
    rows = train_all(["digits"], VARIANTS, [0, 1, 2], FASHION, tmp_path)
    assert list(missed(summary(rows))) == []
