"""Runs `tinsmith` in this process, as its entry point does, and gives exit code and texts."""

from __future__ import annotations

import json
import sys
from dataclasses import dataclass
from typing import Any

import pytest
from fake_backend import FakeBackend, registry
from tinsmith.backend import Registry


@dataclass(frozen=True)
class Ended:
    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


class CommandLine:
    """Calls the command line with backends of the test's choice."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
        self._monkeypatch = monkeypatch
        self._capsys = capsys
        self.use(FakeBackend())

    def use(self, backend: FakeBackend) -> None:
        self._monkeypatch.setattr(Registry, "load", staticmethod(lambda: registry(backend)))

    def __call__(self, *arguments: object) -> Ended:
        from tinsmith.cli.main import main

        self._monkeypatch.setattr(sys, "argv", ["tinsmith", *map(str, arguments)])
        self._capsys.readouterr()
        try:
            main()
            code = 0
        except SystemExit as ended:
            code = int(ended.code or 0)
        text = self._capsys.readouterr()
        return Ended(code, text.out, text.err)
