"""Machines without gaps: a word in every clock at the fastest folding, and multipliers that never wait at any other."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from exact_models import Net
from rtl_nets import bits, digits, integers
from rtl_run import need_icarus
from test_machine import build, make_test
from tinsmith_backends.rtl.buffers import Design, design
from tinsmith_backends.rtl.clocks import timing
from tinsmith_backends.rtl.folding import Pins

need_icarus()

UNITS = Pins(everywhere={"kind": "mvu"})
"""Matrix-vector units wherever there may be some."""


def slowest(made: Design) -> int:
    return max(one.cycles for one in made.machine.instances if one.module == "tsm_mvu")


@pytest.mark.parametrize(
    "interval", [64, 128, 256, 1024, *(pytest.param(n, marks=pytest.mark.slow) for n in (512, 2048, 4096, 16384))]
)
def test_the_multipliers_of_the_slowest_layer_never_wait(interval: int) -> None:
    made = design(digits().graph(), interval, UNITS)
    assert made.timing.interval <= interval
    assert slowest(made) >= 0.9 * made.timing.interval


@pytest.mark.parametrize("make", [integers, bits])
@pytest.mark.parametrize("interval", [70, 130, 300])
def test_streams_keep_up_with_engines(make: type[Net], interval: int) -> None:
    made = design(make().graph(), interval, UNITS)  # type: ignore[call-arg]
    assert made.timing.interval == made.machine.cycles <= interval


def test_a_pixel_every_clock(tmp_path: Path) -> None:
    build(digits(), 64, tmp_path / "p", kind="mvu")
    text = make_test(tmp_path / "p", "COCOTB_TEST_FILTER=inferences_back_to_back")
    assert text.endswith("exit:zero") and "PASS=1 FAIL=0" in text
    assert json.loads((tmp_path / "p" / "tinsmith.json").read_text())["inputs"][0]["words"] == 64
    assert re.search(r"later ones after \[\d+, 64, 64\] more", text)


def test_a_shorter_queue_of_a_branch_stalls(tmp_path: Path) -> None:
    build(integers(), 128, tmp_path / "p", samples=8)
    top = tmp_path / "p" / "src" / "integers_top.sv"
    depths = [int(depth) for depth in re.findall(r"\.DEPTH\((\d+)\)", top.read_text())]
    long = max(depths)
    assert long > 16
    top.write_text(top.read_text().replace(f".DEPTH({long})", f".DEPTH({long - 1})"))
    text = make_test(tmp_path / "p", "COCOTB_TEST_FILTER=inferences_back_to_back")
    assert text.endswith("exit:error") and re.search("(latency|interval) [0-9]+, promised", text)


def test_no_queue_of_a_branch_stands_still() -> None:
    from dataclasses import replace

    made = design(integers().graph(), 128, UNITS)
    short = [
        replace(one, parameters={**one.parameters, "DEPTH": 4}) if one.parameters.get("DEPTH", 0) > 16 else one  # type: ignore[operator]
        for one in made.machine.instances
    ]
    assert timing(replace(made.machine, instances=tuple(short))) is None
