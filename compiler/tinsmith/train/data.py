"""Labelled samples: from arrays, from an .npz file, or the digits that come with scikit-learn."""

from __future__ import annotations

import hashlib
import importlib.util
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from tinsmith.errors import Problems, TinsmithError

HELD_OUT = 0.2
"""Share of the samples that validate where no others are given."""
_SPLIT_SEED = 0
"""One split for all trainings, so that their accuracies can be compared."""


@dataclass(frozen=True)
class Samples:
    """x: float32 (n, …); y: int64 (n,), the class of each."""

    x: Tensor
    y: Tensor

    def __len__(self) -> int:
        return len(self.x)

    def digest(self) -> str:
        """Hexadecimal digits that differ for other samples."""
        found = hashlib.sha256(repr((self.x.shape, self.y.shape)).encode())
        for part in (self.x, self.y):
            found.update(np.ascontiguousarray(part.numpy()).tobytes())
        return found.hexdigest()[:16]


def as_samples(pair: Any, where: str) -> Samples:
    """`Samples` from a pair (x, y) of tensors or arrays; uint8 values become x / 255.

    Raises:
        TinsmithError: with everything found: no pair, lengths that differ, no samples, labels that are no classes,
            values that are not finite.
    """
    if isinstance(pair, Samples):
        return pair
    if not isinstance(pair, tuple | list) or len(pair) != 2:
        raise TinsmithError(f"{type(pair).__name__} is no pair (x, y)", where=where, fix="(samples, labels)")
    x, y = (torch.as_tensor(part).detach().cpu() for part in pair)
    problems = Problems()
    if y.dim() != 1 or y.is_floating_point() or y.is_complex() or y.dtype == torch.bool:
        why = "y holds the class of each sample, 0, 1 …"
        problems.add(f"y is {y.dtype} {tuple(y.shape)}", where=where, why=why, fix="whole numbers (samples,)")
    elif len(y) and int(y.min()) < 0:
        problems.add(f"y holds {int(y.min())}", where=where, why="classes count from 0", fix="number them from 0")
    if x.dim() == 0 or x.is_complex():
        problems.add(f"x is {x.dtype} {tuple(x.shape)}", where=where, fix="real numbers, samples first")
    elif y.dim() == 1 and len(x) != len(y):
        problems.add(f"x has {len(x)} samples and y {len(y)}", where=where, fix="a label for every sample")
    elif len(x) < 2:
        problems.add(f"there are {len(x)} samples", where=where, why="batch normalization needs two", fix="add some")
    problems.check()
    values = x.to(torch.float32) / 255 if x.dtype == torch.uint8 else x.to(torch.float32)
    bad = ~values.isfinite()
    if bad.any():
        raise TinsmithError(f"{int(bad.sum())} values of x are NaN or infinite", where=where, fix="remove them")
    return Samples(values, y.to(torch.int64))


def load_digits() -> tuple[Samples, Samples]:
    """1797 handwritten digits, x (n, 1, 8, 8) in [0, 1], for training and validation; needs scikit-learn."""
    if importlib.util.find_spec("sklearn") is None:
        why = "the digits come with scikit-learn, which is not installed"
        raise TinsmithError("scikit-learn is missing", where="digits", why=why, fix="pip install 'tinsmith[examples]'")
    from sklearn import datasets

    bunch = datasets.load_digits()
    return split(as_samples(((bunch.images[:, None] / 16).astype(np.float32), bunch.target), "digits"))


def load_npz(path: Path) -> Samples:
    """Arrays `x` (samples first) and `y` (classes) of an .npz file.

    Raises:
        TinsmithError: the file is missing, is no .npz, lacks an array, or holds what `as_samples` refuses.
    """
    fix = "an .npz file with arrays x (samples first) and y (classes)"
    try:
        with np.load(path, allow_pickle=False) as archive:
            if not isinstance(archive, np.lib.npyio.NpzFile):
                raise TinsmithError("is one array, not an .npz file", where=str(path), fix=fix)
            missing = [name for name in ("x", "y") if name not in archive.files]
            if missing:
                has = ", ".join(map(repr, archive.files)) or "no array at all"
                what = f"no array is called {' or '.join(map(repr, missing))}; the file has {has}"
                raise TinsmithError(what, where=str(path), fix=fix)
            arrays: list[npt.NDArray[Any]] = [archive[name] for name in ("x", "y")]
    except (OSError, ValueError, zipfile.BadZipFile, EOFError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise TinsmithError(f"cannot read the file: {reason}", where=str(path), fix=fix) from error
    unusable = [array.dtype for array in arrays if array.dtype.kind not in "biuf"]
    if unusable:
        raise TinsmithError(f"an array holds {unusable[0]}, not numbers", where=str(path), fix=fix)
    x, y = (array.astype(np.float32) if array.dtype.kind == "f" else array for array in arrays)
    return as_samples((x, y.astype(np.int64) if y.dtype.kind in "iu" else y), str(path))


def split(samples: Samples) -> tuple[Samples, Samples]:
    """`samples` shuffled, always alike, and split into training and `HELD_OUT` for validation."""
    order = torch.randperm(len(samples), generator=torch.Generator().manual_seed(_SPLIT_SEED))
    held = max(1, round(len(samples) * HELD_OUT))
    valid, train = order[:held], order[held:]
    return Samples(samples.x[train], samples.y[train]), Samples(samples.x[valid], samples.y[valid])


def fit_shape(samples: Samples, shape: tuple[int, ...], where: str) -> Samples:
    """`samples` with axes of length 1 put in or left out, so that one has `shape`.

    Raises:
        TinsmithError: there is more to do than that.
    """
    got = tuple(samples.x.shape[1:])
    if [size for size in got if size != 1] == [size for size in shape if size != 1]:
        return Samples(samples.x.reshape(-1, *shape), samples.y)
    last = len(got) == 3 and (got[2], got[0], got[1]) == shape
    fix = "they look channels last: x.transpose(0, 3, 1, 2)" if last else f"samples of shape {shape}"
    raise TinsmithError(f"samples have the shape {got}", where=where, why=f"the network takes {shape}", fix=fix)
