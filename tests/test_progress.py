"""Progress lines: numbered, timed, silent where nobody reads them."""

from __future__ import annotations

import io
import re

import pytest
from tinsmith.progress import Progress


def test_numbers_names_and_times_each_step() -> None:
    stream = io.StringIO()
    progress = Progress(2, stream=stream)
    with progress.step("load"):
        pass
    progress.expect(1)
    with progress.step("plan memory"):
        pass
    with progress.step("report"):
        pass
    with progress.step("one that nobody announced"):
        pass
    lines = stream.getvalue().splitlines()
    assert re.fullmatch(r"\[1/2\] load … 0\.\d s", lines[0])
    assert [line.split()[0] for line in lines] == ["[1/2]", "[2/3]", "[3/3]", "[4/4]"]


def test_a_failed_step_says_so_and_passes_the_error_on() -> None:
    stream = io.StringIO()
    with pytest.raises(ValueError, match="no"), Progress(1, stream=stream).step("load"):
        raise ValueError("no")
    assert stream.getvalue() == "[1/1] load … failed\n"


def test_is_silent_with_json_and_when_stderr_is_no_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    stream = io.StringIO()
    with Progress(1, stream=stream, quiet=True).step("load"), Progress(1).step("load"):
        pass
    assert stream.getvalue() == ""
    assert capsys.readouterr() == ("", "")
