"""Names every layer and says where it came from, from what exporters leave in a model."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import onnx

from tinsmith.ir.provenance import LAYER, SOURCE

Origin = dict[str, tuple[str, str]]
"""Layer name and place by the name of a node's first output."""

FRAME = re.compile(r'File "([^"]+)", line (\d+)')
FROZEN = "tinsmith.train.frozen"
"""Module of the layers that training made, in inference: as much a part of the user's network as torch's own are."""
LIBRARIES = ("site-packages", "dist-packages", "/lib/python", f"/{FROZEN.replace('.', '/')}.py")


def hints(model: onnx.ModelProto, folder: Path | None) -> Origin:
    """What the file itself says about each node: torch's module path and Python line, or the node's name.

    A file that Tinsmith wrote holds both as this module writes them.
    """
    found = {}
    for node in model.graph.node:
        if node.output:
            properties = {p.key: p.value for p in node.metadata_props}
            name = node.name or node.output[0]
            trace = place_of(properties.get("pkg.torch.onnx.stack_trace", ""), folder)
            layer = properties.get(LAYER) or _module_name(properties) or name
            found[node.output[0]] = (layer, properties.get(SOURCE) or trace or name)
    return found


def name_layers(model: onnx.ModelProto, origin: Origin) -> None:
    """Write layer name and source into every node's metadata, names unique."""
    taken: set[str] = set()
    for node in model.graph.node:
        name = node.name or node.output[0]
        layer, source = origin.get(node.output[0], (name, name))
        layer = unique(layer, taken)
        node.name = layer
        node.metadata_props.add(key=LAYER, value=layer)
        node.metadata_props.add(key=SOURCE, value=source)


def unique(name: str, taken: set[str]) -> str:
    """`name`, or `name_2`, `name_3` … if it is taken; notes it in `taken`."""
    candidate, count = name, 1
    while candidate in taken:
        count += 1
        candidate = f"{name}_{count}"
    taken.add(candidate)
    return candidate


def place_of(trace: str, folder: Path | None) -> str:
    """`file.py:line` of the innermost line of the user's own in a stack trace; "" where there is none.

    Relative to `folder` if the file is inside it, else the bare file name: absolute paths would make two builds of the
    same model differ.
    """
    frames = [(f, n) for f, n in FRAME.findall(trace) if not any(part in f for part in LIBRARIES)]
    if not frames:
        return ""
    file, line = Path(frames[-1][0]), frames[-1][1]
    if folder is not None and file.is_relative_to(folder):
        return f"{file.relative_to(folder).as_posix()}:{line}"
    return f"{file.name}:{line}"


def _module_name(properties: dict[str, str]) -> str:
    """`layer1.0.conv1` for a node of a torch.nn layer, `layer1.0.relu` for one of a forward function."""
    if "pkg.torch.onnx.name_scopes" not in properties:
        return ""
    try:
        scopes = [str(s) for s in ast.literal_eval(properties["pkg.torch.onnx.name_scopes"])]
        classes = [str(c) for c in ast.literal_eval(properties.get("pkg.torch.onnx.class_hierarchy", "[]"))]
    except (ValueError, SyntaxError):
        return ""
    if len(scopes) < 2 or len(classes) != len(scopes):
        return ""
    path, function = scopes[-2], re.sub(r"_\d+$", "", scopes[-1])
    is_layer = classes[-2].startswith(("torch.nn.modules.", f"{FROZEN}.")) and ".container." not in classes[-2]
    if is_layer and path:
        return path
    return f"{path}.{function}" if path else function
