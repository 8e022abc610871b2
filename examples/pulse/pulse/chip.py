"""From a trained network to integers, and their answers: by the oracle, and by any target, which must give the same."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import tinsmith
import torch
from tinsmith.errors import TinsmithError
from tinsmith.frontend.torch_file import export_module
from tinsmith.verify.oracle import Oracle

from pulse.network import PulseNet, deployed, example_input
from pulse.rounding import Ranges, recipe

Array = npt.NDArray[Any]
INPUT = "pulse"


def quantize(net: PulseNet, ranges: Ranges, samples: Array, folder: Path) -> Path:
    """The exact graph of `net` in `folder`, with the float model, the recipe and the samples beside it."""
    import onnx

    folder.mkdir(parents=True, exist_ok=True)
    onnx.save(export_module(deployed(net), (example_input(),), {}), folder / "pulse_net.onnx")
    (folder / "recipe.toml").write_text(recipe(ranges))
    np.savez(folder / "calibrate.npz", **{INPUT: samples})
    exact = folder / "pulse_net.exact.onnx"
    return tinsmith.quantize(folder / "pulse_net.onnx", {INPUT: samples}, exact, recipe=folder / "recipe.toml")


def float_answers(net: PulseNet, inputs: Array) -> Array:
    """(n, 2) what the float network answers."""
    with torch.no_grad():
        return np.concatenate([net(torch.from_numpy(part)).numpy() for part in np.array_split(inputs, 16)])


def exact_answers(exact: Path, inputs: Array) -> Array:
    """(n, 2) what the exact integers answer: the oracle, and so every target."""
    oracle = Oracle(exact)
    answers = [oracle.run({INPUT: x[None]}) for x in inputs]
    (output,) = (name for name in answers[0] if answers[0][name].dtype == np.float32)
    return np.concatenate([answer[output] for answer in answers])


def target_answers(exact: Path, target: str, inputs: Array, folder: Path) -> Array:
    """(n, 2) what an artefact for `target` answers, built in `folder`.

    Raises:
        TinsmithError: one bit of an answer differs from the oracle's.
    """
    tinsmith.compile(exact, target, folder, calibrate={INPUT: inputs[:8]})
    (answers,) = tinsmith.run(folder, {INPUT: inputs}).values()
    different = int((answers.view(np.uint32) != exact_answers(exact, inputs).view(np.uint32)).any(axis=1).sum())
    if different:
        raise TinsmithError(f"{different} of {len(inputs)} answers differ from the oracle's", where=str(folder))
    return answers
