"""The pages: every link leads somewhere, every verb and command that they name exists."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from tinsmith.cli.main import VERBS

ROOT = Path(__file__).parents[1]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md")), *sorted((ROOT / "tests").rglob("README.md"))]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_lead_somewhere(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    links = [link.partition("#")[0] for link in re.findall(r"\]\(([^)\s]+)\)", text) if "://" not in link]
    missing = [link for link in links if link and not (page.parent / link).exists()]
    assert missing == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_verbs_exist(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    named = set(re.findall(r"(?:^ {4}|`)tinsmith ([a-z]+)\b", text, re.MULTILINE))
    assert named <= {verb.__name__ for verb in VERBS}


def test_the_command_line_page_lists_every_verb() -> None:
    text = (ROOT / "docs" / "command-line.md").read_text(encoding="utf-8")
    listed = re.findall(r"^\| `([a-z]+)\b", text, re.MULTILINE)
    assert sorted(listed) == sorted(verb.__name__ for verb in VERBS)


def test_benchmarks_are_listed() -> None:
    text = (ROOT / "tests" / "bench" / "README.md").read_text(encoding="utf-8")
    commands = [path.name for path in (ROOT / "tests" / "bench").glob("*.py") if "__main__" in path.read_text()]
    assert [name for name in commands if f"`{name}`" not in text] == []
