"""Comparison with ==: every byte of every tensor and constant, and where the first difference is."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from tinsmith.backend import Arrays
from tinsmith.ir.exact import ExactGraph, Layer


@dataclass(frozen=True)
class Mismatch:
    """The first place where an artefact differs from the exact graph.

    Attributes:
        layer: the first layer, in the graph's order, that differs.
        source: where that layer came from.
        what: "tensor NAME", or "constant KIND" for a weight, bias, multiplier or table inside the artefact.
        sample: which sample, as "calibration 3" or "generated 0"; empty for constants.
        index: the first element that differs, in ONNX order; byte offset for constants.
        expected: what the exact graph says.
        got: what the artefact has.
        different: number of elements (bytes for constants) of this tensor that differ.
    """

    layer: str
    source: str
    what: str
    sample: str
    index: tuple[int, ...]
    expected: str
    got: str
    different: int

    def as_json(self) -> dict[str, Any]:
        """Plain values for `--json`."""
        return asdict(self) | {"index": list(self.index)}

    def __str__(self) -> str:
        place = "byte" if not self.sample else "element"
        at = ", ".join(map(str, self.index))
        sample = f" on sample {self.sample}" if self.sample else ""
        return (
            f"layer {self.layer!r} ({self.source}), {self.what}, {place} [{at}]{sample}: "
            f"expected {self.expected}, got {self.got}; {self.different} differ in all"
        )


def compare_tensors(graph: ExactGraph, expected: Arrays, got: Arrays, sample: str) -> tuple[int, Mismatch | None]:
    """Compare what an artefact materialised with the oracle's tensors of one sample.

    Returns:
        Number of values compared, and the first mismatch in the graph's order of layers. A graph output that is
        missing, another shape and another type are mismatches too.
    """
    compared = 0
    for layer in graph.layers:
        name = layer.output
        if name not in got:
            if name in graph.outputs:
                return compared, _whole(layer, f"tensor {name}", sample, describe(expected[name]), "nothing")
            continue
        found = _first_difference(layer, expected[name], got[name], sample)
        if found is not None:
            return compared, found
        compared += int(expected[name].size)
    return compared, None


def compare_constants(graph: ExactGraph, expected: Mapping[str, bytes], got: Mapping[str, bytes]) -> Mismatch | None:
    """The first constant (`layer/kind`) of which a byte differs, is missing, or is there without being expected."""
    order = {layer.name: position for position, layer in enumerate(graph.layers)}
    layers = {layer.name: layer for layer in graph.layers}
    for key in sorted({*expected, *got}, key=lambda key: (order.get(key.rpartition("/")[0], len(order)), key)):
        name, _, kind = key.rpartition("/")
        layer, what = layers.get(name), f"constant {kind}"
        source = layer.source if layer else ""
        want, have = expected.get(key), got.get(key)
        if want is None or have is None or len(want) != len(have):
            sizes = ["nothing" if data is None else f"{len(data)} bytes" for data in (want, have)]
            return Mismatch(name, source, what, "", (), sizes[0], sizes[1], max(len(want or b""), len(have or b"")))
        if want != have:
            different = np.flatnonzero(np.frombuffer(want, np.uint8) != np.frombuffer(have, np.uint8))
            at = int(different[0])
            return Mismatch(
                name, source, what, "", (at,), f"0x{want[at]:02x}", f"0x{have[at]:02x}", int(different.size)
            )
    return None


def describe(array: npt.NDArray[Any]) -> str:
    """Type and shape in words: "uint8 (1, 8, 4, 4)"."""
    return f"{array.dtype} {array.shape}"


def _first_difference(layer: Layer, expected: npt.NDArray[Any], got: npt.NDArray[Any], sample: str) -> Mismatch | None:
    what = f"tensor {layer.output}"
    if expected.dtype != got.dtype or expected.shape != got.shape:
        return _whole(layer, what, sample, describe(expected), describe(got))
    different = np.argwhere(_bits(expected) != _bits(got))
    if different.size == 0:
        return None
    index = tuple(int(i) for i in different[0])
    count = len(different)
    return Mismatch(
        layer.name, layer.source, what, sample, index, repr(expected[index].item()), repr(got[index].item()), count
    )


def _bits(array: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """Floats as their bits, so that NaN equals itself and -0.0 is not 0.0."""
    contiguous = np.ascontiguousarray(array).reshape(array.shape)
    return contiguous.view(f"u{array.dtype.itemsize}") if array.dtype.kind == "f" else contiguous


def _whole(layer: Layer, what: str, sample: str, expected: str, got: str) -> Mismatch:
    return Mismatch(layer.name, layer.source, what, sample, (), expected, got, 0)
