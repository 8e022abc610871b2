"""A short training that kills its own process: `python killed_run.py OUT STEPS`."""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path

import torch
from tinsmith.train import binarize, fit
from tinsmith.train.fitting import Fitted
from tinsmith.train.networks import BiRealResNet

STEPS_AN_EPOCH = 8


def run(out: Path, steps: int | None = None) -> Fitted:
    """Train for four epochs; die of SIGKILL in the step after `steps`."""
    torch.set_num_threads(1)
    torch.manual_seed(0)
    net = binarize(BiRealResNet(widths=(4, 8), depth=1), "recu", skip=["stem", "head", "blocks.*.shortcut"])
    x = torch.rand(16 * STEPS_AN_EPOCH, 1, 8, 8)
    y = (x.mean(dim=(1, 2, 3)) > 0.5).long()
    done = 0

    def count(*_: object) -> None:
        nonlocal done
        done += net.training
        if steps is not None and done > steps:
            os.kill(os.getpid(), signal.SIGKILL)

    net.register_forward_pre_hook(count)
    return fit(net, (x, y), (x[:40], y[:40]), epochs=4, seed=5, out=out, batch=16)


if __name__ == "__main__":
    run(Path(sys.argv[1]), int(sys.argv[2]))
