"""`tinsmith inspect DIR`."""

from __future__ import annotations

import typer

from tinsmith.cli.options import FolderArgument, JsonOption, print_json, print_table, print_warnings


def inspect(folder: FolderArgument, as_json: JsonOption = False) -> None:
    """Print the report of a build, layer by layer."""
    from tinsmith import verbs
    from tinsmith.report.write import HTML_NAME

    report = verbs.inspect(folder)
    if as_json:
        print_json(report.model_dump(mode="json"))
        return
    sqnr = {layer.name: layer.sqnr_db for layer in report.accuracy.layers}
    columns = [
        "layer",
        "source",
        "operator",
        "output",
        ">bits w/in/out",
        ">MACs",
        ">multipliers",
        ">bytes",
        ">SQNR dB",
        "kernel",
    ]
    rows = []
    for layer in report.layers:
        decibel = sqnr.get(layer.name)
        rows.append(
            [
                layer.name,
                layer.source,
                layer.op,
                "x".join(map(str, layer.shape)),
                f"{layer.weight_bits or '–'}/{layer.input_bits}/{layer.activation_bits}",
                f"{layer.macs:,}" if layer.macs else "",
                f"{layer.multipliers:,}" if layer.multipliers else "",
                f"{layer.weight_bytes:,}" if layer.weight_bytes else "",
                "" if decibel is None else f"{decibel:.1f}",
                layer.kernel,
            ]
        )
    print_table(columns, rows, title=f"{report.name} for {report.target}")
    print_warnings(report)
    memory = report.memory
    typer.echo(
        f"{report.macs:,} MACs; weights {memory.weight_bytes:,} bytes, code {memory.code_bytes:,}, "
        f"arena {memory.arena_bytes:,} (lower bound {memory.arena_lower_bound_bytes:,})\n"
        f"the same as a page: {folder / HTML_NAME}"
    )
