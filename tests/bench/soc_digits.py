"""The digits network of the examples with seeded random weights, so that nothing has to be trained first."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import torch
from torch import nn

NET = Path(__file__).resolve().parents[2] / "examples" / "digits" / "net.py"


def digits() -> tuple[nn.Module, tuple[torch.Tensor]]:
    """The network and an example input; its input is called `image`."""
    spec = importlib.util.spec_from_file_location("digits_net", NET)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(3)
        net: nn.Module = module.Digits()
    return net.eval(), (torch.zeros(1, 1, 8, 8),)
