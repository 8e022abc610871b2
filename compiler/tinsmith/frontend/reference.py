"""Tells what a user's MODEL argument is, and reads it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from tinsmith.errors import TinsmithError

if TYPE_CHECKING:
    import onnx


def read(ref: str | Path, shapes: Mapping[str, tuple[int, ...]]) -> onnx.ModelProto:
    """The model that `ref` means, prepared (frontend/prepare.py) but not yet checked against the constraints.

    Args:
        ref: an `.onnx` file or `file.py:name`.
        shapes: shapes that the user gave for inputs, by name.

    Raises:
        TinsmithError: the file is missing, damaged or not what it should be.
    """
    from tinsmith.frontend.onnx_file import read_onnx
    from tinsmith.frontend.prepare import is_exact_file, prepare

    text = str(ref)
    file, colon, name = text.rpartition(":")
    if colon and file.endswith(".py"):
        from tinsmith.frontend.torch_file import export

        return prepare(export(Path(file), name), shapes, text, folder=Path(file).resolve().parent)
    if text.endswith(".py"):
        why = "a Python file may hold several models"
        raise TinsmithError(f"{text} names no function", why=why, fix=f"{text}:name")
    proto = read_onnx(Path(ref))
    if is_exact_file(proto):
        return proto
    return prepare(proto, shapes, text, folder=None)
