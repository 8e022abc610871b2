"""The order of steps: topological, and the one of a few candidates that keeps the fewest bytes alive."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Use:
    """What one step reads and writes, by buffer name."""

    reads: tuple[str, ...]
    writes: tuple[str, ...]


def order_steps(uses: Sequence[Use], sizes: Mapping[str, int], kept: frozenset[str] = frozenset()) -> list[int]:
    """Indices of `uses` in execution order.

    `uses` must be in a topological order already; it is returned as it is unless another order needs less memory at
    its peak, so that generated code follows the network's own order where that costs nothing. `sizes` are bytes;
    buffers in `kept` are never freed (the network's outputs).
    """
    given = list(range(len(uses)))
    greedy = _greedy(uses, sizes, kept)
    return greedy if peak(uses, greedy, sizes, kept) < peak(uses, given, sizes, kept) else given


def peak(uses: Sequence[Use], order: Sequence[int], sizes: Mapping[str, int], kept: frozenset[str]) -> int:
    """The largest number of bytes alive while any step runs in this order."""
    state = _Live(uses, sizes, kept)
    return max((state.run(i) for i in order), default=0)


def _greedy(uses: Sequence[Use], sizes: Mapping[str, int], kept: frozenset[str]) -> list[int]:
    """List scheduling: of the steps that are ready, the one that leaves the fewest bytes alive goes first."""
    state = _Live(uses, sizes, kept)
    writers = {w: i for i, use in enumerate(uses) for w in use.writes}
    waiting = {i: {writers[r] for r in use.reads if r in writers} - {i} for i, use in enumerate(uses)}
    order: list[int] = []
    while waiting:
        ready = [i for i, needs in waiting.items() if not needs & waiting.keys()]
        key: Callable[[int], tuple[int, int]] = lambda i: (state.growth(i), i)  # noqa: E731
        chosen = min(ready, key=key)
        state.run(chosen)
        del waiting[chosen]
        order.append(chosen)
    return order


class _Live:
    """Bytes alive while steps run one after the other."""

    def __init__(self, uses: Sequence[Use], sizes: Mapping[str, int], kept: frozenset[str]) -> None:
        self._uses, self._sizes, self._kept = uses, sizes, kept
        self._readers: dict[str, int] = {}
        for use in uses:
            for name in set(use.reads):
                self._readers[name] = self._readers.get(name, 0) + 1
        written = {name for use in uses for name in use.writes}
        self._alive = {name for name in self._readers if name not in written}

    def _dying(self, step: int) -> set[str]:
        use = self._uses[step]
        dead = {r for r in use.reads if self._readers[r] == 1} | {w for w in use.writes if w not in self._readers}
        return dead - self._kept

    def growth(self, step: int) -> int:
        """Bytes that are alive after this step more than before it."""
        new = set(self._uses[step].writes) - self._alive
        return sum(self._sizes[n] for n in new) - sum(self._sizes[n] for n in self._dying(step))

    def run(self, step: int) -> int:
        """Do the step; returns the bytes alive while it ran."""
        use = self._uses[step]
        dying = self._dying(step)
        self._alive |= set(use.writes)
        during = sum(self._sizes[n] for n in self._alive)
        for name in set(use.reads):
            self._readers[name] -= 1
        self._alive -= dying
        return during
