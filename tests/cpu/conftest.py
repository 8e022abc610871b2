"""Builds of one net that has everything, made once for each target, and the oracle's answers."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy.typing as npt
import pytest
from cpu_nets import build, everything
from tinsmith.backend import Build
from tinsmith.ir.exact import ExactGraph
from tinsmith.verify.oracle import Oracle
from tinsmith_backends.cpu.backend import BACKEND

Sample = dict[str, npt.NDArray[Any]]


@dataclass(frozen=True)
class Built:
    """A build folder, what it was built from, and samples with the oracle's tensors."""

    folder: Path
    build: Build
    graph: ExactGraph
    target: str
    samples: list[Sample]
    expected: list[Sample]


@pytest.fixture(scope="session")
def built(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Built]:
    """`built(target)`: everything() for a target, with self-test vectors."""
    net = everything()
    graph = net.graph()
    samples: list[Sample] = [{**net.sample(i, extreme=i == 3)} for i in range(4)]
    oracle = Oracle(net.model())
    expected = [dict(oracle.run(sample)) for sample in samples]

    @cache
    def make(target: str) -> Built:
        folder = tmp_path_factory.mktemp("builds") / target
        numbers = build(net, target, folder)
        BACKEND.write_vectors(graph, target, folder, samples, expected)
        return Built(folder, numbers, graph, target, samples, expected)

    return make
