"""The command line as a fixture, with the fake backend's targets `fake` and `other`, and a build to start from."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from command_line import CommandLine
from fake_backend import registry
from small_net import samples, save_npz, small_net
from tinsmith import pipeline


@pytest.fixture
def tinsmith(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> CommandLine:
    return CommandLine(monkeypatch, capsys)


@pytest.fixture(scope="session")
def made_once(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("made")
    net, x = small_net(folder / "net.onnx"), save_npz(folder / "x.npz", x=samples())
    pipeline.quantize(net, x, folder / "net.exact.onnx")
    pipeline.compile(folder / "net.exact.onnx", "fake", folder / "out", calibrate=x, registry=registry())
    return folder


@pytest.fixture
def place(made_once: Path, tmp_path: Path) -> Path:
    """A folder with `net.onnx`, samples `x.npz`, the exact graph `net.exact.onnx` and a build in `out`."""
    shutil.copytree(made_once, tmp_path, dirs_exist_ok=True)
    return tmp_path
