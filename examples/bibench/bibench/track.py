"""What a track is: jobs to run, and what their results say."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from bibench.plan import Plan

Result = Mapping[str, Any]
Results = Mapping[str, Result]
"""By the key of the job."""


@dataclass(frozen=True)
class Job:
    """A piece of work whose result, plain values for JSON, is kept under `key`."""

    key: str
    run: Callable[[], Result]


@dataclass(frozen=True)
class Outcome:
    """What a track found.

    Attributes:
        scores: overall metric of each method; larger is better, and 1 is as good as the real-valued twin.
        headers: of the track's own table.
        rows: its cells.
        notes: what a reader has to know besides.
    """

    scores: Mapping[str, float]
    headers: Sequence[str]
    rows: Sequence[Sequence[str]]
    notes: Sequence[str] = field(default=())


@dataclass(frozen=True)
class Track:
    """One of the six."""

    name: str
    title: str
    formula: str
    jobs: Callable[[Plan], list[Job]]
    evaluate: Callable[[Plan, Results], Outcome]
