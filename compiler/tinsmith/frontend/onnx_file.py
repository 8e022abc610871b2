"""Reads an .onnx file: is it one, is it whole, is its external data what it says."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from tinsmith.errors import TinsmithError

if TYPE_CHECKING:
    import onnx


LARGEST = 2**31 - 1
"""Bytes that one protobuf message may have."""


def read_onnx(path: Path) -> onnx.ModelProto:
    """The model in `path` with all its tensors in memory.

    Raises:
        TinsmithError: the file is missing, is no ONNX file, is cut short, or its external data is not as it says.
    """
    import onnx
    from google.protobuf.message import DecodeError

    from tinsmith.frontend.external_data import load_external_data

    where = str(path)
    try:
        data = path.read_bytes()
    except OSError as error:
        fix = "give an .onnx file, or file.py:name"
        raise TinsmithError(f"cannot be read: {error.strerror}", where=where, fix=fix) from error
    model = onnx.ModelProto()
    try:
        model.ParseFromString(data)
    except DecodeError as error:
        raise _not_onnx(where, f"its {len(data)} bytes do not parse as an ONNX model") from error
    if not model.graph.node and not model.graph.output:
        raise _not_onnx(where, f"its {len(data)} bytes hold no graph")
    if not model.opset_import:
        raise _not_onnx(where, "it does not say which operator set it uses")
    _check_text(model, where)
    load_external_data(model, path)
    if model.ByteSize() > LARGEST:
        why = "ONNX tools, and the exact graph, hold a model in one message of at most 2 GiB"
        raise TinsmithError(
            f"holds {model.ByteSize():,} bytes of weights", where=where, why=why, fix="a smaller network"
        )
    return model


def _check_text(model: onnx.ModelProto, where: str) -> None:
    """Names are text; protobuf itself lets any bytes through."""
    graph = model.graph
    try:
        names = [v.name for v in (*graph.initializer, *graph.input, *graph.output, *graph.value_info)]
        for node in graph.node:
            names += [node.op_type, node.domain, node.name, *node.input, *node.output]
            names += [attribute.name for attribute in node.attribute]
    except UnicodeDecodeError as error:
        raise _not_onnx(where, "names in it are not text") from error
    if not all(isinstance(name, str) for name in names):
        raise _not_onnx(where, "names in it are not text")


def _not_onnx(where: str, why: str) -> TinsmithError:
    fix = "export or copy it again; `python -m onnx.checker` reads it too"
    return TinsmithError("is not an ONNX file, or is cut short", where=where, why=why, fix=fix)
