"""What one run of the comparison covers."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from tinsmith.train.methods import METHODS

REAL = "real"
"""The twin without bits, which every method is compared with."""


@dataclass(frozen=True)
class Plan:
    """The size of a comparison.

    Attributes:
        out: folder of results and trained states.
        data: folder of sets that do not come in dependencies; it may be missing.
        full: all seeds, sets and settings.
        methods: binary methods to compare.
    """

    out: Path
    data: Path
    full: bool = False
    methods: tuple[str, ...] = tuple(METHODS)

    @property
    def seeds(self) -> tuple[int, ...]:
        """Of first weights and the order of samples."""
        return (0, 1, 2) if self.full else (0,)

    @property
    def variants(self) -> tuple[str, ...]:
        """The real-valued twin and the methods."""
        return (REAL, *self.methods)
