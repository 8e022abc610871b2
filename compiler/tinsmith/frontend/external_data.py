"""Loads tensors that stand in files beside the model, and trusts nothing that the model says about them."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from math import prod
from pathlib import Path

import onnx

from tinsmith.errors import Problems


def load_external_data(model: onnx.ModelProto, path: Path) -> None:
    """Put every external tensor of `model` into memory.

    Data may only stand inside the model's own folder, wherever links lead; its size must be the tensor's and its
    SHA-1, where the model gives one (key `checksum`, of the whole file), must be right.

    Raises:
        TinsmithError: with every tensor whose data is missing, outside, of the wrong size or changed.
    """
    problems = Problems()
    digests: dict[Path, str] = {}
    for tensor in _tensors(model.graph):
        if tensor.data_location == onnx.TensorProto.EXTERNAL:
            _load(tensor, path, digests, problems)
    problems.check()


def _tensors(graph: onnx.GraphProto) -> Iterator[onnx.TensorProto]:
    yield from graph.initializer
    for sparse in graph.sparse_initializer:
        yield from (sparse.values, sparse.indices)
    for node in graph.node:
        for attribute in node.attribute:
            yield from ((attribute.t,) if attribute.HasField("t") else ())
            yield from attribute.tensors
            for inner in (attribute.g, *attribute.graphs) if attribute.HasField("g") else attribute.graphs:
                yield from _tensors(inner)


def _load(tensor: onnx.TensorProto, model: Path, digests: dict[Path, str], problems: Problems) -> None:
    entries = {e.key: e.value for e in tensor.external_data}
    where = f"{model}: tensor {tensor.name!r}"
    file = _inside(model, entries.get("location", ""), where, problems)
    if file is None:
        return
    size = file.stat().st_size
    try:
        offset = int(entries.get("offset", 0))
        length = int(entries.get("length", size - offset))
    except ValueError:
        problems.add("offset or length of its external data is no number", where=where, fix="export the model again")
        return
    expected = _bytes_of(tensor)
    if length != expected or offset < 0 or offset + length > size:
        what = f"{file.name} has {size} bytes; the tensor needs {expected}, and claims {length} at offset {offset}"
        problems.add(what, where=where, why="the data is cut short or belongs to another model", fix="copy it again")
        return
    checksum = entries.get("checksum", "").lower().removeprefix("sha1:")
    if checksum and checksum != _sha1(file, digests):
        what = f"{file.name} has SHA-1 {_sha1(file, digests)}, the model says {checksum}"
        problems.add(what, where=where, why="the data was changed or damaged", fix="copy it again")
        return
    with file.open("rb") as stream:
        stream.seek(offset)
        tensor.raw_data = stream.read(length)
    tensor.ClearField("external_data")
    tensor.data_location = onnx.TensorProto.DEFAULT


def _inside(model: Path, location: str, where: str, problems: Problems) -> Path | None:
    """The file that `location` means, if it is a file inside the model's folder after all links are followed."""
    folder = model.resolve().parent
    if not location or "\0" in location:
        problems.add("says that its data is external but not where", where=where, fix="export the model again")
        return None
    file = (folder / location).resolve()
    if Path(location).is_absolute() or not file.is_relative_to(folder):
        what = f"external data {location!r} is outside the model's folder"
        why = "a model must not make Tinsmith read other files"
        problems.add(what, where=where, why=why, fix="copy the data beside the model and export it again")
        return None
    if not file.is_file():
        problems.add(f"external data {location!r} is missing", where=where, fix=f"copy it to {model.parent}")
        return None
    return file


def _sha1(file: Path, digests: dict[Path, str]) -> str:
    if file not in digests:
        with file.open("rb") as stream:
            digests[file] = hashlib.file_digest(stream, "sha1").hexdigest()
    return digests[file]


def _bytes_of(tensor: onnx.TensorProto) -> int:
    """Bytes of the tensor's raw data; 4-bit types are packed in pairs."""
    packed = {onnx.TensorProto.UINT4, onnx.TensorProto.INT4}
    elements: int = prod(tensor.dims)
    if tensor.data_type in packed:
        return -(-elements // 2)
    return elements * int(onnx.helper.tensor_dtype_to_np_dtype(tensor.data_type).itemsize)
