"""The figure: one panel a track, one bar a method."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import matplotlib

from bibench.track import Outcome, Track

matplotlib.use("Agg")
from matplotlib import pyplot

INK, SOFT, FILL, BEST = "#1f2933", "#64748b", "#9dbbd8", "#3b6ea5"
COLUMNS = 3


def draw(outcomes: Mapping[Track, Outcome], path: Path) -> None:
    """Write the scores as a picture; the best bar of each track is dark, and a line marks the real-valued twin."""
    rows = -(-len(outcomes) // COLUMNS)
    with pyplot.rc_context({"font.size": 9, "text.color": INK, "axes.edgecolor": SOFT, "ytick.color": INK}):
        figure, axes = pyplot.subplots(rows, COLUMNS, figsize=(11, 3.1 * rows), squeeze=False, layout="constrained")
        for axis, (track, outcome) in zip(axes.flat, outcomes.items(), strict=False):
            _panel(axis, track.title, outcome.scores)
        for axis in axes.flat[len(outcomes) :]:
            axis.remove()
        figure.savefig(path, dpi=130)
        pyplot.close(figure)


def _panel(axis: pyplot.Axes, title: str, scores: Mapping[str, float]) -> None:
    best = max(scores.values())
    colours = [BEST if value == best else FILL for value in scores.values()]
    bars = axis.barh(list(scores), list(scores.values()), color=colours, height=0.7)
    over_the_line = {"facecolor": "white", "edgecolor": "none", "pad": 1}
    axis.bar_label(bars, fmt="%.2f", padding=3, color=INK, bbox=over_the_line)
    axis.axvline(1, color=SOFT, linewidth=0.8, linestyle=(0, (4, 3)))
    axis.set_xlim(0, 1.15 * max(best, 1))
    axis.set_title(title, loc="left", fontweight="bold", fontsize=10)
    axis.invert_yaxis()
    axis.tick_params(length=0)
    axis.spines[["top", "right", "left"]].set_visible(False)
