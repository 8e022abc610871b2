"""Compiles the firmware with zig's clang, and writes it as the RTL reads it: a 32-bit word a line.

`python -m tinsmith_backends.soc.firmware firmware.hex [RAM_BYTES=65536]` does so for a chip with these parameters.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from tinsmith.errors import TinsmithError

ROOT = Path(__file__).resolve().parents[3]
"""The folder that has `firmware/` and `rtl/`; a build folder of the target is another one."""

RAM_BYTES = 32768
"""Of the default chip; the linker script says the same."""
FIRMWARE_BYTES = 16384
"""Of these, code, constants, variables and stack take at most; the rest is for the image's tables."""

TARGET = ("-target", "riscv32-freestanding", "-mcpu=generic_rv32+m+c")
FLAGS = (
    *("-std=c11", "-O2", "-ffreestanding", "-fno-sanitize=undefined", "-fno-builtin"),
    *("-ffunction-sections", "-fdata-sections", "-Wl,--gc-sections", "-fomit-frame-pointer", "-flto"),
)
STRICT = ("-Wall", "-Wextra", "-Wpedantic", "-Werror")


def sources(root: Path = ROOT) -> list[Path]:
    """The firmware's C files and its entry."""
    folder = root / "firmware" / "src"
    return sorted([*folder.glob("*.c"), *folder.glob("*.S")])


def build(out: Path, *, ram_bytes: int = RAM_BYTES, root: Path = ROOT) -> int:
    """Write `out` (hexadecimal words) for a chip with this much memory.

    Returns:
        the size of code and constants in bytes.
    """
    flags = (*STRICT, f"-I{root / 'firmware' / 'include'}")
    return link(out, sources(root), flags, ram_bytes=ram_bytes, root=root)


def link(out: Path, files: Sequence[Path], flags: Sequence[str], *, ram_bytes: int, root: Path = ROOT) -> int:
    """Compile and link these files with the firmware's linker script.

    Raises:
        TinsmithError: where the compiler is missing or refuses.
    """
    out.parent.mkdir(parents=True, exist_ok=True)
    script, elf, binary = (out.with_suffix(suffix) for suffix in (".ld", ".elf", ".bin"))
    text = (root / "firmware" / "link.ld").read_text()
    script.write_text(text.replace("LENGTH = 32K", f"LENGTH = {ram_bytes}"))
    zig = [sys.executable, "-m", "ziglang"]
    _run([*zig, "cc", *TARGET, *FLAGS, *flags, "-T", str(script), *map(str, files), "-o", str(elf)])
    _run([*zig, "objcopy", "-O", "binary", str(elf), str(binary)])
    data = binary.read_bytes()
    padded = data + bytes(-len(data) % 4)
    words = (int.from_bytes(padded[at : at + 4], "little") for at in range(0, len(padded), 4))
    out.write_text("".join(f"{word:08x}\n" for word in words))
    return len(data)


def _run(command: Sequence[str]) -> None:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        fix = "pip install 'tinsmith[cpu]' brings ziglang" if "No module named" in done.stderr else ""
        raise TinsmithError(f"the firmware does not compile:\n{done.stderr.strip()}", fix=fix)


def parameters_of(words: Sequence[str]) -> dict[str, int]:
    """NAME=VALUE words of a command line; raises `TinsmithError` for any other."""
    try:
        return {name: int(value, 0) for name, _, value in (word.partition("=") for word in words)}
    except ValueError as error:
        raise TinsmithError(f"{' '.join(words)} is no list of NAME=VALUE", fix="RAM_BYTES=65536") from error


def main() -> None:
    """Build, and say how large it is."""
    out, *words = sys.argv[1:]
    size = build(Path(out), ram_bytes=parameters_of(words).get("RAM_BYTES", RAM_BYTES))
    print(f"{out}: {size} bytes")


if __name__ == "__main__":
    main()
