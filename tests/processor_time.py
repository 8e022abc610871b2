"""How long a command takes, told in a way that hardly depends on what else the machine does."""

from __future__ import annotations

import resource
from collections.abc import Callable


def least_seconds(run: Callable[[], object]) -> float:
    """Processor time of the processes that `run` starts and waits for: the least of ten times."""
    seconds = []
    for _ in range(10):
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        run()
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        seconds.append(after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)
    return min(seconds)
