"""Writes a trained network as an ONNX file that stock onnxruntime runs and `tinsmith compile` takes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from torch import nn

from tinsmith.errors import TinsmithError
from tinsmith.frontend.prepare import prepare
from tinsmith.frontend.torch_file import export_module
from tinsmith.output import replace_file


def export(net: nn.Module, example: Any, path: str | Path, folder: Path | None = None) -> None:
    """Write `net` in inference to the ONNX file `path`, in one step.

    Every binary or shift layer is one operator of `ai.tinsmith.trained`, with its body in the file; each node says
    which module and which Python line it came from.

    Args:
        net: a network; it is left as it was.
        example: what it takes: one tensor or a tuple of them, samples first. The first sample gives the shapes.
        path: the file to make or replace, `.onnx`.
        folder: what Python files are named relative to; None for their bare names.

    Raises:
        TinsmithError: torch cannot export the network, or the file cannot be written.
    """
    args = tuple(part[:1] for part in (example if isinstance(example, tuple | list) else (example,)))
    training = net.training
    try:
        proto = export_module(net, args, {})
    except TinsmithError:
        raise
    except Exception as error:  # the network's code may raise anything at all
        cause = (str(error).strip().splitlines() or [type(error).__name__])[0]
        raise TinsmithError("PyTorch cannot export the network", where=str(path), why=cause) from error
    finally:
        net.train(training)
    model = prepare(proto, {}, str(path), folder)
    with replace_file(Path(path), suffix=".onnx") as partial:
        partial.write_bytes(model.SerializeToString(deterministic=True))
