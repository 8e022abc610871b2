"""Runs programs of the soc backend on the model in numpy and compares every tensor with the oracle."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import onnx_ir as ir
from tinsmith.ir.exact import ExactGraph
from tinsmith.verify.oracle import Oracle
from tinsmith_backends.soc.chip import Chip
from tinsmith_backends.soc.constraints import problems
from tinsmith_backends.soc.description import frames
from tinsmith_backends.soc.model import Model
from tinsmith_backends.soc.program import Program, compile_program

Sample = Mapping[str, npt.NDArray[np.float32]]


def run_model(program: Program, samples: Sequence[Sample], image: bytes = b"") -> Iterator[dict[str, npt.NDArray[Any]]]:
    """Every tensor that the model makes, by name, for each sample."""
    model = Model(program.chip, image or program.image.data)
    for sample in samples:
        seen: dict[str, npt.NDArray[Any]] = {}

        def watch(count: int, act: npt.NDArray[np.uint8], seen: dict[str, npt.NDArray[Any]] = seen) -> None:
            for trace in program.traces:
                if trace.computes == count:
                    seen[trace.tensor.name] = trace.values(act[trace.address : trace.address + trace.size].tobytes())

        outputs = model.run(frames(program, sample), watch)
        for trace, data in zip(program.outputs, outputs, strict=True):
            assert np.array_equal(trace.values(data), seen[trace.tensor.name])
        yield seen


def wrong_tensors(program: Program, model: ir.Model, samples: Sequence[Sample], image: bytes = b"") -> list[str]:
    """Names of tensors that differ from the oracle's, in the graph's order; at least one tensor is compared."""
    oracle, wrong, count = Oracle(model), [], 0
    for sample, seen in zip(samples, run_model(program, samples, image), strict=True):
        expected = oracle.run(sample)
        for name, values in seen.items():
            right = expected[name]
            count += 1
            if values.dtype != right.dtype or not np.array_equal(values, right):
                wrong.append(name)
    assert count
    return wrong


def compiled(graph: ExactGraph, chip: Chip | None = None) -> Program:
    """The program of a graph that keeps all rules."""
    assert problems(graph, chip or Chip()) == []
    return compile_program(graph, chip or Chip())
