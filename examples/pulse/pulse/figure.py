"""Draws time and energy resolution against the signal-to-noise ratio."""

from __future__ import annotations

from pathlib import Path

from pulse.detector import Detector
from pulse.results import BOUND, CHIP, EDGE, FLOAT, FRACTION, MATCHED, METHODS, OPTIMAL, PAPER_DB, Table

STYLES = {
    BOUND: {"color": "black", "linestyle": "-"},
    OPTIMAL: {"color": "grey", "linestyle": ":", "marker": "x"},
    MATCHED: {"color": "tab:orange", "linestyle": "--", "marker": "v"},
    FRACTION: {"color": "tab:green", "linestyle": "--", "marker": "s"},
    EDGE: {"color": "tab:brown", "linestyle": "--", "marker": "d"},
    FLOAT: {"color": "tab:blue", "linestyle": "-", "marker": "o", "markerfacecolor": "none", "markersize": 9},
    CHIP: {"color": "tab:red", "linestyle": "-", "marker": "."},
}


def draw(table: Table, detector: Detector, path: Path) -> None:
    """Two panels on logarithmic axes; the published signal-to-noise ratio is marked."""
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    figure, (left, right) = plt.subplots(1, 2, figsize=(11, 4.6), layout="constrained")
    for method in METHODS:
        levels = list(table[method])
        found = [table[method][level] for level in levels]
        left.plot(levels, [1000 * detector.period_ns * r.time for r in found], label=method, **STYLES[method])
        right.plot(levels, [100 * r.energy for r in found], label=method, **STYLES[method])
    for axes, title in ((left, "time, ps"), (right, "energy, %")):
        axes.set_yscale("log")
        axes.axvline(PAPER_DB, color="lightgrey", zorder=0)
        axes.set_xlabel("signal-to-noise ratio, dB")
        axes.set_title(f"{title} (root mean square error)")
        axes.grid(alpha=0.3, which="both")
    left.legend()
    figure.savefig(path, dpi=130, metadata={"Software": None})
    plt.close(figure)
