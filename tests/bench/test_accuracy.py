"""Trained networks keep their accuracy as exact integers."""

import pytest
from accuracy import DATA, WORKS, Work, measure

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not DATA.exists(), reason=f"the trained networks are not at {DATA}"),
]


@pytest.mark.parametrize("work", WORKS, ids=lambda work: work.name)
def test_int8_is_close_to_float(work: Work) -> None:
    if ".py:" in work.model:
        pytest.importorskip("torch")
    expected = {"ResNet8": 85.5, "DS-CNN": 91.3}.get(work.name, 90.0)
    ours, peer = measure(work, DATA)
    assert peer == pytest.approx(expected, abs=0.01)
    assert ours >= peer - work.points
