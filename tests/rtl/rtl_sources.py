"""Sources and parameters for tools that read RTL: modules with the parameters of their benches, and whole machines."""

from __future__ import annotations

import contextlib
from pathlib import Path

from exact_wide import sixteen
from rtl_nets import bits, integers, skewed
from rtl_run import ROOT
from test_stream import CASES
from tinsmith_backends.rtl.backend import RtlBackend

SOURCES = [path for path in sorted((ROOT / "rtl").glob("*/*.sv")) if path.parent.name in ("common", "stream")]
"""What streaming machines are made of."""
NETS = {"integers": (integers, 1024), "bits": (bits, 512), "skewed": (skewed, 2000), "sixteen": (sixteen, 1024)}


def module_case(case: str, folder: Path) -> tuple[str, dict[str, int | str]]:
    """A module and its parameters; ROM files lie in `folder` and are named as from there."""
    module, parameters = CASES[case]
    return module, {name: _plain(value) for name, value in parameters(folder).items()}


def _plain(value: object) -> int | str:
    return value if isinstance(value, int) else Path(str(value).strip('"')).name


def build_machine(name: str, folder: Path) -> tuple[str, list[Path]]:
    """A machine in `folder`: its top and its sources."""
    make, interval = NETS[name]
    folder.mkdir(parents=True)
    backend = RtlBackend().configured("rtl-verilog", {"interval": str(interval)})
    backend.build(make().graph(), "rtl-verilog", folder, lambda step: contextlib.nullcontext())
    top = next((folder / "src").glob("*_top.sv")).stem
    return top, sorted((folder / "src").glob("*.sv"))
