"""Loads and checks input samples: one array a model input, by name, samples first."""

from __future__ import annotations

import difflib
import zipfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from tinsmith.errors import Problems, TinsmithError

if TYPE_CHECKING:
    import onnx_ir as ir

FloatArray = npt.NDArray[np.float32]
Samples = dict[str, FloatArray]
"""By input name: float32 (samples, *input shape), so `samples[name][i]` is fed as it stands (batch 1)."""

_NUMERIC_KINDS = "biuf"


def input_shapes(model: ir.Model) -> dict[str, tuple[int, ...]]:
    """Static shapes of the model's inputs by name, batch dimension included."""
    shapes: dict[str, tuple[int, ...]] = {}
    for value in model.graph.inputs:
        if value.name is None or value.shape is None:
            raise ValueError(f"graph input {value.name!r} has no static shape")
        shapes[value.name] = value.shape.numpy()
    return shapes


def load_samples(
    source: str | Path | Mapping[str, npt.NDArray[Any]],
    inputs: Mapping[str, tuple[int, ...]],
    *,
    purpose: str = "calibration",
) -> Samples:
    """Samples for every input in `inputs` (name → shape with batch 1), from an .npz file or from arrays.

    An array may have the batch dimension of the input, (samples, 1, …), or not, (samples, …). Whole numbers and
    float64 become float32. Arrays that are no input of the model (labels, say) are left alone.

    Raises:
        TinsmithError: with every problem found: not an .npz, an input without an array (with the nearest name),
            a wrong shape or type, no samples, NaN or infinity, sample counts that differ.
    """
    where = str(source) if isinstance(source, str | Path) else f"{purpose} arrays"
    problems = Problems()
    if isinstance(source, str | Path):
        arrays = _read_npz(Path(source), inputs, purpose, problems)
    else:
        arrays = {name: np.asarray(array) for name, array in source.items()}
    checked: Samples = {}
    for name, shape in inputs.items():
        if name not in arrays:
            _report_missing(name, inputs, list(arrays), purpose, where, problems)
            continue
        array = _check_array(name, arrays[name], shape, f"{where}, array {name!r}", purpose, problems)
        if array is not None:
            checked[name] = array
    counts = {name: len(array) for name, array in checked.items()}
    if len(set(counts.values())) > 1:
        listed = ", ".join(f"{name!r} has {count}" for name, count in counts.items())
        problems.add(
            f"the inputs have different numbers of samples: {listed}",
            where=where,
            why="one sample takes one row of every array",
            fix="save the same number of rows for every input",
        )
    problems.check()
    return checked


def iterate(samples: Mapping[str, FloatArray]) -> Iterator[dict[str, FloatArray]]:
    """One dict of inputs, batch 1, per sample."""
    for index in range(count(samples)):
        yield {name: array[index] for name, array in samples.items()}


def count(samples: Mapping[str, FloatArray]) -> int:
    """Number of samples."""
    return len(next(iter(samples.values()), ()))


def _read_npz(
    path: Path, inputs: Mapping[str, tuple[int, ...]], purpose: str, problems: Problems
) -> dict[str, npt.NDArray[Any]]:
    fix = f"numpy.savez({path.stem!r} + '.npz', {', '.join(f'{name}=…' for name in inputs)})"
    try:
        with path.open("rb") as file:
            if not zipfile.is_zipfile(file):
                raise TinsmithError(
                    "this is not an .npz file", where=str(path), why=f"{purpose} samples come as .npz", fix=fix
                )
            file.seek(0)
            with np.load(file, allow_pickle=False) as archive:
                return _read_members(archive, path, inputs, problems)
    except FileNotFoundError as error:
        raise TinsmithError("no such file", where=str(path), fix="check the path") from error
    except (OSError, zipfile.BadZipFile, EOFError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise TinsmithError(f"cannot read the file: {reason}", where=str(path), fix=fix) from error


def _read_members(
    archive: np.lib.npyio.NpzFile, path: Path, inputs: Mapping[str, tuple[int, ...]], problems: Problems
) -> dict[str, npt.NDArray[Any]]:
    """Every array by name; only those that the model asks for are decompressed."""
    arrays: dict[str, npt.NDArray[Any]] = {}
    for name in archive.files:
        if name not in inputs:
            arrays[name] = np.empty(0)
            continue
        try:
            array = archive[name]
        except ValueError as error:  # an object array would need pickle, which runs code from the file
            problems.add(
                "the array cannot be read",
                where=f"{path}, array {name!r}",
                why=str(error),
                fix="save plain numbers, not Python objects",
            )
            array = np.zeros((1, *inputs[name]), np.float32)
        if not isinstance(array, np.ndarray):
            problems.add("this member is not a numpy array", where=f"{path}, {name!r}", fix="write it with numpy.savez")
            array = np.zeros((1, *inputs[name]), np.float32)
        arrays[name] = array
    return arrays


def _report_missing(
    name: str,
    inputs: Mapping[str, tuple[int, ...]],
    found: list[str],
    purpose: str,
    where: str,
    problems: Problems,
) -> None:
    spare = [other for other in found if other not in inputs]
    near = difflib.get_close_matches(name, spare, n=1, cutoff=0.4) or spare[:1]
    has = ", ".join(repr(other) for other in found) or "no array at all"
    problems.add(
        f"no array is called {name!r}; the file has {has}",
        where=where,
        why=f"{purpose} samples are matched to the model's inputs by name",
        fix=f"rename {near[0]!r} to {name!r}" if near else f"add an array called {name!r}",
    )


def _check_array(
    name: str,
    array: npt.NDArray[Any],
    shape: tuple[int, ...],
    where: str,
    purpose: str,
    problems: Problems,
) -> FloatArray | None:
    """The array as float32 (samples, *shape), or None with the reasons noted."""
    if array.dtype.kind not in _NUMERIC_KINDS:
        problems.add(
            f"the array holds {array.dtype}, not numbers",
            where=where,
            why=f"input {name!r} is float32",
            fix="save float32 or whole numbers",
        )
        return None
    without_batch = shape[1:] if shape[:1] == (1,) else shape
    if array.ndim == 0 or (array.shape[1:] != shape and array.shape[1:] != without_batch):
        problems.add(
            f"the array has shape {array.shape}",
            where=where,
            why=f"input {name!r} takes {_spell(shape)} a sample, samples first",
            fix=f"give it the shape {_spell(('samples', *without_batch))}{_hint(array.shape[1:], without_batch)}",
        )
        return None
    if len(array) == 0:
        problems.add("the array has no samples", where=where, why=f"{purpose} needs at least one", fix="add samples")
        return None
    with np.errstate(over="ignore"):
        values = np.ascontiguousarray(array, dtype=np.float32).reshape(len(array), *shape)
    bad = ~np.isfinite(values)
    if bad.any():
        first = int(np.flatnonzero(bad.reshape(len(values), -1).any(axis=1))[0])
        problems.add(
            f"{int(bad.sum())} values are NaN or infinite in float32, the first in sample {first}",
            where=where,
            why="a range that is not finite has no scale",
            fix="remove or repair these samples",
        )
        return None
    return values


def _spell(shape: tuple[object, ...]) -> str:
    return "(" + ", ".join(map(str, shape)) + ("," if len(shape) == 1 else "") + ")"


def _hint(got: tuple[int, ...], want: tuple[int, ...]) -> str:
    """Says so when the axes are only in another order: images are often stored channels last."""
    if len(got) == 3 and len(want) == 3 and (got[2], got[0], got[1]) == want:
        return "; it looks channels last: transpose(0, 3, 1, 2)"
    return ""
