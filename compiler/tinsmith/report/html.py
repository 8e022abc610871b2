"""report.html: one self-contained page, no script, no network."""

from __future__ import annotations

from dataclasses import dataclass

from tinsmith.report.model import LayerReport, Report


@dataclass(frozen=True)
class Row:
    """One line of the table: a layer, its share of the largest layer's cost (0 to 1), and its fidelity in dB."""

    layer: LayerReport
    macs_share: float
    bytes_share: float
    sqnr_db: float | None


def render(report: Report) -> str:
    """The page as text."""
    from jinja2 import Environment, PackageLoader, StrictUndefined

    environment = Environment(
        loader=PackageLoader("tinsmith.report"), autoescape=True, undefined=StrictUndefined, trim_blocks=True
    )
    environment.filters["quantity"] = quantity
    memory = report.memory
    parts = [
        ("weights", memory.weight_bytes),
        ("code", memory.code_bytes),
        ("arena", memory.arena_bytes),
        ("arena, lower bound", memory.arena_lower_bound_bytes),
    ]
    largest = max(max(size for _, size in parts), 1)
    bars = [(name, size, size / largest) for name, size in parts]
    page = environment.get_template("report.html.j2")
    return page.render(report=report, bars=bars, rows=_rows(report), lowest=_least_faithful(report)) + "\n"


def quantity(value: int) -> str:
    """12502144 → "12.5 M": three significant digits with the SI letter."""
    for letter, unit in (("G", 10**9), ("M", 10**6), ("k", 10**3)):
        if value >= unit:
            scaled = value / unit
            return f"{scaled:.{max(0, 3 - len(str(int(scaled))))}f} {letter}"
    return str(value)


def _rows(report: Report) -> list[Row]:
    most_macs = max((layer.macs for layer in report.layers), default=0) or 1
    most_bytes = max((layer.weight_bytes for layer in report.layers), default=0) or 1
    sqnr = {layer.name: layer.sqnr_db for layer in report.accuracy.layers}
    return [
        Row(layer, layer.macs / most_macs, layer.weight_bytes / most_bytes, sqnr.get(layer.name))
        for layer in report.layers
    ]


def _least_faithful(report: Report) -> tuple[str, float] | None:
    """Name and dB of the layer that lost most, or None where nothing was measured."""
    measured = [(layer.sqnr_db, layer.name) for layer in report.accuracy.layers if layer.sqnr_db is not None]
    if not measured:
        return None
    sqnr_db, name = min(measured)
    return name, sqnr_db
