"""The file of an exact graph: written without anything of this machine, read back with clear errors."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from tinsmith.errors import TinsmithError

if TYPE_CHECKING:
    import onnx_ir as ir

_FIX = "tinsmith quantize MODEL --calibrate X.npz -o EXACT.onnx makes one"


def load_exact(path: Path) -> ir.Model:
    """Read an exact graph; raises `TinsmithError` when the file is missing, damaged, or not an exact graph."""
    import onnx_ir as ir
    from google.protobuf.message import DecodeError

    from tinsmith.ir.stages import is_exact

    try:
        model = ir.load(path)
    except OSError as error:
        raise TinsmithError(f"cannot read the exact graph: {error.strerror}", where=str(path), fix=_FIX) from error
    except (DecodeError, ValueError) as error:
        raise TinsmithError("this is not a whole ONNX file", where=str(path), why=str(error), fix=_FIX) from error
    if not is_exact(model):
        raise TinsmithError("this model is not an exact graph", where=str(path), fix=_FIX)
    return model


def save_exact(model: ir.Model, path: Path) -> None:
    """Write an exact graph, weights inside. The same graph gives the same bytes."""
    import onnx_ir as ir

    path.write_bytes(ir.to_proto(model).SerializeToString(deterministic=True))
