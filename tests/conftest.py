"""Shared by all tests; its presence puts tests/ on the path, so that any of them can import `exact_models`.

No test depends on chance: every one, and every fixture, begins with the same state of the random generators that a
process shares, torch sums in one order, and hypothesis tries the same examples each time. `pytest
--hypothesis-profile=chance` tries others.
"""

from __future__ import annotations

import random
import sys

import numpy as np
import pytest
from hypothesis import HealthCheck, settings

# How long an example takes, or is drawn, says how busy the machine is.
settings.register_profile("chance", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("same", settings.get_profile("chance"), derandomize=True, database=None)
settings.load_profile("same")


@pytest.hookimpl(tryfirst=True)
def pytest_fixture_setup() -> None:
    _same_state()


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_call() -> None:
    _same_state()


def _same_state() -> None:
    random.seed(0)
    np.random.seed(0)
    if (torch := sys.modules.get("torch")) is not None:  # its generator begins with another state in each process
        torch.manual_seed(0)
        torch.set_num_threads(1)  # sums are in the same order everywhere, and test processes do not fight for the cores
