"""Every activation of torch, as its exporter spells it: one function between two layers, with the same results."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx_ir as ir
import pytest
from float_models import run
from tinsmith.frontend import canonicalize, load

torch = pytest.importorskip("torch", reason="torch is not installed")

ACTIVATIONS = (
    *("CELU", "ELU", "GELU", "GELU(approximate='tanh')", "Hardsigmoid", "Hardswish", "LogSigmoid", "Mish", "SELU"),
    *("SiLU", "Sigmoid", "Softplus", "Softshrink", "Softsign", "Tanh", "Tanhshrink"),
)
NETWORK = """import torch
from torch import nn

def network():
    torch.manual_seed(3)
    layers = nn.Conv2d(3, 8, 3), nn.BatchNorm2d(8), nn.{}, nn.Conv2d(8, 4, 1)
    return nn.Sequential(*layers).eval(), (torch.ones(1, 3, 6, 6),)
"""


@pytest.mark.parametrize("name", [ACTIVATIONS[2], *(pytest.param(n, marks=pytest.mark.slow) for n in ACTIVATIONS)])
def test_an_activation_is_one_function(name: str, tmp_path: Path) -> None:
    file = tmp_path / "net.py"
    file.write_text(NETWORK.format(name if "(" in name else f"{name}()"))
    model = canonicalize(load(f"{file}:network"))
    assert [node.op_type.split("_")[0] for node in model.graph] == ["Conv", "Curve", "Conv"]
    names: dict[str, object] = {}
    exec(file.read_text(), names)
    module, _ = names["network"]()  # type: ignore[operator]
    x = np.random.default_rng(1).normal(0, 3, (1, 3, 6, 6)).astype(np.float32)
    (got,) = run(ir.to_proto(model), {model.graph.inputs[0].name or "": x})
    with torch.no_grad():
        np.testing.assert_allclose(got, module(torch.from_numpy(x)).numpy(), atol=1e-4)
