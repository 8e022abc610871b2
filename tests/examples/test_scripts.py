"""The examples' commands say what they do, and take nothing that they would ignore."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SCRIPTS = sorted([*ROOT.glob("examples/*.sh"), *ROOT.glob("examples/*/*.sh"), ROOT / "tests" / "run.sh"])


def ended(script: Path, argument: str, folder: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run([script, argument], cwd=folder, capture_output=True, text=True, timeout=600, check=False)


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_help_is_the_comment_at_the_head(script: Path, tmp_path: Path) -> None:
    help_ = ended(script, "--help", tmp_path)
    assert help_.returncode == 0 and help_.stderr == ""
    lines = help_.stdout.splitlines()
    assert lines and script.read_text().splitlines()[1 : 1 + len(lines)] == [f"# {line}" for line in lines]


@pytest.mark.parametrize("name", ["quickstart.sh", "fpga/run.sh"])
def test_an_argument_is_refused_where_none_is_taken(name: str, tmp_path: Path) -> None:
    refused = ended(ROOT / "examples" / name, "--fast", tmp_path)
    assert refused.returncode == 2 and refused.stdout == ""
    assert len(refused.stderr.splitlines()) == 1 and "--fast" in refused.stderr
