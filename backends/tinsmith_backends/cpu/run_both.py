"""Runs an artefact that holds its network twice: for the device, and in portable C beside it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy.typing as npt
from tinsmith.backend import Arrays, Runner

PORTABLE = "portable"
"""Folder of the portable C, and the word before the kind of its constants."""


class BothRunner:
    """Runs one of the two forms; whichever it is, the constants of both are read.

    A caller who asks for `native` has the portable form run, for `qemu-arm` the device's.
    """

    def __init__(self, device: Runner, portable: Runner, *, run_portable: bool) -> None:
        self._device, self._portable = device, portable
        self._chosen = portable if run_portable else device
        self.name = self._chosen.name

    def constants(self) -> Mapping[str, bytes]:
        """By `layer/kind`; those of the portable form by `layer/portable kind`."""
        return {**self._device.constants(), **portable_keys(self._portable.constants())}

    def run(self, samples: Sequence[Arrays], *, layers: bool = True) -> Iterator[dict[str, npt.NDArray[Any]]]:
        """See `tinsmith.backend.Runner`; of the form that was asked for."""
        return self._chosen.run(samples, layers=layers)

    def time(self, sample: Arrays, *, repeats: int) -> list[float]:
        """Seconds of each inference of the form that was asked for."""
        return self._chosen.time(sample, repeats=repeats)


def portable_keys(constants: Mapping[str, bytes]) -> dict[str, bytes]:
    """Constants of the portable form under keys of their own."""
    split = {key: key.rpartition("/") for key in constants}
    return {f"{layer}/{PORTABLE} {kind}": constants[key] for key, (layer, _, kind) in split.items()}
