"""The bench of every module of rtl/soc, and the parameters that it runs with."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from rtl_run import ROOT, bench_results


@dataclass(frozen=True)
class Case:
    """A module with parameters.

    Attributes:
        bench: module of cocotb tests.
        files: contents of what the module reads, by the name in its parameters.
    """

    module: str
    bench: str
    parameters: Mapping[str, object] = field(default_factory=dict)
    files: Mapping[str, str] = field(default_factory=dict)

    def run(self, folder: Path, rtl: Path = ROOT / "rtl") -> tuple[int, int]:
        """How many tests were run and how many failed; `rtl` may be a copy of rtl/ with a fault."""
        for name, text in self.files.items():
            (folder / name).write_text(text)
        plusargs = [f"+module={self.module}"]
        return bench_results(self.module, self.bench, self.parameters, folder, plusargs=plusargs, rtl=rtl)


PIPELINE = {"WGT_WORDS": 16, "PAR_WORDS": 8}
LISTS = {"ACT_BYTES": 1024, "WGT_WORDS": 64, "PAR_WORDS": 16, "DESC_AW": 9}
WORDS = "".join(f"{0x100 + i:08x}\n" for i in range(16))

CASES: dict[str, Case] = {
    "crc32": Case("tsm_crc32", "soc_arithmetic_bench"),
    "ram": Case("tsm_ram", "soc_memory_bench", {"WIDTH": 5, "DEPTH": 16}),
    "arbiter": Case("tsm_arbiter", "soc_memory_bench"),
    "act-mem": Case(
        "tsm_act_mem", "soc_memory_bench", {"ACT_BYTES": 128, "BANKS": 8, "LANES": 8, "BYTES": 4, "PATIENCE": 3}
    ),
    "act-mem-wide": Case(
        "tsm_act_mem", "soc_memory_bench", {"ACT_BYTES": 64, "BANKS": 8, "LANES": 4, "BYTES": 8, "PATIENCE": 1}
    ),
    "mac": Case("tsm_mac", "soc_arithmetic_bench", {"LANES": 8}),
    "mac-shift": Case("tsm_mac", "soc_arithmetic_bench", {"LANES": 4, "KIND": 1}),
    "mac-xnor": Case("tsm_mac", "soc_arithmetic_bench", {"LANES": 4, "KIND": 2}),
    "requantizer": Case("tsm_requantizer", "soc_arithmetic_bench"),
    "history": Case("tsm_history", "soc_arithmetic_bench", {"LANES": 4}),
    "axil": Case("tsm_axil", "soc_axil_bench"),
    "drain": Case("tsm_drain", "soc_arithmetic_bench", {"PES": 8, "RQS": 2, "BYTES": 4, "TABLES": 0}),
    "drain-wide": Case("tsm_drain", "soc_arithmetic_bench", {"PES": 8, "RQS": 8, "BYTES": 8}),
    "tables": Case("tsm_tables", "soc_arithmetic_bench", {"RQS": 2, "TABLES": 4}),
    "desc-mem": Case("tsm_desc_mem", "soc_memory_bench", {"DESC_WORDS": 32}),
    "loader": Case(
        "tsm_loader", "soc_loader_bench", {"PES": 4, "LANES": 8, "WGT_WORDS": 16, "PAR_WORDS": 8, "DESC_AW": 6}
    ),
    "loader-bare": Case(
        "tsm_loader",
        "soc_loader_bench",
        {"PES": 8, "LANES": 4, "WGT_WORDS": 8, "PAR_WORDS": 8, "TABLES": 0, "DESC_AW": 6},
    ),
    "pe": Case("tsm_pe", "soc_pipeline_bench", {"LANES": 8, **PIPELINE}),
    "pe-xnor": Case("tsm_pe", "soc_pipeline_bench", {"LANES": 4, "KIND": 2, **PIPELINE}),
    "array": Case("tsm_array", "soc_pipeline_bench", {"PES": 4, "LANES": 8, "ADDR_W": 10, **PIPELINE}),
    "array-xnor": Case(
        "tsm_array", "soc_pipeline_bench", {"PES": 8, "LANES": 8, "KIND": 2, "HISTORY": 0, "ADDR_W": 10, **PIPELINE}
    ),
    "array-wide": Case("tsm_array", "soc_pipeline_bench", {"PES": 8, "LANES": 4, "ADDR_W": 10, **PIPELINE}),
    "nest": Case("tsm_nest", "soc_nest_bench", {"ADDR_W": 10, "W_ADDR_W": 6, "P_ADDR_W": 4}),
    "nest-wide": Case("tsm_nest", "soc_nest_bench", {"LANES": 4, "RQS": 2, "ADDR_W": 10, "W_ADDR_W": 6, "P_ADDR_W": 4}),
    "compute": Case("tsm_compute", "soc_lists_bench", LISTS),
    "compute-bare": Case("tsm_compute", "soc_lists_bench", {**LISTS, "OPS": 0}),
    "compute-bits": Case("tsm_compute", "soc_lists_bench", {**LISTS, "BITS": 1}),
    "csr": Case("tsm_csr", "soc_csr_bench", {"IDENTITY": 0x1234ABCD}),
    "uart": Case("tsm_uart", "soc_peripherals_bench", {"DIVISOR": 5, "QUEUE": 4}),
    "timer": Case("tsm_timer", "soc_peripherals_bench"),
    "watchdog": Case("tsm_watchdog", "soc_peripherals_bench"),
    "irqc": Case("tsm_irqc", "soc_peripherals_bench"),
    "system": Case("tsm_system", "soc_peripherals_bench"),
    "stream-regs": Case("tsm_stream_regs", "soc_peripherals_bench", {"DEPTH": 64}),
    "bus": Case("tsm_bus", "soc_bus_bench"),
    "axil-master": Case("tsm_axil_master", "soc_bus_bench"),
    "ext-arbiter": Case("tsm_ext_arbiter", "soc_bus_bench"),
    "cpu-ram": Case("tsm_cpu_ram", "soc_bus_bench", {"WORDS": 16, "FILE": '"words.hex"'}, {"words.hex": WORDS}),
    "prefetch": Case("tsm_prefetch", "soc_bus_bench", {"RAM_BYTES": 256}),
    "stream": Case("tsm_stream", "soc_stream_bench", {"DEPTH": 64}),
    "trigger": Case("tsm_trigger", "soc_stream_bench", {"DEPTH": 64}),
    "packer": Case("tsm_packer", "soc_stream_bench"),
    "sample": Case("tsm_sample", "soc_stream_bench"),
    "results": Case("tsm_results", "soc_stream_bench", {"QUEUE": 4}),
}
"""By a name of module and parameters."""

ELSEWHERE = {"tsm_accel": "tests/rtl/accel_bench.py", "tsm_soc": "tests/soc/test_soc_icarus.py"}
"""Whole machines, and where their benches stand."""
