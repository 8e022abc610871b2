"""report.json, report.csv and report.html, from one `Report`, and report.json read back."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path
from typing import Any

from tinsmith.errors import TinsmithError
from tinsmith.output import REPORT_NAME
from tinsmith.report.model import LayerReport, Report

CSV_NAME = "report.csv"
HTML_NAME = "report.html"
REPORT_FILES = (REPORT_NAME, CSV_NAME, HTML_NAME)
SCHEMA = Path(__file__).with_name("schema.json")


def write_report(report: Report, folder: Path) -> None:
    """Write the three files of `REPORT_FILES`; report.json last, for it marks the folder as a build."""
    from tinsmith.report.html import render

    (folder / CSV_NAME).write_text(to_csv(report), encoding="utf-8")
    (folder / HTML_NAME).write_text(render(report), encoding="utf-8")
    (folder / REPORT_NAME).write_text(to_json(report), encoding="utf-8")


def to_json(report: Report) -> str:
    """The text of report.json."""
    return json.dumps(report.model_dump(mode="json"), indent=2, ensure_ascii=False) + "\n"


def to_csv(report: Report) -> str:
    """The text of report.csv: one row a layer, the columns of `LayerReport` and sqnr_db."""
    sqnr = {layer.name: layer.sqnr_db for layer in report.accuracy.layers}
    text = io.StringIO()
    rows = csv.writer(text, lineterminator="\n")
    columns = list(LayerReport.model_fields)
    rows.writerow([*columns, "sqnr_db"])
    for layer in report.layers:
        fields = layer.model_dump()
        fields["shape"] = "x".join(map(str, layer.shape))
        rows.writerow([*(fields[column] for column in columns), sqnr.get(layer.name)])
    return text.getvalue()


def read_report(folder: Path) -> Report:
    """The report of the build in `folder`.

    Raises:
        TinsmithError: the folder is no build, or its report.json is damaged.
    """
    from pydantic import ValidationError

    path = folder / REPORT_NAME
    fix = "tinsmith compile MODEL --target T -o DIR makes one"
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise TinsmithError(f"{str(folder)!r} is not a build folder: no readable {REPORT_NAME}", fix=fix) from error
    try:
        return Report.model_validate_json(text)
    except ValidationError as error:
        first = error.errors()[0]
        why = f"{'.'.join(map(str, first['loc']))}: {first['msg']}"
        raise TinsmithError(f"{str(path)!r} is not a report of Tinsmith", why=why, fix=fix) from error


def schema() -> dict[str, Any]:
    """The JSON schema of report.json, as report/schema.json must have it."""
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **Report.model_json_schema()}


def main() -> None:
    """Bring report/schema.json up to date: `python -m tinsmith.report.write`."""
    SCHEMA.write_text(json.dumps(schema(), indent=2, ensure_ascii=False) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
