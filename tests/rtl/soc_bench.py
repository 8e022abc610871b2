"""What the benches of rtl/soc share."""

from __future__ import annotations

import random
from collections.abc import Callable, Coroutine
from typing import Any

import cocotb
from cocotb.triggers import FallingEdge
from streams import pack, reset

Bench = Callable[[Any, random.Random], Coroutine[Any, Any, None]]


def only(*modules: str) -> Callable[[Bench], Any]:
    """A test of these modules; on others it is skipped."""

    def made(function: Bench) -> Any:
        async def test(dut: Any) -> None:
            await function(dut, random.Random(5))

        test.__name__ = test.__qualname__ = function.__name__
        skip = cocotb.plusargs.get("module") not in modules
        return cocotb.test(timeout_time=3, timeout_unit="ms", skip=skip)(test)

    return made


async def clocks(dut: Any, count: int = 1) -> None:
    for _ in range(count):
        await FallingEdge(dut.clk_i)


def rest(dut: Any, *names: str) -> None:
    for name in names:
        getattr(dut, name).value = 0


def quiet(dut: Any) -> None:
    """Every input but clock and reset is 0."""
    for handle in dut:
        if handle._name.endswith("_i") and handle._name not in ("clk_i", "rst_ni"):
            handle.value = 0


def known(dut: Any, *names: str) -> None:
    """Nothing of these is X."""
    for name in names:
        assert getattr(dut, name).value.is_resolvable, f"{name} is X after reset"


async def flush_or_reset(dut: Any, rng: random.Random) -> None:
    """One or the other, by chance."""
    if rng.random() < 0.5:
        dut.flush_i.value = 1
        await FallingEdge(dut.clk_i)
        dut.flush_i.value = 0
    else:
        await reset(dut)


def words(values: list[int]) -> int:
    """Words of 32 bits as one vector, the first lowest."""
    return pack(values, 32)
