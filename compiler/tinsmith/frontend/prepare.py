"""Brings a model that was read into the form in which constraints and passes meet it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import onnx
import onnx.shape_inference

from tinsmith.errors import Problem, TinsmithError
from tinsmith.frontend import qonnx
from tinsmith.frontend.fold_constants import fold_constants
from tinsmith.frontend.inputs import ShapeOf, fix_input_shapes
from tinsmith.frontend.names import hints, name_layers
from tinsmith.frontend.trained_functions import put_in, take_out
from tinsmith.ir.domain import DOMAIN, OPSET, TRAINED_DOMAIN

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tinsmith.frontend.qonnx_quantizer import Quantizer

INFERENCE_ERRORS = (onnx.shape_inference.InferenceError, RuntimeError, ValueError)
OLDEST = 9
"""Oldest version of the standard operators that is taken."""
NEWER = ("Gelu", "Swish")
"""Operators that opset 18 lacks, and that ONNX defines by others."""


def is_exact_file(model: onnx.ModelProto) -> bool:
    """Whether the file holds operators of `ai.tinsmith`, so that it was made by `tinsmith quantize`."""
    return any(node.domain == DOMAIN for node in model.graph.node)


def prepare(model: onnx.ModelProto, shapes: ShapeOf, where: str, folder: Path | None) -> onnx.ModelProto:
    """Inline functions, fix input shapes, convert to opset 18, fold constants, infer every shape, name every layer.

    Where an operator is unknown to ONNX, conversion and inference go as far as they can: the constraints then name
    every such operator.

    Args:
        model: as read; may be changed.
        shapes: what the user gave for inputs.
        where: the file, for messages.
        folder: of the user's Python file, to which paths in stack traces become relative; None for an .onnx file.

    Returns:
        The prepared model, without doc strings and foreign metadata.

    Raises:
        TinsmithError: opset too old, input shapes open, conversion or inference impossible.
    """
    _check_opset(model, where)
    if model.graph.sparse_initializer:
        why, fix = "sparse tensors are not taken", "store the weights as dense tensors"
        raise TinsmithError("has sparse initializers", where=where, why=why, fix=fix)
    model = _inline(model, where)
    fix_input_shapes(model, shapes, where)
    origin = hints(model, folder)
    _strip(model)
    quantizers = _take_out_quantizers(model, where)
    if _all_known(model):
        _check_tensors(model, where)
        model = _convert(model, where)
    qonnx.put_back(model, quantizers)
    strict = _all_known(model)
    model = _infer(model, where, strict=strict)
    while fold_constants(model):
        model = _infer(model, where, strict=strict)
    name_layers(model, origin)
    return model


def _inline(model: onnx.ModelProto, where: str) -> onnx.ModelProto:
    """Replace calls of functions by their bodies; trained operators stay, and have Tinsmith's own bodies."""
    take_out(model, where)
    if model.functions:
        import onnx.inliner

        model = onnx.inliner.inline_local_functions(model)
    put_in(model)
    return model


def _take_out_quantizers(model: onnx.ModelProto, where: str) -> dict[str, Quantizer]:
    if not qonnx.is_qonnx(model):
        return {}
    _check_tensors(model, where)
    return qonnx.take_out(model)


def _check_opset(model: onnx.ModelProto, where: str) -> None:
    version = max((o.version for o in model.opset_import if o.domain in ("", "ai.onnx")), default=0)
    if version < OLDEST:
        what = f"uses opset {version} of the standard operators"
        fix = f"export with opset_version={OPSET}"
        raise TinsmithError(what, where=where, why=f"opset {OLDEST} is the oldest that is taken", fix=fix)


def _all_known(model: onnx.ModelProto) -> bool:
    standard = (n for n in model.graph.node if n.domain != TRAINED_DOMAIN)
    return all(n.domain in ("", "ai.onnx") and onnx.defs.has(n.op_type) for n in standard)


def _convert(model: onnx.ModelProto, where: str) -> onnx.ModelProto:
    import onnx.version_converter

    version = next(o.version for o in model.opset_import if o.domain in ("", "ai.onnx"))
    if version == OPSET:
        return model
    if any(node.op_type in NEWER for node in model.graph.node):
        import onnx.inliner

        newer = [("", name) for name in NEWER]
        model = onnx.inliner.inline_selected_functions(model, newer, inline_schema_functions=True)
    try:
        # The converter asks for types; a second look at the result is strict.
        return onnx.version_converter.convert_version(onnx.shape_inference.infer_shapes(model), OPSET)
    except (*INFERENCE_ERRORS, onnx.version_converter.ConvertError) as error:
        what = f"cannot be brought from opset {version} to {OPSET}"
        problem = Problem(what, where, _first_line(error), f"export with opset_version={OPSET}")
        raise TinsmithError([*_constraints(model), problem]) from error


def _infer(model: onnx.ModelProto, where: str, *, strict: bool) -> onnx.ModelProto:
    """Infer every shape; where not `strict`, those that do not depend on an unknown operator."""
    try:
        return onnx.shape_inference.infer_shapes(model, check_type=strict, strict_mode=strict, data_prop=True)
    except INFERENCE_ERRORS as error:
        what = "its shapes or types do not fit together"
        fix = "check the input shapes (--shape) and how the model was exported"
        problem = Problem(what, where, _first_line(error), fix)
        raise TinsmithError([*_constraints(model), problem]) from error


def _constraints(model: onnx.ModelProto) -> list[Problem]:
    """What the constraints say of a model that cannot be prepared, as far as its shapes are known."""
    from tinsmith.constraints.check import node_problems
    from tinsmith.constraints.view import GraphView

    try:
        nodes = GraphView(onnx.shape_inference.infer_shapes(model)).nodes
        return [problem for node in nodes for problem in node_problems(node)]
    except INFERENCE_ERRORS:
        return []  # what inference has to say is reported anyway


def _check_tensors(model: onnx.ModelProto, where: str) -> None:
    """Every tensor holds as many bytes as its shape says."""
    import onnx.numpy_helper

    for tensor in model.graph.initializer:
        try:
            onnx.numpy_helper.to_array(tensor)
        except (ValueError, TypeError, KeyError) as error:
            place = f"{where}: tensor {tensor.name!r}"
            raise TinsmithError("its data does not fit its shape", where=place, why=str(error)) from error


def _strip(model: onnx.ModelProto) -> None:
    """Forget doc strings and metadata: they hold absolute paths and times, and builds must not differ by them."""
    for thing in (model, model.graph, *model.graph.node, *_values(model), *model.graph.initializer):
        thing.ClearField("doc_string")
        thing.ClearField("metadata_props")
    for node in model.graph.node:  # messages of conversion and inference name the node
        node.name = node.name or next(iter(node.output), "")


def _values(model: onnx.ModelProto) -> Iterator[onnx.ValueInfoProto]:
    yield from model.graph.input
    yield from model.graph.output
    yield from model.graph.value_info


def _first_line(error: Exception) -> str:
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return lines[0] if lines else type(error).__name__
