"""The first run of a tool translates it, and leaves the result where every other process looks for it."""

from __future__ import annotations

import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from tinsmith.errors import TinsmithError
from tinsmith_backends.synthesis import tools

ALONE = "#!/bin/sh\ncd $(dirname $0)\nmkdir running || { echo ERROR: two at once; exit 1; }\nsleep 0.2\nrmdir running\n"


def test_a_tool_is_translated_by_one_process_at_a_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "yowasp-alone").write_text(ALONE)
    (tmp_path / "yowasp-alone").chmod(0o755)
    monkeypatch.setattr(sys, "executable", str(tmp_path / "python"))
    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(tools.translated.__wrapped__, ["alone"] * 4))
    assert found == [tmp_path / "yowasp-alone"] * 4


def test_a_missing_tool_is_named_with_the_command_that_brings_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "executable", str(tmp_path / "python"))
    with pytest.raises(TinsmithError, match="yowasp-none is missing"):
        tools.run_yowasp("none", [], tmp_path)
