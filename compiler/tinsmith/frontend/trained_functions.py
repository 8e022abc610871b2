"""The function bodies of trained operators in a model that is read: Tinsmith's own, whatever the file has."""

from __future__ import annotations

import onnx

from tinsmith.errors import Problems
from tinsmith.ir.domain import TRAINED_DOMAIN, TRAINED_VERSION


def is_trained_file(model: onnx.ModelProto) -> bool:
    """Whether the model holds trained operators."""
    return any(node.domain == TRAINED_DOMAIN for node in model.graph.node)


def take_out(model: onnx.ModelProto, where: str) -> None:
    """Remove the bodies of trained operators from `model`, so that inlining leaves these operators alone.

    Args:
        model: as read.
        where: the file, for messages.

    Raises:
        TinsmithError: with every body that says something else than Tinsmith's, which is what would be built.
    """
    mine = [f for f in model.functions if f.domain == TRAINED_DOMAIN]
    if not mine:
        return
    problems, known = Problems(), {own.name: _meaning(own) for own in _bodies()}
    for function in mine:
        if _meaning(function) != known.get(function.name):
            why = "targets compute what this version of Tinsmith defines, the file something else"
            place = f"{where}: function {TRAINED_DOMAIN}:{function.name}"
            problems.add("its body is another one", where=place, why=why, fix="export the trained network again")
    problems.check()
    others = [f for f in model.functions if f.domain != TRAINED_DOMAIN]
    del model.functions[:]
    model.functions.extend(others)


def put_in(model: onnx.ModelProto) -> None:
    """Give `model` the bodies, and the import of their domain, if it holds trained operators."""
    if not is_trained_file(model):
        return
    del model.functions[:]
    model.functions.extend(_bodies())
    if not any(each.domain == TRAINED_DOMAIN for each in model.opset_import):
        model.opset_import.add(domain=TRAINED_DOMAIN, version=TRAINED_VERSION)


def _bodies() -> list[onnx.FunctionProto]:
    from onnx_ir.serde import serialize_function

    from tinsmith.ir.trained import functions

    return [serialize_function(each) for each in functions()]


def _meaning(function: onnx.FunctionProto) -> bytes:
    """The function without what tools add to it."""
    bare = onnx.FunctionProto()
    bare.CopyFrom(function)
    for thing in (bare, *bare.node):
        thing.ClearField("doc_string")
        thing.ClearField("metadata_props")
    bare.ClearField("value_info")
    content: bytes = bare.SerializeToString(deterministic=True)
    return content
