"""Run an artefact and compare every layer with the oracle: the proof that a build computes the exact graph's bits."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy.typing as npt

from tinsmith.backend import Arrays, Runner
from tinsmith.errors import TinsmithError
from tinsmith.ir.exact import ExactGraph
from tinsmith.verify.compare import Mismatch, compare_constants, compare_tensors


class Reference(Protocol):
    """What the artefact is compared with: `tinsmith.verify.oracle.Oracle`, or a fake in tests."""

    def run(self, sample: Arrays, /) -> Mapping[str, npt.NDArray[Any]]:
        """Every tensor of the exact graph, by name, for one sample of float inputs."""
        ...


@dataclass(frozen=True)
class Verification:
    """What `verify` found.

    Attributes:
        samples: samples that were run and compared, calibration and generated ones together.
        values_compared: elements of layer tensors that were compared and equal.
        layers_compared: layers whose output the artefact materialised and which were compared.
        constants_compared: bytes of weights, biases, multipliers and tables that were compared and equal.
        exact: whether every bit was the same, and something was compared at all.
        first_mismatch: where the first difference is; None if `exact`.
    """

    target: str
    runner: str
    samples: int
    values_compared: int
    layers_compared: int
    constants_compared: int
    exact: bool
    first_mismatch: Mismatch | None

    def as_json(self) -> dict[str, Any]:
        """The object that `tinsmith verify --json` prints."""
        return {
            "target": self.target,
            "runner": self.runner,
            "samples": self.samples,
            "values_compared": self.values_compared,
            "exact": self.exact,
            "first_mismatch": self.first_mismatch.as_json() if self.first_mismatch else None,
            "layers_compared": self.layers_compared,
            "constants_compared": self.constants_compared,
        }


def verify_artefact(
    graph: ExactGraph,
    reference: Reference,
    runner: Runner,
    expected_constants: Mapping[str, bytes],
    samples: Sequence[tuple[str, Arrays]],
    *,
    target: str,
) -> Verification:
    """Compare the artefact's constants, then every layer of every sample, and stop at the first difference.

    Args:
        graph: what was built.
        reference: gives the tensors that are right.
        runner: runs the artefact.
        expected_constants: what the artefact's constants must be, computed again from `graph`.
        samples: name of the sample and its float inputs.
        target: the target's name, for the result.

    Raises:
        TinsmithError: there is no sample, the artefact answered fewer samples than it was given, or none of its
            answers held a tensor of the graph. What was not compared is never called exact.
    """
    if not samples:
        raise TinsmithError("there is no sample to verify with", why="nothing would be compared", fix="--samples 16")
    wrong = compare_constants(graph, expected_constants, runner.constants())
    if wrong is not None:
        return Verification(target, runner.name, 0, 0, 0, 0, False, wrong)
    count, values, names = 0, 0, set[str]()
    answers = runner.run([inputs for _, inputs in samples], layers=True)
    for (name, inputs), got in _paired(samples, answers, runner):
        names |= got.keys()
        compared, mismatch = compare_tensors(graph, reference.run(inputs), got, name)
        count, values = count + 1, values + compared
        if mismatch is not None:
            return _result(graph, runner, target, count, values, names, expected_constants, mismatch)
    if values == 0:
        why = f"none of the tensors that runner {runner.name!r} returned belongs to the exact graph"
        raise TinsmithError("nothing was compared", why=why, fix="build the folder again")
    return _result(graph, runner, target, count, values, names, expected_constants, None)


def _result(
    graph: ExactGraph,
    runner: Runner,
    target: str,
    samples: int,
    values: int,
    names: set[str],
    constants: Mapping[str, bytes],
    mismatch: Mismatch | None,
) -> Verification:
    layers = sum(layer.output in names for layer in graph.layers)
    size = sum(map(len, constants.values()))
    return Verification(target, runner.name, samples, values, layers, size, mismatch is None, mismatch)


def _paired(
    samples: Sequence[tuple[str, Arrays]], answers: Iterator[dict[str, npt.NDArray[Any]]], runner: Runner
) -> Iterator[tuple[tuple[str, Arrays], dict[str, npt.NDArray[Any]]]]:
    """Pairs of sample and answer; an artefact that stops answering is an error, not a shorter comparison."""
    for number, sample in enumerate(samples):
        got = next(answers, None)
        if got is None:
            what = f"the artefact answered {number} of {len(samples)} samples"
            raise TinsmithError(what, where=f"runner {runner.name}", fix="build the folder again")
        yield sample, got
