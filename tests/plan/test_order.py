from __future__ import annotations

import numpy as np
from tinsmith.plan.order import Use, order_steps, peak


def _branches() -> tuple[list[Use], dict[str, int]]:
    """Two branches that grow and shrink: side by side they are both large at once."""
    uses = [
        Use(("x",), ("a1",)),
        Use(("x",), ("b1",)),
        Use(("a1",), ("a2",)),
        Use(("b1",), ("b2",)),
        Use(("a2", "b2"), ("y",)),
    ]
    return uses, {"x": 10, "a1": 100, "b1": 100, "a2": 1, "b2": 1, "y": 1}


def test_one_branch_after_the_other() -> None:
    uses, sizes = _branches()
    kept = frozenset({"y"})
    order = order_steps(uses, sizes, kept)
    assert peak(uses, list(range(5)), sizes, kept) == 210
    assert peak(uses, order, sizes, kept) == 111
    assert order.index(2) < order.index(1) or order.index(3) < order.index(0)


def test_the_given_order_stays_where_no_other_is_better() -> None:
    uses = [Use(("x",), ("a",)), Use(("x",), ("b",)), Use(("a", "b"), ("y",))]
    assert order_steps(uses, dict.fromkeys("xaby", 8)) == [0, 1, 2]


def test_every_order_is_topological_and_never_worse() -> None:
    rng = np.random.default_rng(5)
    for _ in range(100):
        count = int(rng.integers(2, 12))
        uses = []
        for i in range(count):
            earlier = (
                [f"t{int(j)}" for j in rng.choice(i, size=min(i, int(rng.integers(1, 3))), replace=False)] if i else []
            )
            uses.append(Use(tuple(earlier) or ("x",), (f"t{i}",)))
        sizes = {"x": 5, **{f"t{i}": int(rng.integers(1, 100)) for i in range(count)}}
        kept = frozenset({f"t{count - 1}"})
        order = order_steps(uses, sizes, kept)
        assert sorted(order) == list(range(count))
        done = {"x"}
        for i in order:
            assert set(uses[i].reads) <= done
            done |= set(uses[i].writes)
        assert peak(uses, order, sizes, kept) <= peak(uses, list(range(count)), sizes, kept)
