"""vectors.npz: a few samples and what the exact graph makes of them, kept with the build."""

from __future__ import annotations

import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from tinsmith.errors import TinsmithError

if TYPE_CHECKING:
    from tinsmith.ir.exact import ExactGraph
    from tinsmith.verify.oracle import Oracle

_INPUTS = "inputs/"
_OUTPUTS = "outputs/"

Array = npt.NDArray[Any]


@dataclass(frozen=True)
class Vectors:
    """Samples (float inputs with batch 1, by name) and the oracle's graph outputs for each of them."""

    inputs: tuple[Mapping[str, Array], ...]
    outputs: tuple[Mapping[str, Array], ...]


def write_vectors(vectors: Vectors, path: Path) -> None:
    """Write arrays `inputs/NAME` and `outputs/NAME`, samples first. The same vectors give the same bytes."""
    arrays = _stack(_INPUTS, vectors.inputs) | _stack(_OUTPUTS, vectors.outputs)
    write_npz(arrays, path)


def read_vectors(path: Path) -> Vectors:
    """Read what `write_vectors` wrote; raises `TinsmithError` when the file is damaged or missing."""
    arrays: dict[str, Array] = {}
    try:
        with np.load(path, allow_pickle=False) as archive:
            arrays = {name: archive[name] for name in archive.files}
    except (OSError, ValueError, EOFError, zipfile.BadZipFile) as error:
        raise TinsmithError(f"cannot read the test vectors: {error}", where=str(path), fix="compile again") from error
    inputs, outputs = _unstack(_INPUTS, arrays), _unstack(_OUTPUTS, arrays)
    if not inputs or len(inputs) != len(outputs):
        raise TinsmithError("the test vectors are not a build's", where=str(path), fix="compile again")
    return Vectors(inputs, outputs)


def check_vectors(vectors: Vectors, graph: ExactGraph, oracle: Oracle, where: str) -> None:
    """Raise `TinsmithError` unless the vectors are inputs of this network and what its exact graph makes of them."""
    fix = "compile again"
    for number, (sample, kept) in enumerate(zip(vectors.inputs, vectors.outputs, strict=True)):
        if {name: array.shape for name, array in sample.items()} != {n: graph.tensors[n].shape for n in graph.inputs}:
            what = f"test vector {number} is of another network"
            why = f"it holds {_shapes(sample)}; the network takes {', '.join(graph.inputs)}"
            raise TinsmithError(what, where=where, why=why, fix=fix)
        answer = oracle.run(sample)
        wrong = [name for name in graph.outputs if name not in kept or not np.array_equal(kept[name], answer[name])]
        if wrong:
            why = f"the exact graph gives another {', '.join(wrong)}: the file was changed, or is another network's"
            raise TinsmithError(f"test vector {number} is wrong", where=where, why=why, fix=fix)


def _shapes(arrays: Mapping[str, Array]) -> str:
    return ", ".join(f"{name} {'x'.join(map(str, array.shape))}" for name, array in arrays.items())


def write_npz(arrays: Mapping[str, Array], path: Path) -> None:
    """Write an .npz whose bytes depend on the arrays alone.

    numpy.savez gives every member the time zero of the zip format; through an open file it leaves the name alone.
    """
    with path.open("wb") as file:
        np.savez_compressed(file, **dict(arrays))  # type: ignore[arg-type]


def stack(samples: Sequence[Mapping[str, Array]]) -> dict[str, Array]:
    """One array a name, samples first, without the batch dimension of 1."""
    return {name: np.concatenate([sample[name] for sample in samples]) for name in samples[0]}


def _stack(prefix: str, samples: Sequence[Mapping[str, Array]]) -> dict[str, Array]:
    return {prefix + name: np.stack([sample[name] for sample in samples]) for name in samples[0]}


def _unstack(prefix: str, arrays: Mapping[str, Array]) -> tuple[dict[str, Array], ...]:
    named = {name.removeprefix(prefix): array for name, array in arrays.items() if name.startswith(prefix)}
    count = min((len(array) for array in named.values() if array.ndim), default=0)
    return tuple({name: array[i] for name, array in named.items()} for i in range(count))
