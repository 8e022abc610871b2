"""What every benchmark prints: a table, or with --json a list of {work, ours, peer, peer_name, ratio}."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass


@dataclass(frozen=True)
class Row:
    """One piece of work, done by us and by a peer, in the same unit; less is better.

    `limit` is the largest ratio ours / peer that passes.
    """

    work: str
    ours: float
    peer: float
    peer_name: str
    limit: float

    @property
    def ratio(self) -> float:
        """Ours over the peer's."""
        return self.ours / self.peer


def report(rows: Sequence[Row], unit: str, *, as_json: bool) -> int:
    """Print the rows; returns the exit code: 1 when one is over its limit."""
    if as_json:
        fields = ("work", "ours", "peer", "peer_name", "ratio")
        print(json.dumps([{f: {**asdict(row), "ratio": round(row.ratio, 4)}[f] for f in fields} for row in rows]))
    else:
        width = max(len(row.work) for row in rows)
        print(f"{'work':{width}}  {'ours':>9}  {'peer':>9}  {'ratio':>6}  {'limit':>6}  in {unit}")
        for row in rows:
            verdict = "" if row.ratio <= row.limit else "  OVER THE LIMIT"
            figures = f"{row.ours:9.3f}  {row.peer:9.3f}  {row.ratio:6.3f}  {row.limit:6.2f}"
            print(f"{row.work:{width}}  {figures}  {row.peer_name}{verdict}")
    return int(any(row.ratio > row.limit for row in rows))
