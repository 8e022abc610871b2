"""Writes a trained network as an ONNX file that stock onnxruntime runs and `tinsmith compile` takes."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor, nn

from tinsmith.errors import TinsmithError
from tinsmith.frontend.prepare import prepare
from tinsmith.frontend.torch_file import export_module
from tinsmith.output import replace_file

if TYPE_CHECKING:
    import onnx

MODEL_NAME = "model.onnx"
CALIBRATION_NAME = "calibrate.npz"
CALIBRATION_SAMPLES = 128


def export(net: nn.Module, example: Any, path: str | Path) -> None:
    """Write `net` in inference to the ONNX file `path`, in one step.

    Every binary or shift layer is one operator of `ai.tinsmith.trained`, with its body in the file; each node says
    which module and which Python line it came from.

    Args:
        net: a network; it is left as it was.
        example: what it takes: one tensor or a tuple of them, samples first. The first sample gives the shapes.
        path: the file to make or replace, `.onnx`.

    Raises:
        TinsmithError: torch cannot export the network, or the file cannot be written.
    """
    path = Path(path)
    _write(_model(net, example if isinstance(example, tuple | list) else (example,), str(path)), path)


def export_run(net: nn.Module, x: Tensor, folder: Path) -> None:
    """Write model.onnx, and calibrate.npz with evenly spread samples of `x` under the name of the model's input.

    Args:
        net: a network of one input.
        x: (n, …) the samples that it was trained on.
        folder: of the run.

    Raises:
        TinsmithError: as `export`.
    """
    model = _model(net, (x,), str(folder / MODEL_NAME))
    chosen = torch.linspace(0, len(x) - 1, min(len(x), CALIBRATION_SAMPLES)).round().long()
    with replace_file(folder / CALIBRATION_NAME, suffix=".npz") as partial, partial.open("wb") as stream:
        np.savez(stream, **{model.graph.input[0].name: x[chosen].numpy()})
    _write(model, folder / MODEL_NAME)


def _model(net: nn.Module, example: tuple[Tensor, ...] | list[Tensor], where: str) -> onnx.ModelProto:
    still = copy.deepcopy(net).cpu().eval()
    try:
        proto = export_module(still, tuple(part[:1].detach().cpu() for part in example), {})
    except TinsmithError:
        raise
    except Exception as error:  # the network's code may raise anything at all
        why = (str(error).strip().splitlines() or [type(error).__name__])[0]
        fix = "state.pt has the trained state, if there was a training"
        raise TinsmithError("PyTorch cannot export the network", where=where, why=why, fix=fix) from error
    return prepare(proto, {}, where, folder=None)


def _write(model: onnx.ModelProto, path: Path) -> None:
    with replace_file(path, suffix=".onnx") as partial:
        partial.write_bytes(model.SerializeToString(deterministic=True))
