"""The command line as a fixture, with the fake backend's targets `fake` and `other`."""

from __future__ import annotations

import pytest
from command_line import CommandLine


@pytest.fixture
def tinsmith(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> CommandLine:
    return CommandLine(monkeypatch, capsys)
