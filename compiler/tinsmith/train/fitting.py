"""The training loop: one seed gives one result, also when it was interrupted."""

from __future__ import annotations

import json
import math
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
import torch.nn.functional as functional
from torch import Tensor, nn

from tinsmith.errors import Problems, TinsmithError
from tinsmith.progress import Progress
from tinsmith.train.binary_layer import BinaryLayer
from tinsmith.train.checkpoint import Run, Settings, restore, save, snapshot, write_state
from tinsmith.train.data import Samples, as_samples
from tinsmith.train.evaluate import accuracy, device_of, try_out
from tinsmith.train.exporting import MODEL_NAME, export_run

OPTIMIZERS = ("adam", "sgd")
DECAYS = ("cosine", "step")
STATE_NAME = "state.pt"
METRICS_NAME = "metrics.json"
MOMENTUM = 0.9
_STEPS_AT = (0.5, 0.75)
"""Shares of the training after which the rate falls to a tenth, for decay="step"."""


@dataclass(frozen=True)
class Fitted:
    """What came of a training.

    Attributes:
        accuracy: best share of validation samples that were classified rightly; the network has this state.
        epoch: the epoch, from 1, that reached it last: of equals, the one that learned most.
        losses: mean cross-entropy of each epoch in training.
        accuracies: on the validation samples after each epoch.
        seconds: time that all epochs took, without what an interruption lost.
    """

    accuracy: float
    epoch: int
    losses: tuple[float, ...]
    accuracies: tuple[float, ...]
    seconds: float


def fit(
    net: nn.Module,
    train: Any,
    valid: Any,
    *,
    epochs: int,
    seed: int = 0,
    out: str | Path | None = None,
    batch: int = 64,
    rate: float = 1e-3,
    optimizer: str = "adam",
    decay: str = "cosine",
    progress: Progress | None = None,
) -> Fitted:
    """Train a classifier, in place; it ends in inference mode with the state that was best on `valid`.

    One seed gives one result with the same network, samples, torch, processor and number of threads. With `out`, the
    run is saved after every epoch, and the same call goes on where a killed one stopped and comes to the same result.

    Args:
        net: a network whose output is (n, classes) logits; it stays on the device where it is.
        train: a pair of x (n, …) and the classes y (n,), tensors or arrays; uint8 values are divided by 255.
        valid: the like, for choosing the best epoch.
        epochs: passes over the training samples.
        seed: of the order of samples and of everything random in the network.
        out: folder for checkpoint.pt and, at the end, state.pt (the best state dict), metrics.json, model.onnx (for
            `tinsmith compile`) and calibrate.npz (samples for it); None for none.
        batch: samples in one step; what is left over makes a smaller one.
        rate: learning rate at the start.
        optimizer: "adam", or "sgd" with momentum 0.9.
        decay: how the rate falls: "cosine" towards 0, or "step" to a tenth after half and after three quarters.
        progress: where each epoch is announced; None for the terminal.

    Raises:
        TinsmithError: wrong arguments or samples, a checkpoint in `out` of another run or network, a loss that is
            not finite, or a network that torch cannot export to `out`.
    """
    _check(epochs=epochs, batch=batch, rate=rate, optimizer=optimizer, decay=decay)
    known, held = as_samples(train, "train"), as_samples(valid, "valid")
    settings = Settings(epochs, seed, batch, rate, optimizer, decay, f"{known.digest()}-{held.digest()}")
    folder = None if out is None else _make_folder(Path(out))
    progress = Progress(0) if progress is None else progress
    with torch.random.fork_rng():
        run = _train(net, known, held, settings, folder, progress)
    net.load_state_dict(run.best)
    net.eval()
    fitted = _result(run)
    if folder is not None:
        write_state(folder / STATE_NAME, run.best)
        _write_metrics(folder / METRICS_NAME, settings, fitted)
        with progress.step(f"export {MODEL_NAME}"):
            export_run(net, known.x, folder)
    return fitted


def _train(
    net: nn.Module, train: Samples, valid: Samples, settings: Settings, folder: Path | None, progress: Progress
) -> Run:
    """Start, or go on from the checkpoint in `folder`, and train to the end."""
    try_out(net, train, valid, settings.batch)
    stepper = _make_optimizer(net, settings.optimizer, settings.rate)
    run = Run() if folder is None else restore(folder, settings, net, stepper)
    progress.expect(settings.epochs - run.epoch + (folder is not None))
    while run.epoch < settings.epochs:
        with progress.step(_announce(run, settings.epochs)):
            _one_epoch(net, stepper, train, valid, settings, run)
            if folder is not None:
                save(folder, settings, net, stepper, run)
    return run


def _one_epoch(
    net: nn.Module, stepper: torch.optim.Optimizer, train: Samples, valid: Samples, settings: Settings, run: Run
) -> None:
    """Train through all samples once, measure, and write both into `run`."""
    start = time.perf_counter()
    for module in net.modules():
        if isinstance(module, BinaryLayer):
            module.method.schedule(run.epoch / settings.epochs, 1 / settings.epochs)
    # Seeding every epoch anew means that a resumed run needs no state of any generator.
    torch.manual_seed(settings.seed * 1_000_003 + run.epoch)
    batches = list(_batches(len(train), settings.batch))
    net.train()
    device = device_of(net)
    total = 0.0
    for place, chosen in enumerate(batches):
        share = (run.epoch + place / len(batches)) / settings.epochs
        for group in stepper.param_groups:
            group["lr"] = settings.rate * _decay(settings.decay, share)
        loss = functional.cross_entropy(net(train.x[chosen].to(device)), train.y[chosen].to(device))
        stepper.zero_grad()
        loss.backward()
        stepper.step()
        total += float(loss.detach())
    if not math.isfinite(total):
        fix = f"a lower rate than {settings.rate:g}"
        raise TinsmithError(f"the loss is {total} in epoch {run.epoch + 1}", why="the training diverged", fix=fix)
    reached = accuracy(net, valid)
    if all(reached >= row["accuracy"] for row in run.history):
        run.best = snapshot(net)
    seconds = time.perf_counter() - start
    run.history.append({"loss": total / len(batches), "accuracy": reached, "seconds": seconds})
    run.epoch += 1


def _batches(count: int, size: int) -> Iterator[Tensor]:
    """Indices of shuffled samples; a last one that is alone is left out, since batch normalization needs two."""
    for chosen in torch.randperm(count).split(size):
        if len(chosen) > 1:
            yield chosen


def _decay(kind: str, share: float) -> float:
    """Factor of the learning rate when `share` of the training is done."""
    if kind == "cosine":
        return (1 + math.cos(math.pi * share)) / 2
    return float(0.1 ** sum(share >= mark for mark in _STEPS_AT))


def _make_optimizer(net: nn.Module, kind: str, rate: float) -> torch.optim.Optimizer:
    parameters = [parameter for parameter in net.parameters() if parameter.requires_grad]
    if not parameters:
        raise TinsmithError("the network has no parameters that can be trained")
    if kind == "adam":
        return torch.optim.Adam(parameters, lr=rate)
    return torch.optim.SGD(parameters, lr=rate, momentum=MOMENTUM)


def _check(*, epochs: int, batch: int, rate: float, optimizer: str, decay: str) -> None:
    problems = Problems()
    if epochs < 1:
        problems.add(f"epochs={epochs}", fix="at least 1")
    if batch < 2:
        problems.add(f"batch={batch}", why="batch normalization needs two samples", fix="batch=64")
    if not (math.isfinite(rate) and rate > 0):
        problems.add(f"rate={rate}", fix="a positive number, such as 1e-3")
    for name, value, known in (("optimizer", optimizer, OPTIMIZERS), ("decay", decay, DECAYS)):
        if value not in known:
            problems.add(f"{name}={value!r}", fix=" or ".join(map(repr, known)))
    problems.check()


def _make_folder(out: Path) -> Path:
    try:
        out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise TinsmithError(f"cannot write to {str(out)!r}: {error.strerror}", fix="another folder") from error
    return out


def _announce(run: Run, epochs: int) -> str:
    best = max((row["accuracy"] for row in run.history), default=None)
    return f"epoch {run.epoch + 1} of {epochs}" + ("" if best is None else f", best so far {best:.1%}")


def _result(run: Run) -> Fitted:
    accuracies = tuple(row["accuracy"] for row in run.history)
    best, last = max((reached, epoch) for epoch, reached in enumerate(accuracies, 1))
    losses = tuple(row["loss"] for row in run.history)
    seconds = sum(row["seconds"] for row in run.history)
    return Fitted(best, last, losses, accuracies, seconds)


def _write_metrics(path: Path, settings: Settings, fitted: Fitted) -> None:
    """Without times: the same run writes the same bytes."""
    content = {
        "accuracy": fitted.accuracy,
        "epoch": fitted.epoch,
        "epochs": settings.epochs,
        "seed": settings.seed,
        "batch": settings.batch,
        "rate": settings.rate,
        "optimizer": settings.optimizer,
        "decay": settings.decay,
        "samples": settings.data,
        "losses": fitted.losses,
        "accuracies": fitted.accuracies,
    }
    partial = path.with_name(f".{path.name}.partial")
    partial.write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")
    partial.replace(path)
