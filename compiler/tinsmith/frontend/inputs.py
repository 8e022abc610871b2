"""Fixes the shapes of a model's inputs, from the file and from `--shape`."""

from __future__ import annotations

import difflib
from collections.abc import Mapping

import onnx

from tinsmith.errors import Problems

ShapeOf = Mapping[str, tuple[int, ...]]
STATIC = "every shape is fixed at compile time"


def fix_input_shapes(model: onnx.ModelProto, shapes: ShapeOf, where: str) -> None:
    """Give every input of `model` a static shape with batch 1, in place.

    A symbolic first dimension is the batch and becomes 1. Shapes of everything behind the inputs are forgotten, to be
    inferred again.

    Args:
        model: its initializers that also stand among the inputs are taken out of the inputs.
        shapes: what the user gave, by input name; may fix open dimensions and the batch.
        where: the file, for messages.

    Raises:
        TinsmithError: with every dimension that is open, zero or contradicts the file, and every unknown name.
    """
    problems = Problems()
    constants = {t.name for t in model.graph.initializer}
    inputs = [i for i in model.graph.input if i.name not in constants]
    del model.graph.input[:]
    model.graph.input.extend(inputs)
    names = [i.name for i in inputs]
    for name in shapes:
        if name not in names:
            near = difflib.get_close_matches(name, names, n=3, cutoff=0.4) or names
            problems.add(f"--shape {name}: no input is called {name!r}", where=where, fix=f"inputs: {', '.join(near)}")
    for info in model.graph.input:
        _fix(info, shapes.get(info.name), where, problems)
    problems.check()
    del model.graph.value_info[:]
    for output in model.graph.output:
        output.type.tensor_type.ClearField("shape")


def _fix(info: onnx.ValueInfoProto, given: tuple[int, ...] | None, where: str, problems: Problems) -> None:
    place = f"{where}: input {info.name!r}"
    kind = info.type.tensor_type
    if not info.type.HasField("tensor_type"):
        problems.add("is not a tensor", where=place, why="only tensors are taken", fix="export a model of tensors")
        return
    if given is not None and not kind.HasField("shape"):
        kind.shape.dim.extend(onnx.TensorShapeProto.Dimension() for _ in given)
    elif not kind.HasField("shape"):
        problems.add("has no shape", where=place, why=STATIC, fix=f"--shape {info.name}=1,…")
        return
    dims = list(kind.shape.dim)
    if given is None:
        given = tuple(_own(i, d) for i, d in enumerate(dims))
    elif not _agrees(info.name, dims, given, place, problems):
        return
    _check(info.name, dims, given, place, problems)
    for dim, size in zip(dims, given, strict=True):
        dim.dim_value = size


def _own(i: int, dim: onnx.TensorShapeProto.Dimension) -> int:
    """Size of dimension `i` as the file has it; -1 where it is open."""
    if dim.HasField("dim_value"):
        return int(dim.dim_value)
    return 1 if i == 0 else -1


def _agrees(
    name: str, dims: list[onnx.TensorShapeProto.Dimension], given: tuple[int, ...], place: str, problems: Problems
) -> bool:
    text = ",".join(map(str, given))
    if len(given) != len(dims):
        what = f"--shape {name}={text} has {len(given)} dimensions, the model {len(dims)}"
        problems.add(what, where=place, fix=f"--shape {_example(name, dims)}")
        return False
    fixed = [i for i, d in enumerate(dims) if i and d.HasField("dim_value") and d.dim_value not in (given[i], 0)]
    for i in fixed:
        what = f"--shape {name}={text}: dimension {i} is {dims[i].dim_value} in the model"
        problems.add(what, where=place, why="weights depend on it", fix=f"--shape {_example(name, dims)}")
    return not fixed


def _check(
    name: str, dims: list[onnx.TensorShapeProto.Dimension], sizes: tuple[int, ...], place: str, problems: Problems
) -> None:
    for i, (dim, size) in enumerate(zip(dims, sizes, strict=True)):
        if size == -1 and not dim.HasField("dim_value"):
            label = f" ({dim.dim_param})" if dim.dim_param else ""
            problems.add(
                f"dimension {i}{label} is dynamic", where=place, why=STATIC, fix=f"--shape {_example(name, dims)}"
            )
        elif size <= 0:
            what = f"dimension {i} is {size}"
            problems.add(
                what, where=place, why="nothing can be computed from an empty input", fix="a size of 1 or more"
            )
        elif i == 0 and size != 1:
            what = f"dimension 0, the batch, is {size}"
            why = "code is made for one sample at a time"
            problems.add(what, where=place, why=why, fix=f"--shape {_example(name, dims)}, or export with batch 1")


def _example(name: str, dims: list[onnx.TensorShapeProto.Dimension]) -> str:
    """`x=1,3,H,W`: what is known as numbers, what is open by its name."""
    sizes = [str(d.dim_value) if d.dim_value > 0 else (d.dim_param or f"D{i}") for i, d in enumerate(dims)]
    return f"{name}={','.join(['1', *sizes[1:]])}"
