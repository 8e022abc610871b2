"""The files of a project that are ours: self-test, its vectors, Makefile, and the driver that `verify` links."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any

import jinja2
import numpy.typing as npt
from tinsmith.backend import Arrays
from tinsmith.ir.exact import ExactGraph, Tensor

from tinsmith_backends.hls.description import Description, Port
from tinsmith_backends.hls.targets import HlsTarget


@cache
def _templates() -> jinja2.Environment:
    return jinja2.Environment(
        loader=jinja2.FileSystemLoader(Path(__file__).with_name("templates")),
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        undefined=jinja2.StrictUndefined,
        autoescape=False,
    )


def _render(name: str, **values: Any) -> str:
    return _templates().get_template(name).render(values)


def _names(description: Description, target: HlsTarget) -> dict[str, Any]:
    """What the C++ templates speak of."""
    sides = (description.inputs, description.outputs)
    inputs, outputs = ([{"name": port.node, "size": port.size} for port in side] for side in sides)
    sizes = ", size" * (len(inputs) + len(outputs)) if target.sizes else ""
    return {"project": description.project, "inputs": inputs, "outputs": outputs, "sizes": sizes}


def harness(description: Description, target: HlsTarget) -> str:
    """C++ of the driver: samples in, layers out."""
    return _render("harness.cpp.j2", **_names(description, target))


def write_selftest(description: Description, target: HlsTarget, folder: Path) -> None:
    """Write the test bench that stands on its own, and the Makefile that runs it."""
    text = _render("selftest.cpp.j2", **_names(description, target))
    (folder / "tinsmith_selftest.cpp").write_text(text, encoding="utf-8")
    includes = " ".join(f"-I{header}" for header in target.headers)
    text = _render("Makefile.j2", project=description.project, includes=includes)
    (folder / "Makefile").write_text(text, encoding="utf-8")


def write_vectors(description: Description, graph: ExactGraph, folder: Path, expected: Sequence[Arrays]) -> None:
    """Write what the self-test compares: the ports' values for each sample."""
    ports = [
        {
            "name": port.node,
            "size": port.size,
            "rows": [_row(port, sample[port.tensor], graph.tensors[port.tensor]) for sample in expected],
        }
        for port in (*description.inputs, *description.outputs)
    ]
    text = _render("vectors.h.j2", samples=len(expected), ports=ports)
    (folder / "tinsmith_vectors.h").write_text(text, encoding="utf-8")


def _row(port: Port, values: npt.NDArray[Any], tensor: Tensor) -> str:
    return ", ".join(str(int(value)) for value in port.to_stored(values, tensor))
