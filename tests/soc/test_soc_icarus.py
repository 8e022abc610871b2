"""The whole chip in Icarus through cocotb, firmware included: five pulses."""

from __future__ import annotations

import contextlib
import json
import random
import shutil
from pathlib import Path

import pytest
from soc_image import dense, dense_answer
from tinsmith_backends.soc import firmware
from tinsmith_backends.soc import memory_map as m
from tinsmith_backends.soc.simulator import rtl_sources

pytest.importorskip("cocotb", reason="cocotb is not installed")
pytest.importorskip("pythondata_cpu_picorv32", reason="the processor is not installed")
pytest.importorskip("ziglang", reason="ziglang is not installed")

SAMPLES, PRETRIGGER, PULSES = 24, 5, 5


def pulses(rng: random.Random) -> list[int]:
    """Noise around 100 with pulses of several heights, far enough apart."""
    samples: list[int] = []
    for height in (300, 900, 2500, 450, 1700)[:PULSES]:
        samples += [100 + rng.randint(-6, 6) for _ in range(60)]
        samples += [100 + int(height * (0.85**i)) + rng.randint(-6, 6) for i in range(40)]
    return samples


FAULTS = {
    "address": (".dma_req_addr_i(fill_valid ? fill_addr : fetch_addr)", ".dma_req_addr_i(fill_addr)"),
    "strobes": (".dma_req_wstrb_i(fill_strb)", ".dma_req_wstrb_i(4'h7)"),
    "aliased": ("{4{ram_write}}", "{4{la_write}}"),
}
"""Of tsm_soc: a text in it, and what stands there instead."""


def run(tmp_path: Path, root: Path = firmware.ROOT) -> tuple[int, int]:
    """How many tests were run and how many failed, on the RTL of a source tree."""
    if shutil.which("iverilog") is None:
        pytest.skip("Icarus Verilog is not installed")
    from cocotb_tools.check_results import get_results
    from cocotb_tools.runner import get_runner

    rng = random.Random(21)
    weights = [[rng.randint(-127, 127) for _ in range(SAMPLES)] for _ in range(5)]
    bias, multiplier = [rng.randint(-999, 999) for _ in range(5)], [3000] * 5
    parts = dense(weights, bias, multiplier, 20)
    threshold, offset, shift = 200, 100, 4
    parts.inputs = [
        {"bytes": SAMPLES, "mode": m.INPUT_MODE["TRIGGER"], "format": m.SAMPLE_FORMAT["INT8"], "beat_bytes": 2,
         "shift": shift, "samples": SAMPLES, "pretrigger": PRETRIGGER, "threshold": threshold, "offset": offset,
         "timeout": 5000}
    ]  # fmt: skip
    samples = pulses(rng)
    rises = [i for i in range(1, len(samples)) if samples[i - 1] < threshold <= samples[i]]
    assert len(rises) == PULSES
    frames = [samples[at - PRETRIGGER : at - PRETRIGGER + SAMPLES] for at in rises]
    taken = [[max(-128, min(127, (v - offset + (1 << (shift - 1))) >> shift)) for v in frame] for frame in frames]
    answers = [dense_answer(frame, weights, bias, multiplier, 20) + bytes(3) for frame in taken]
    case = {"image": parts.pack().hex(), "samples": samples, "period": 25, "answers": [a.hex() for a in answers]}
    (tmp_path / "case.json").write_text(json.dumps(case))
    firmware.build(tmp_path / "firmware.hex")
    runner = get_runner("icarus")
    runner.build(
        sources=rtl_sources(root),
        hdl_toplevel="tsm_soc",
        parameters={"BEAT_BYTES": 2, "BUFFER_SAMPLES": 128, "UART_DIVISOR": 2, "FIRMWARE": '"firmware.hex"'},
        build_dir=tmp_path,
        build_args=["-g2012"],
        timescale=("1ns", "1ps"),
    )
    environment = {"PYTHONPATH": str(Path(__file__).parent), "SOC_CASE": str(tmp_path / "case.json")}
    results = tmp_path / "results.xml"
    with contextlib.suppress(SystemExit):  # which cocotb raises where a test fails
        runner.test(hdl_toplevel="tsm_soc", test_module="soc_chip_bench", build_dir=tmp_path, test_dir=tmp_path,
                    extra_env=environment, results_xml=str(results))  # fmt: skip
    count, failures = get_results(results)
    return int(count), int(failures)


def test_pulses_through_trigger_firmware_and_accelerator(tmp_path: Path) -> None:
    assert run(tmp_path) == (1, 0)


@pytest.mark.slow
@pytest.mark.parametrize("fault", FAULTS)
def test_the_chip_s_bench_sees_a_fault(fault: str, tmp_path: Path) -> None:
    shutil.copytree(firmware.ROOT / "rtl", tmp_path / "root" / "rtl")
    chip = tmp_path / "root" / "rtl" / "soc" / "tsm_soc.sv"
    text, instead = FAULTS[fault]
    assert chip.read_text().count(text) == 1
    chip.write_text(chip.read_text().replace(text, instead))
    assert run(tmp_path, tmp_path / "root") == (1, 1)
