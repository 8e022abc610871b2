"""Builds of one net that has everything, made once for each target, and the oracle's answers."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache

import pytest
from cpu_nets import Built, Sample, build, everything
from tinsmith.verify.oracle import Oracle
from tinsmith_backends.cpu.backend import BACKEND


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
