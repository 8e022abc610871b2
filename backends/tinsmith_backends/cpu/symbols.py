"""Kernels under names of the network's own, so that two networks can be linked into one program."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from tinsmith_backends.cpu.kernels.base import Isa, Kernel

_PREFIX = "tinsmith_"


def own_symbol(network: str, kernel: Kernel) -> str:
    """The C symbol of a kernel in the artefact of `network`."""
    return f"{network}_{kernel.symbol.removeprefix(_PREFIX)}"


@dataclass(frozen=True)
class OwnKernel(Kernel):
    """A kernel of one network: the same code under `own_symbol`."""

    kernel: Kernel
    network: str

    @property
    def isa(self) -> Isa:  # type: ignore[override]
        """The instruction set of the kernel."""
        return self.kernel.isa

    @property
    def name(self) -> str:
        """The kernel's own name."""
        return self.kernel.name

    @property
    def symbol(self) -> str:
        """See `own_symbol`."""
        return own_symbol(self.network, self.kernel)

    @property
    def scratch_bytes(self) -> int:
        """Bytes of scratch that one call needs."""
        return self.kernel.scratch_bytes

    @property
    def in_place(self) -> tuple[int, ...]:
        """Inputs whose storage the output may take."""
        return self.kernel.in_place

    def prim_func(self) -> Any:
        """The kernel's code, renamed."""
        return self.kernel.prim_func().with_attr("global_symbol", self.symbol)
