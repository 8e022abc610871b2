"""Trains the network that a Python file describes: `tinsmith train FILE.py:NAME`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from tinsmith.errors import TinsmithError
from tinsmith.frontend.torch_file import build, check_file
from tinsmith.progress import Progress

if TYPE_CHECKING:
    from tinsmith.train.data import Samples
    from tinsmith.train.fitting import Fitted

DIGITS = "digits"
"""The data set that needs no file."""


def train_file(
    ref: str,
    data: str,
    out: Path,
    *,
    valid: Path | None = None,
    seed: int = 0,
    progress: Progress | None = None,
    **options: Any,
) -> Fitted:
    """Train the network that function NAME of FILE.py returns, with its example input.

    Args:
        ref: "FILE.py:NAME". The function takes nothing; what is random in it follows `seed`.
        data: "digits", or an .npz file with x (samples first; uint8 is divided by 255) and y (classes).
        out: folder for what `fit` writes, model.onnx among it.
        valid: an .npz file to validate with; without one, a fifth of `data` is held out, always the same.
        seed: of the initial weights and of `fit`.
        progress: where each epoch is announced.
        options: of `fit`.

    Raises:
        TinsmithError: a file or function or package is missing, data and network do not fit, and all that `fit` raises.
    """
    net, shape = load_net(ref, seed)
    from tinsmith.train.fitting import fit

    train, held = _load_data(data, valid, shape)
    return fit(net, train, held, out=out, seed=seed, progress=progress, **options)


def load_net(ref: str, seed: int) -> tuple[Any, tuple[int, ...]]:
    """The module that `ref` means, its random weights following `seed`, and the shape of one sample."""
    file, colon, name = ref.rpartition(":")
    if not colon or not file.endswith(".py"):
        what = f"{ref!r} names no function of a Python file"
        raise TinsmithError(what, why="training needs a torch module", fix="FILE.py:NAME")
    check_file(Path(file), name)
    import torch

    with torch.random.fork_rng():
        torch.manual_seed(seed)
        net, args, kwargs = build(Path(file), name)
    if kwargs or len(args) != 1 or args[0].dim() == 0:
        why = "a sample of the data is one array"
        raise TinsmithError("the network takes more than one input", where=ref, why=why, fix="one example tensor")
    return net, tuple(args[0].shape[1:])


def _load_data(data: str, valid: Path | None, shape: tuple[int, ...]) -> tuple[Samples, Samples]:
    from tinsmith.train.data import fit_shape, load_digits, load_npz, split

    if data == DIGITS:
        train, held = load_digits()
    elif data.endswith(".npz"):
        train = load_npz(Path(data))
        train, held = (train, train) if valid is not None else split(train)
    else:
        raise TinsmithError(f"there is no data set {data!r}", fix=f"{DIGITS}, or an .npz file with arrays x and y")
    if valid is not None:
        held = load_npz(valid)
    return fit_shape(train, shape, data), fit_shape(held, shape, data if valid is None else str(valid))
