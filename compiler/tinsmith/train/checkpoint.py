"""The state of a training run in one file that is always whole, and whether it belongs to this run."""

from __future__ import annotations

import copy
import os
import pickle
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import torch
from torch import nn

from tinsmith.errors import Problems, TinsmithError

CHECKPOINT_NAME = "checkpoint.pt"
_KEYS = {"settings", "network", "state", "optimizer", "epoch", "history", "best"}


@dataclass(frozen=True)
class Settings:
    """What the result of a training depends on, besides the network.

    Attributes:
        epochs: number of passes over the training samples.
        seed: of the order of samples and of dropout.
        batch: samples in one step.
        rate: learning rate at the start.
        optimizer: "adam" or "sgd".
        decay: how the rate falls: "cosine" or "step".
        data: digest of training and validation samples.
    """

    epochs: int
    seed: int
    batch: int
    rate: float
    optimizer: str
    decay: str
    data: str


@dataclass
class Run:
    """Where a training stands.

    Attributes:
        epoch: epochs that are done.
        history: of each: loss, accuracy on the validation samples, seconds.
        best: state of the network after the epoch with the best accuracy, the latest of equals.
    """

    epoch: int = 0
    history: list[dict[str, float]] = field(default_factory=list)
    best: dict[str, Any] = field(default_factory=dict)


def save(folder: Path, settings: Settings, net: nn.Module, optimizer: torch.optim.Optimizer, run: Run) -> None:
    """Replace the checkpoint in `folder`; a process that is killed leaves the old one or the new one."""
    content = {
        "settings": asdict(settings),
        "network": str(net),
        "state": net.state_dict(),
        "optimizer": optimizer.state_dict(),
        "epoch": run.epoch,
        "history": run.history,
        "best": run.best,
    }
    write_state(folder / CHECKPOINT_NAME, content)


def write_state(path: Path, content: dict[str, Any]) -> None:
    """torch.save, in one step."""
    partial = path.with_name(f".{path.name}.partial")
    torch.save(content, partial)
    os.replace(partial, path)


def restore(folder: Path, settings: Settings, net: nn.Module, optimizer: torch.optim.Optimizer) -> Run:
    """Put `net` and `optimizer` where the checkpoint in `folder` left them; a new `Run` if there is none.

    Raises:
        TinsmithError: the file is no checkpoint, or one of another network or of other settings.
    """
    path = folder / CHECKPOINT_NAME
    if not path.exists():
        return Run()
    content = _read(path)
    problems = Problems()
    _compare_networks(path, content, net, problems)
    _compare_settings(path, content["settings"], settings, problems)
    problems.check()
    net.load_state_dict(content["state"])
    optimizer.load_state_dict(content["optimizer"])
    return Run(content["epoch"], content["history"], content["best"])


def snapshot(net: nn.Module) -> dict[str, Any]:
    """A copy of the network's state that later steps do not change."""
    return copy.deepcopy(net.state_dict())


def _read(path: Path) -> dict[str, Any]:
    fix = "another out=, or remove the file"
    try:
        content = torch.load(path, map_location="cpu", weights_only=True)
    except (OSError, RuntimeError, EOFError, pickle.UnpicklingError) as error:
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise TinsmithError("the checkpoint cannot be read", where=str(path), why=reason, fix=fix) from error
    if not isinstance(content, dict) or set(content) != _KEYS:
        raise TinsmithError("the file is no checkpoint of a training run", where=str(path), fix=fix)
    return content


def _compare_networks(path: Path, content: dict[str, Any], net: nn.Module, problems: Problems) -> None:
    own = {name: tuple(value.shape) for name, value in net.state_dict().items()}
    saved = {name: tuple(value.shape) for name, value in content["state"].items()}
    differing = [name for name in {**saved, **own} if own.get(name) != saved.get(name)]
    if differing:
        listed = "; ".join(f"{name}: {_say(saved, name)} there, {_say(own, name)} here" for name in differing[:3])
        more = f" and {len(differing) - 3} more" if len(differing) > 3 else ""
        why = f"{listed}{more}"
    elif content["network"] != str(net):
        there, here = content["network"].splitlines(), str(net).splitlines()
        pairs = [(a.strip(), b.strip()) for a, b in zip(there, here, strict=False) if a != b]
        why = f"{pairs[0][0]} there, {pairs[0][1]} here" if pairs else "it has other layers"
    else:
        return
    fix = "another out=, or the network that the run began with"
    problems.add("the checkpoint is of another network", where=str(path), why=why, fix=fix)


def _compare_settings(path: Path, saved: dict[str, Any], settings: Settings, problems: Problems) -> None:
    for key, value in asdict(settings).items():
        if saved.get(key) != value:
            name = "other samples" if key == "data" else f"{key}={saved.get(key)!r}, not {value!r}"
            why = "a run that goes on with something else has a result that nothing can repeat"
            fix = "another out=, or what the run began with"
            problems.add(f"the checkpoint is of a run with {name}", where=str(path), why=why, fix=fix)


def _say(shapes: dict[str, tuple[int, ...]], name: str) -> str:
    return str(shapes[name]) if name in shapes else "nothing"
