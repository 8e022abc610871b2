"""The training loop: it learns, repeats itself, survives being killed, and says what is wrong."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("sklearn")
import killed_run  # noqa: E402
from tinsmith.errors import TinsmithError  # noqa: E402
from tinsmith.train import binarize, fit, shift  # noqa: E402
from tinsmith.train.checkpoint import CHECKPOINT_NAME  # noqa: E402
from tinsmith.train.data import Samples, fit_shape, load_digits, load_npz, split  # noqa: E402
from tinsmith.train.exporting import CALIBRATION_NAME, MODEL_NAME  # noqa: E402
from tinsmith.train.fitting import METRICS_NAME, STATE_NAME  # noqa: E402
from tinsmith.train.methods import METHODS  # noqa: E402
from tinsmith.train.networks import MLP, BiRealResNet  # noqa: E402
from torch import nn  # noqa: E402


@pytest.fixture(scope="module")
def digits() -> tuple[Samples, Samples]:
    return load_digits()


def small(method: str = "bnn", seed: int = 0) -> nn.Module:
    torch.manual_seed(seed)
    return binarize(MLP(64, (32, 32)), method, skip=["stem", "head"])


@pytest.mark.parametrize("method", METHODS)
def test_binary_mlp_learns_digits(method: str, digits: tuple[Samples, Samples]) -> None:
    net = binarize(MLP(64, (64, 64, 64)), method, skip=["stem", "head"])
    fitted = fit(net, *digits, epochs=3)
    assert fitted.accuracy > 0.75
    assert fitted.losses[-1] < fitted.losses[0]


@pytest.mark.parametrize("method", METHODS)
def test_binary_convolutions_learn_digits(method: str, digits: tuple[Samples, Samples]) -> None:
    net = BiRealResNet(widths=(8, 16), depth=1)
    net = binarize(net, method, skip=["stem", "head", "blocks.*.shortcut"])
    train, valid = digits
    assert fit(net, Samples(train.x[:800], train.y[:800]), valid, epochs=3, rate=5e-3, batch=32).accuracy > 0.5


@pytest.mark.parametrize("bits", [2, 3, 4])
def test_shift_mlp_learns_digits(bits: int, digits: tuple[Samples, Samples]) -> None:
    assert fit(shift(MLP(64, (32, 32)), bits), *digits, epochs=3).accuracy > 0.85


def test_one_seed_one_result(digits: tuple[Samples, Samples]) -> None:
    first, again, other = small("fda"), small("fda"), small("fda")
    results = [fit(net, *digits, epochs=2, seed=seed) for net, seed in ((first, 3), (again, 3), (other, 4))]
    assert results[0].losses == results[1].losses
    assert results[0].losses != results[2].losses
    assert all(torch.equal(a, b) for a, b in zip(first.state_dict().values(), again.state_dict().values(), strict=True))


def test_random_numbers_outside_go_on_as_if_nothing_had_been(digits: tuple[Samples, Samples]) -> None:
    net = small()
    torch.manual_seed(7)
    wanted = torch.rand(3)
    torch.manual_seed(7)
    fit(net, *digits, epochs=1)
    assert torch.equal(torch.rand(3), wanted)


def test_the_best_state_is_kept(digits: tuple[Samples, Samples], tmp_path: Path) -> None:
    net = small()
    fitted = fit(net, *digits, epochs=4, rate=0.05, out=tmp_path)
    assert fitted.accuracy == max(fitted.accuracies)
    assert fitted.accuracies[fitted.epoch - 1] == fitted.accuracy
    with torch.no_grad():
        right = (net(digits[1].x).argmax(1) == digits[1].y).float().mean()
    assert float(right) == pytest.approx(fitted.accuracy)
    saved = torch.load(tmp_path / STATE_NAME, weights_only=True)
    assert all(torch.equal(value, saved[name]) for name, value in net.state_dict().items())
    metrics = json.loads((tmp_path / METRICS_NAME).read_text())
    assert metrics["accuracy"] == fitted.accuracy
    assert len(metrics["losses"]) == 4


def test_a_killed_run_comes_to_the_same_result(tmp_path: Path) -> None:
    """The process dies in the middle of the third epoch."""
    whole, broken = tmp_path / "whole", tmp_path / "broken"
    command = [sys.executable, killed_run.__file__, str(broken), str(int(2.5 * killed_run.STEPS_AN_EPOCH))]
    assert subprocess.run(command, check=False).returncode == -signal.SIGKILL
    assert torch.load(broken / CHECKPOINT_NAME, weights_only=True)["epoch"] == 2
    assert not (broken / METRICS_NAME).exists()
    assert killed_run.run(whole).losses == killed_run.run(broken).losses
    for name in (METRICS_NAME, MODEL_NAME, CALIBRATION_NAME):
        assert (whole / name).read_bytes() == (broken / name).read_bytes(), name
    states = [torch.load(folder / STATE_NAME, weights_only=True) for folder in (whole, broken)]
    assert states[0].keys() == states[1].keys()
    assert all(torch.equal(states[0][name], states[1][name]) for name in states[0])


def test_a_finished_run_is_not_repeated(digits: tuple[Samples, Samples], tmp_path: Path) -> None:
    first = fit(small(), *digits, epochs=1, out=tmp_path)
    net = small(seed=1)
    assert fit(net, *digits, epochs=1, out=tmp_path) == first


def error_of(net: nn.Module, digits: tuple[Samples, Samples], out: Path | None = None, **options: object) -> str:
    with pytest.raises(TinsmithError) as caught:
        fit(net, *digits, **{"epochs": 1, "out": out, **options})  # type: ignore[arg-type]
    return str(caught.value)


def test_checkpoints_of_something_else(digits: tuple[Samples, Samples], tmp_path: Path) -> None:
    fit(small(), *digits, epochs=1, out=tmp_path)
    torch.manual_seed(0)
    wide = binarize(MLP(64, (48, 32)), "bnn", skip=["stem", "head"])
    text = error_of(wide, digits, tmp_path)
    assert "another network" in text
    assert "stem.0.weight: (32, 64) there, (48, 64) here" in text
    # The same parameters, and yet another network.
    text = error_of(small("dorefa"), digits, tmp_path, seed=2, batch=32)
    assert "method='bnn' there, 32 → 32, method='dorefa' here" in text
    assert "seed=0, not 2" in text
    assert "batch=64, not 32" in text
    assert "other samples" in error_of(small(), (digits[0], Samples(digits[1].x[1:], digits[1].y[1:])), tmp_path)
    (tmp_path / CHECKPOINT_NAME).write_bytes(b"PK\x03\x04 nothing")
    assert "cannot be read" in error_of(small(), digits, tmp_path)
    torch.save({"state": 1}, tmp_path / CHECKPOINT_NAME)
    assert "no checkpoint" in error_of(small(), digits, tmp_path)


def test_a_layer_that_sees_no_signs(digits: tuple[Samples, Samples]) -> None:
    net = nn.Sequential(nn.Flatten(), nn.Linear(64, 32), nn.BatchNorm1d(32), nn.ReLU(), nn.Linear(32, 10))
    text = error_of(binarize(net, "bnn", skip=["1"], keep_relu=True), digits)
    assert "4: every sign of its input is +1" in text
    # A threshold that is learned can get out of it by itself.
    fit(binarize(net, "reactnet", skip=["1"], keep_relu=True), *digits, epochs=1)


def test_wrong_arguments_are_said_at_once(digits: tuple[Samples, Samples]) -> None:
    text = error_of(small(), digits, epochs=0, batch=1, rate=-1.0, optimizer="adm", decay="linear")
    for part in ("epochs=0", "batch=1", "rate=-1.0", "optimizer='adm'", "decay='linear'"):
        assert part in text


def test_wrong_samples(digits: tuple[Samples, Samples]) -> None:
    x, y = digits[0].x, digits[0].y
    net = small()
    cases = {
        "no pair": x,
        "x has 1 samples": (x[:1], y),
        "y holds -1": (x, y - 1),
        "y is torch.float32": (x, y.float()),
        "NaN": (torch.full_like(x, float("nan")), y),
        "there are 1 samples": (x[:1], y[:1]),
        "10 outputs": (x, y + 5),
        "fails on samples of shape (1, 8, 7)": (x[..., 1:], y),
    }
    for part, train in cases.items():
        with pytest.raises(TinsmithError) as caught:
            fit(net, train, digits[1], epochs=1)
        assert part in str(caught.value)


def test_a_diverging_training_is_an_error(digits: tuple[Samples, Samples]) -> None:
    net = nn.Sequential(nn.Flatten(), nn.Linear(64, 10))
    assert "diverged" in error_of(net, digits, rate=1e38, optimizer="sgd")


def test_a_last_sample_alone_is_left_out(digits: tuple[Samples, Samples]) -> None:
    train = Samples(digits[0].x[:65], digits[0].y[:65])
    assert fit(small(), train, digits[1], epochs=1, batch=64).epoch == 1


def test_arrays_become_samples(tmp_path: Path) -> None:
    x, y = np.arange(96, dtype=np.uint8).reshape(6, 4, 4), np.arange(6, dtype=np.uint8)
    np.savez(tmp_path / "d.npz", x=x, y=y)
    samples = load_npz(tmp_path / "d.npz")
    assert float(samples.x[5, 3, 3]) == pytest.approx(95 / 255)
    assert fit_shape(samples, (1, 4, 4), "d").x.shape == (6, 1, 4, 4)
    with pytest.raises(TinsmithError, match="channels last"):
        fit_shape(Samples(torch.zeros(2, 4, 5, 3), samples.y[:2]), (3, 4, 5), "d")
    train, valid = split(samples)
    assert sorted([*train.y.tolist(), *valid.y.tolist()]) == list(range(6))
    np.savez(tmp_path / "e.npz", x=x)
    with pytest.raises(TinsmithError, match="no array is called 'y'; the file has 'x'"):
        load_npz(tmp_path / "e.npz")
    (tmp_path / "f.npz").write_text("no")
    with pytest.raises(TinsmithError, match="cannot read"):
        load_npz(tmp_path / "f.npz")
