"""From a trained network to integers, and their answers: by the oracle, and by any target, which must give the same."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import onnx_ir as ir
import tinsmith
import torch
from tinsmith.backend import Registry
from tinsmith.errors import TinsmithError
from tinsmith.frontend.torch_file import export_module
from tinsmith.ir.reader import read_exact
from tinsmith.verify.oracle import Oracle

from pulse.network import STRIDE, PulseNet, deployed, deployed_16, example_input
from pulse.rounding import Ranges, recipe

Array = npt.NDArray[Any]
INPUT = "pulse"
RECIPE_16 = """calibrator = "min-max"
activations = "16-bit"
[layers.pulse]
range = [-32768.0, 32767.0]     # steps of one count of the ADC
[layers.head]
output = "accumulator"
"""
"""What makes a network of 16 bits: all values between layers, and weights as they were trained in float."""


def quantize(net: PulseNet, ranges: Ranges, samples: Array, folder: Path) -> Path:
    """The exact graph of `net` in `folder`, with the float model, the recipe and the samples beside it."""
    return _quantize(deployed(net), example_input(), recipe(ranges), samples, folder)


def quantize_16(net: PulseNet, samples: Array, folder: Path, narrow: Sequence[str] = ()) -> Path:
    """The same in 16 bits, for `samples` (and inputs) as `network.as_words` gives them; but for `narrow` layers."""
    told = RECIPE_16 + "".join(f'[layers."{layer}"]\nactivations = "8-bit"\n' for layer in narrow)
    return _quantize(deployed_16(net), example_input(STRIDE), told, samples, folder)


def _quantize(net: PulseNet, example: torch.Tensor, told: str, samples: Array, folder: Path) -> Path:
    import onnx

    folder.mkdir(parents=True, exist_ok=True)
    onnx.save(export_module(net, (example,), {}), folder / "pulse_net.onnx")
    (folder / "recipe.toml").write_text(told)
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


def refusal(exact: Path, target: str) -> str:
    """Why `target` does not take the exact graph; empty where it does."""
    backend, _ = Registry.load().target(target)
    problems = backend.configured(target, {}).problems(read_exact(ir.load(exact)), target)
    return problems[0].why if problems else ""


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
