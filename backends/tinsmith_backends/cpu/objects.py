"""The C compiler and linker that comes with pip (`zig cc`), and the size of the code in what it makes."""

from __future__ import annotations

import struct
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from importlib.util import find_spec
from pathlib import Path

from tinsmith.errors import TinsmithError

C_FLAGS = ("-std=c11", "-O2", "-g0", "-fno-sanitize=all", "-ffp-contract=off", "-Wall", "-Wextra", "-Werror")
"""zig turns sanitizers on by default."""
TAIL = 2000
"""Characters of a tool's output that an error quotes."""


def zig_cc(arguments: Sequence[str], folder: Path, what: str) -> None:
    """Run `zig cc` in `folder`, whose files the arguments name relative to it.

    Raises `TinsmithError` when zig is missing, or with the end of its output when it fails.
    """
    if find_spec("ziglang") is None:
        raise TinsmithError(
            "the package ziglang is missing", why=f"it is the C compiler for {what}", fix="pip install 'tinsmith[cpu]'"
        )
    command = [sys.executable, "-m", "ziglang", "cc", *arguments]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, errors="replace", check=False)
    if done.returncode:
        output = (done.stdout + done.stderr).strip()[-TAIL:]
        raise TinsmithError(f"the C compiler failed on {what}", where="zig cc", why=output)


def code_bytes(data: bytes) -> int:
    """Bytes of machine code and its tables (.text and .rodata) in an ELF object file."""
    return sum(size for name, size in _sections(data) if name.startswith((".text", ".rodata")))


def _sections(data: bytes) -> Iterator[tuple[str, int]]:
    """Name and size of each section of a little-endian ELF file of either width."""
    if data[:4] != b"\x7fELF" or data[5] != 1:
        raise ValueError("not a little-endian ELF file")
    wide = data[4] == 2
    table, entry, count, names = _header(data, wide)
    field = struct.Struct("<IIQQQQ" if wide else "<IIIIII")
    headers = [field.unpack_from(data, table + i * entry) for i in range(count)]
    text = headers[names][4]
    for header in headers:
        begin = text + header[0]
        yield data[begin : data.index(b"\0", begin)].decode(), header[5]


def _header(data: bytes, wide: bool) -> tuple[int, int, int, int]:
    """Section header table: offset, bytes an entry, entries, index of the section of names."""
    table = struct.unpack_from("<Q", data, 0x28)[0] if wide else struct.unpack_from("<I", data, 0x20)[0]
    entry, count, names = struct.unpack_from("<HHH", data, 0x3A if wide else 0x2E)
    return table, entry, count, names


def measure_code(folder: Path, files: Sequence[str], flags: Sequence[str]) -> int:
    """Bytes of code in C sources and object files of `folder`, compiled with `flags` beside -Os."""
    with tempfile.TemporaryDirectory(prefix="tinsmith-") as temporary:
        total = 0
        for number, file in enumerate(files):
            path = folder / file
            if path.suffix == ".c":
                path = Path(temporary) / f"{number}.o"
                zig_cc([*flags, *C_FLAGS, "-Os", "-c", file, "-o", str(path)], folder, file)
            total += code_bytes(path.read_bytes())
        return total
