"""Vectors for the self-test of a C artefact: what goes in and what must come out, as tables of C."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from tinsmith.backend import Arrays
from tinsmith.ir.exact import ExactGraph

from tinsmith_backends.cpu.description import read_description
from tinsmith_backends.cpu.executor import render, table_rows
from tinsmith_backends.cpu.layout import transposed
from tinsmith_backends.cpu.program import C_TYPES


def write_vectors(graph: ExactGraph, folder: Path, expected: Sequence[Arrays]) -> None:
    """Write `<name>_test_vectors.h` from the oracle's tensors, one mapping a sample."""
    description = read_description(folder)
    name = description["name"]
    ports = [*description["inputs"], *description["outputs"]]
    tables = [_table(graph, port, description["buffers"][port["buffer"]]["element"], expected) for port in ports]
    context = {"name": name, "NAME": name.upper(), "samples": len(expected), "tables": tables}
    text = render("test_vectors.h.j2", context)
    (folder / f"{name}_test_vectors.h").write_text(text, encoding="utf-8")


def _table(graph: ExactGraph, port: dict[str, Any], element: str, expected: Sequence[Arrays]) -> dict[str, Any]:
    arrays = [stored(graph, port, sample[port["stored"]]) for sample in expected]
    return {
        "ctype": C_TYPES[element],
        "identifier": port["identifier"],
        "count": arrays[0].size,
        "samples": [table_rows(array) for array in arrays],
    }


def stored(graph: ExactGraph, port: dict[str, Any], values: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """A tensor of the exact graph as the artefact's buffer holds it, in the order of the port."""
    tensor = graph.tensors[port["stored"]]
    flat = values.reshape(-1)[transposed(tensor.shape, tuple(port["axes"]))]
    return (flat.astype(np.int16) - 128).astype(np.int8) if tensor.dtype == "uint8" else flat
