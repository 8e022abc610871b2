"""An output is whole or it is the old one, whatever happens in the middle."""

from __future__ import annotations

import errno
import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from little_room import little_room
from tinsmith import output
from tinsmith.errors import TinsmithError
from tinsmith.output import replace_file, replace_folder


def write_build(folder: Path, text: str, *more: str) -> None:
    """A folder that looks like a build."""
    names = ["weights.bin", *more, "report.json"]
    for name in names[:-1]:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    (folder / "report.json").write_text(json.dumps({"generator": "tinsmith", "files": names}))


def content(folder: Path) -> dict[str, str]:
    return {str(p.relative_to(folder)): p.read_text() for p in folder.rglob("*") if p.is_file()}


def build(out: Path, text: str, *more: str) -> None:
    with replace_folder(out) as partial:
        write_build(partial, text, *more)


def test_builds_into_a_new_nested_folder(tmp_path: Path) -> None:
    build(tmp_path / "a" / "b", "new", "sub/x.c")
    assert sorted(content(tmp_path / "a" / "b")) == ["report.json", "sub/x.c", "weights.bin"]
    assert [p.name for p in (tmp_path / "a").iterdir()] == ["b"]


@pytest.mark.parametrize("exchange", [True, False])
def test_replaces_an_earlier_build_as_a_whole(tmp_path: Path, exchange: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    if not exchange:
        monkeypatch.setattr(output, "_exchange", lambda one, other: False)
    build(tmp_path / "out", "old", "only-old.c")
    build(tmp_path / "out", "new")
    assert content(tmp_path / "out")["weights.bin"] == "new"
    assert not (tmp_path / "out" / "only-old.c").exists()
    assert [p.name for p in tmp_path.iterdir()] == ["out"]


def test_an_error_in_the_middle_leaves_the_old_build(tmp_path: Path) -> None:
    out = tmp_path / "out"
    build(out, "old")
    before = content(out)
    with pytest.raises(ValueError, match="half way"), replace_folder(out) as partial:
        (partial / "weights.bin").write_text("new")
        raise ValueError("half way")
    assert content(out) == before
    assert [p.name for p in tmp_path.iterdir()] == ["out"]


def test_an_error_removes_the_parents_that_were_made(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="half way"), replace_folder(tmp_path / "a" / "b" / "c"):
        raise ValueError("half way")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("killed_at", ["empty", "half written", "whole"])
def test_sigkill_leaves_the_old_build_and_the_next_build_cleans_up(tmp_path: Path, killed_at: str) -> None:
    out = tmp_path / "out"
    build(out, "old")
    before = content(out)
    program = (
        "import sys; from pathlib import Path; sys.path.insert(0, sys.argv[2])\n"
        "from test_output import write_build, replace_folder\n"
        "with replace_folder(Path(sys.argv[1])) as partial:\n"
        f"    if {killed_at!r} == 'half written': (partial / 'weights.bin').write_text('ne')\n"
        f"    if {killed_at!r} == 'whole': write_build(partial, 'new')\n"
        "    print('ready', flush=True); sys.stdin.read()\n"
    )
    command = [sys.executable, "-c", program, str(out), str(Path(__file__).parent)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        process.send_signal(signal.SIGKILL)
    assert content(out) == before
    assert len(list(tmp_path.iterdir())) == 2, "the killed process leaves its recognisable temporary"
    build(out, "new")
    assert content(out)["weights.bin"] == "new"
    assert [p.name for p in tmp_path.iterdir()] == ["out"]


def test_a_death_between_two_renames_gives_the_old_build_back(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    out = tmp_path / "out"
    build(out, "old")
    before = content(out)
    out.rename(tmp_path / f".out.abc-old{output.TEMPORARY_SUFFIX}")
    with pytest.raises(ValueError, match="later"), replace_folder(out):
        raise ValueError("later")
    assert content(out) == before


def test_a_living_build_of_the_same_folder_is_left_alone(tmp_path: Path) -> None:
    with replace_folder(tmp_path / "out") as first:
        write_build(first, "first")
        build(tmp_path / "out", "second")
        assert first.exists()
    assert content(tmp_path / "out")["weights.bin"] == "first"


def test_refuses_a_folder_that_holds_something_else(tmp_path: Path) -> None:
    (tmp_path / "thesis.tex").write_text("years of work")
    with pytest.raises(TinsmithError, match="holds something else"), replace_folder(tmp_path):
        pass
    (tmp_path / "report.json").write_text('{"generator": "another tool", "files": ["thesis.tex", "report.json"]}')
    with pytest.raises(TinsmithError, match="holds something else"), replace_folder(tmp_path):
        pass
    assert (tmp_path / "thesis.tex").read_text() == "years of work"


def test_refuses_a_build_to_which_somebody_added_a_file(tmp_path: Path) -> None:
    build(tmp_path / "out", "old")
    (tmp_path / "out" / "measured.csv").write_text("1")
    with pytest.raises(TinsmithError, match=r"measured\.csv"):
        build(tmp_path / "out", "new")
    assert content(tmp_path / "out")["weights.bin"] == "old"


def test_refuses_the_current_folder_and_a_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(TinsmithError, match="current folder"):
        build(Path("."), "new")
    (tmp_path / "file").write_text("x")
    with pytest.raises(TinsmithError, match="is a file"):
        build(tmp_path / "file", "new")
    with pytest.raises(TinsmithError, match="cannot write"):
        build(tmp_path / "file" / "below", "new")


def test_follows_a_link_to_the_build(tmp_path: Path) -> None:
    build(tmp_path / "real", "old")
    (tmp_path / "link").symlink_to(tmp_path / "real")
    build(tmp_path / "link", "new")
    assert (tmp_path / "link").is_symlink()
    assert content(tmp_path / "real")["weights.bin"] == "new"


def test_disk_full_is_a_clear_error_and_the_old_build_stays(tmp_path: Path) -> None:
    out = tmp_path / "out"
    build(out, "old")
    before = content(out)
    with (
        pytest.raises(TinsmithError, match="cannot write") as caught,
        little_room(1000),
        replace_folder(out) as partial,
    ):
        (partial / "weights.bin").write_bytes(bytes(5000))
    assert "disk" in str(caught.value)
    assert content(out) == before
    assert [p.name for p in tmp_path.iterdir()] == ["out"]
    with pytest.raises(TinsmithError, match="No space left"), replace_folder(out):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def test_other_errors_pass_through(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError), replace_folder(tmp_path / "out") as partial:
        (partial / "missing").read_text()


def test_file_is_replaced_at_the_end_only(tmp_path: Path) -> None:
    out = tmp_path / "x.npz"
    out.write_text("old")
    with pytest.raises(ValueError, match="half way"), replace_file(out, suffix=".npz") as partial:
        partial.write_text("ne")
        raise ValueError("half way")
    assert out.read_text() == "old"
    with replace_file(out, suffix=".npz") as partial:
        partial.write_text("new")
        assert out.read_text() == "old"
    assert out.read_text() == "new"
    assert [p.name for p in tmp_path.iterdir()] == ["x.npz"]
    assert out.stat().st_mode & 0o777 == 0o666 & ~output._umask()


def test_file_refuses_wrong_extension_folder_and_input(tmp_path: Path) -> None:
    net = tmp_path / "net.onnx"
    net.write_text("the only copy")
    (tmp_path / "d.onnx").mkdir()
    for out, words in [
        (tmp_path / "x.bin", "does not end"),
        (tmp_path / "d.onnx", "is a folder"),
        (tmp_path / "." / "net.onnx", "also an input"),
    ]:
        with pytest.raises(TinsmithError, match=words), replace_file(out, suffix=".onnx", keep=(net,)) as partial:
            partial.write_text("new")
    assert net.read_text() == "the only copy"
