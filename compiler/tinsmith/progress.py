"""Progress on the terminal: `[3/9] plan memory … 0.4 s`."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TextIO


class Progress:
    """Numbers, names and times the steps of one command.

    Args:
        total: number of steps that are expected; more than that makes the total grow.
        stream: where to write; None means stderr if it is a terminal, else nowhere.
        quiet: write nothing at all (`--json`).
    """

    def __init__(self, total: int, *, stream: TextIO | None = None, quiet: bool = False) -> None:
        if stream is None and sys.stderr.isatty():
            stream = sys.stderr
        self._stream = None if quiet else stream
        self._total = total
        self._done = 0
        self._open = False

    def expect(self, more: int) -> None:
        """Raise the total, when a later part of the work has told how many steps it has."""
        self._total += more

    @contextmanager
    def step(self, name: str) -> Iterator[None]:
        """Announce one step and say, at its end, how long it took. A failed step shows no time."""
        self._done += 1
        self._total = max(self._total, self._done)
        self._write(f"[{self._done}/{self._total}] {name} … ", opens=True)
        start = time.perf_counter()
        try:
            yield
        except BaseException:
            self._write("failed\n", opens=False)
            raise
        self._write(f"{time.perf_counter() - start:.1f} s\n", opens=False)

    def _write(self, text: str, *, opens: bool) -> None:
        if self._stream is None:
            return
        if opens and self._open:  # a step inside a step: leave the outer one's line
            self._stream.write("\n")
        self._open = opens
        self._stream.write(text)
        self._stream.flush()
