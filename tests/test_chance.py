"""What conftest.py promises: whatever ran before, a test and a fixture draw what they drew last time."""

from __future__ import annotations

import random

import numpy as np
import pytest
from hypothesis import HealthCheck, settings

torch = pytest.importorskip("torch")
Drawn = tuple[float, float, float]
ALONE: Drawn = (
    random.Random(0).random(),
    np.random.RandomState(0).random(),
    torch.rand((), generator=torch.Generator().manual_seed(0)).item(),
)


def drawn() -> Drawn:
    return random.random(), np.random.random(), torch.rand(()).item()


@pytest.fixture
def two(request: pytest.FixtureRequest) -> list[Drawn]:
    """What a fixture draws, and again one that it asks for in between."""
    return [drawn(), request.getfixturevalue("another")]


@pytest.fixture
def another() -> Drawn:
    return drawn()


def test_tests_and_fixtures_draw_the_same(two: list[Drawn]) -> None:
    assert [*two, drawn()] == [ALONE] * 3
    assert torch.get_num_threads() == 1


def test_no_example_depends_on_chance_or_on_the_clock(request: pytest.FixtureRequest) -> None:
    assert settings().deadline is None and HealthCheck.too_slow in settings().suppress_health_check
    if request.config.getoption("--hypothesis-profile") in (None, "same"):
        assert settings().derandomize
