"""One training: the job that most tracks are made of."""

from __future__ import annotations

import statistics
import time
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import torch
from tinsmith.progress import Progress
from tinsmith.train.checkpoint import write_state
from tinsmith.train.data import Samples
from tinsmith.train.evaluate import accuracy
from tinsmith.train.fitting import fit
from torch import nn

from bibench.data import BY_NAME, load
from bibench.networks import make
from bibench.plan import Plan
from bibench.track import Job, Result, Results

HELD_OUT = 0.1
"""Share of the training samples that chooses the epoch; the test samples are seen once."""


@dataclass(frozen=True)
class Training:
    """What is trained, and how. `epochs` 0 stands for those of the data set."""

    data: str
    arch: str
    method: str
    seed: int = 0
    optimizer: str = "adam"
    rate: float = 2e-3
    decay: str = "cosine"
    epochs: int = 0

    @property
    def key(self) -> str:
        """Names the result and the file of the state."""
        how = f"{self.optimizer} {self.rate:g} {self.decay} {self.epochs or BY_NAME[self.data].epochs}"
        return f"train {self.data} {self.arch} {self.method} seed {self.seed} {how}"

    def job(self, plan: Plan) -> Job:
        """Train it."""
        return Job(self.key, lambda: self._run(plan))

    def state(self, plan: Plan) -> Path:
        """Where the trained state is."""
        return plan.out / "states" / f"{self.key.replace(' ', '-')}.pt"

    def trained(self, plan: Plan) -> nn.Module:
        """The network as training left it."""
        net = make(self.arch, self.data, self.method, self.seed)
        net(load(self.data, plan.data)[0].x[:2])  # settles sizes that depend on the input
        net.load_state_dict(torch.load(self.state(plan), weights_only=True))
        return net.eval()

    def _run(self, plan: Plan) -> Result:
        known, test = load(self.data, plan.data)
        held = round(len(known) * HELD_OUT)
        train, valid = Samples(known.x[held:], known.y[held:]), Samples(known.x[:held], known.y[:held])
        net = make(self.arch, self.data, self.method, self.seed)
        epochs = self.epochs or BY_NAME[self.data].epochs
        how = {"optimizer": self.optimizer, "rate": self.rate, "decay": self.decay}
        start = time.process_time()
        fit(net, train, valid, epochs=epochs, seed=self.seed, batch=32, progress=Progress(0, quiet=True), **how)
        seconds = time.process_time() - start
        self.state(plan).parent.mkdir(parents=True, exist_ok=True)
        write_state(self.state(plan), net.state_dict())
        return {"accuracy": accuracy(net, test), "seconds": seconds}


def mean_of(results: Results, trainings: Iterable[Training], what: str = "accuracy") -> float:
    """Mean of a number over trainings."""
    return statistics.fmean(results[each.key][what] for each in trainings)
