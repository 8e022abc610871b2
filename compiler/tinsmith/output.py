"""Outputs that are whole or not there: a folder or file is built beside its place and swapped in at the end."""

from __future__ import annotations

import ctypes
import errno
import fcntl
import json
import os
import shutil
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tinsmith.errors import TinsmithError

REPORT_NAME = "report.json"
GENERATOR = "tinsmith"
"""Value of the key `generator` in every report.json: what tells a build of ours from somebody's own folder."""
TEMPORARY_SUFFIX = ".tinsmith-partial"

_ASIDE_SUFFIX = f"-old{TEMPORARY_SUFFIX}"
_DISK_FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
_AT_FDCWD = -100
_RENAME_EXCHANGE = 2


@contextmanager
def replace_folder(out: Path) -> Iterator[Path]:
    """Give an empty folder to write into, which takes the place of `out` when the block ends well.

    Until then `out` keeps its old content, also when the process is killed. What a killed process left behind is
    removed by the next call for the same `out`.

    Raises:
        TinsmithError: `out` holds anything that is not an earlier build, cannot be written, or the disk is full.
    """
    target = Path(os.path.realpath(out))
    _check_replaceable(target, out)
    with _parent_of(target, out), _readable_disk_errors(out):
        _remove_leftovers(target)
        partial = Path(tempfile.mkdtemp(prefix=f".{target.name}.", suffix=TEMPORARY_SUFFIX, dir=target.parent))
        with _locked(partial):
            try:
                partial.chmod(0o777 & ~_umask())
                yield partial
                _swap(partial, target)
            finally:
                _remove(partial)


@contextmanager
def replace_file(out: Path, *, suffix: str, keep: tuple[Path, ...] = ()) -> Iterator[Path]:
    """Give a path to write to, which takes the place of the file `out` when the block ends well.

    Args:
        out: the file to make or replace; its name ends in `suffix`.
        suffix: the extension that the file must have, such as ".npz".
        keep: files that `out` must not be, such as the inputs.

    Raises:
        TinsmithError: `out` is a folder, has another extension, is one of `keep`, or cannot be written.
    """
    if out.suffix != suffix:
        raise TinsmithError(f"the output file {str(out)!r} does not end in {suffix}", fix=f"-o {out.stem}{suffix}")
    if out.is_dir():
        raise TinsmithError(f"the output file {str(out)!r} is a folder", fix=f"-o {out / ('out' + suffix)}")
    if any(out.exists() and other.exists() and out.samefile(other) for other in keep):
        raise TinsmithError(f"the output {str(out)!r} is also an input", why="it would be lost", fix="another -o")
    target = Path(os.path.realpath(out))
    with _parent_of(target, out), _readable_disk_errors(out):
        _remove_leftovers(target)
        handle, name = tempfile.mkstemp(prefix=f".{target.name}.", suffix=TEMPORARY_SUFFIX, dir=target.parent)
        os.close(handle)
        partial = Path(name)
        with _locked(partial):
            try:
                partial.chmod(0o666 & ~_umask())
                yield partial
                partial.replace(target)
            finally:
                _remove(partial)


def build_files(folder: Path) -> list[str]:
    """Every file below `folder`, as sorted relative POSIX paths."""
    return sorted(p.relative_to(folder).as_posix() for p in folder.rglob("*") if not p.is_dir())


def _check_replaceable(target: Path, out: Path) -> None:
    """Refuse to replace whatever we did not write ourselves."""
    if not target.exists():
        return
    other = f"-o with a new folder, such as {out}-new"
    if not target.is_dir():
        raise TinsmithError(f"the output folder {str(out)!r} is a file", fix=other)
    if Path.cwd().is_relative_to(target):
        why = "its content is replaced as a whole, which would pull the folder from under the shell"
        raise TinsmithError(f"the output folder {str(out)!r} is the current folder or holds it", why=why, fix=other)
    found = build_files(target)
    if not found and not any(target.iterdir()):
        return
    listed = _listed_files(target)
    if listed is None:
        why = f"it has no {REPORT_NAME} of Tinsmith, so it is not an earlier build that may be replaced"
        raise TinsmithError(f"the output folder {str(out)!r} holds something else", why=why, fix=other)
    foreign = [name for name in found if name not in listed]
    if foreign:
        what = f"the output folder {str(out)!r} holds files that no build wrote: {', '.join(foreign[:5])}"
        raise TinsmithError(what, why="they would be lost", fix=f"move them away, or {other}")


def _listed_files(folder: Path) -> set[str] | None:
    """The files that the build in `folder` consists of; None when it is not a build."""
    try:
        report = json.loads((folder / REPORT_NAME).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    if not isinstance(report, dict) or report.get("generator") != GENERATOR:
        return None
    return set(map(str, report.get("files", ())))


@contextmanager
def _parent_of(target: Path, out: Path) -> Iterator[None]:
    """Make the folders above `target`, and take away those that were made if the block fails."""
    made = [p for p in target.parents if not p.exists()]
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        if not os.access(target.parent, os.W_OK | os.X_OK):
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))
    except OSError as error:
        what = f"cannot write {str(out)!r}: {error.strerror}"
        raise TinsmithError(what, where=str(out.parent), fix="-o with a folder that you may write to") from error
    try:
        yield
    except BaseException:
        for folder in made:
            if folder.exists() and not any(folder.iterdir()):
                folder.rmdir()
        raise


@contextmanager
def _readable_disk_errors(out: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        if error.errno not in _DISK_FULL:
            raise
        what = f"cannot write {str(out)!r}: {error.strerror}"
        why = "the disk, the quota or the file size limit is used up; what stood there before is untouched"
        raise TinsmithError(what, why=why, fix=f"free some space (df -h {out.parent}) and run it again") from error


def _remove_leftovers(target: Path) -> None:
    """Remove what killed builds of `target` left; put the old output back if one died between two renames."""
    for left in sorted(target.parent.glob(f".{target.name}.*{TEMPORARY_SUFFIX}")):
        try:
            with _locked(left):
                if left.name.endswith(_ASIDE_SUFFIX) and not target.exists():
                    left.rename(target)
                else:
                    _remove(left)
        except BlockingIOError:
            continue  # another build of the same output is alive


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    """Mark a temporary as in use for as long as this process lives; raises BlockingIOError if another has."""
    handle = os.open(path, os.O_RDONLY)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield
    finally:
        os.close(handle)


def _remove(path: Path) -> None:
    if path.is_dir():
        shutil.rmtree(path, ignore_errors=True)
    else:
        path.unlink(missing_ok=True)


def _swap(partial: Path, target: Path) -> None:
    """Put `partial` at `target` and what stood there, if anything, at `partial`."""
    if not target.exists():
        partial.rename(target)
    elif not _exchange(partial, target):
        aside = partial.with_name(partial.name.removesuffix(TEMPORARY_SUFFIX) + _ASIDE_SUFFIX)
        target.rename(aside)
        partial.rename(target)
        _remove(aside)


def _exchange(one: Path, other: Path) -> bool:
    """Exchange two folders in one step; False where the system or the file system cannot."""
    if not sys.platform.startswith("linux"):
        return False
    renameat2 = getattr(ctypes.CDLL(None, use_errno=True), "renameat2", None)
    if renameat2 is None:
        return False
    result: int = renameat2(_AT_FDCWD, os.fsencode(one), _AT_FDCWD, os.fsencode(other), _RENAME_EXCHANGE)
    return result == 0


def _umask() -> int:
    """The process's umask: mkdtemp and mkstemp ignore it, but an output should look like any other file."""
    mask = os.umask(0)
    os.umask(mask)
    return mask
