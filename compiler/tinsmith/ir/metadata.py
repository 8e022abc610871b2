"""What a model's values and nodes say about numbers, as metadata that Netron shows.

A value carries `tinsmith.scale`, `tinsmith.zero_point`, `tinsmith.lo` and `tinsmith.hi`; a node carries the proved
range of its accumulator and the bits of the product that its requantization needs. `tinsmith.bits` = 1 marks values
that are only -1 or +1, 16 those of 16 bits.
"""

from __future__ import annotations

import onnx_ir as ir

from tinsmith.errors import TinsmithError
from tinsmith.ir.exact import ExactGraph, Layer, Requantization, Tensor, ending_of

SCALE, ZERO_POINT, LO, HI = "tinsmith.scale", "tinsmith.zero_point", "tinsmith.lo", "tinsmith.hi"
BITS = "tinsmith.bits"
ACC_LO, ACC_HI, PRODUCT_BITS = "tinsmith.acc_lo", "tinsmith.acc_hi", "tinsmith.product_bits"


def tensor_metadata(tensor: Tensor) -> dict[str, str]:
    """The entries that describe `tensor`."""
    numbers = (tensor.scale, tensor.zero_point, tensor.lo, tensor.hi)
    entries = {key: repr(number) for key, number in zip((SCALE, ZERO_POINT, LO, HI), numbers, strict=True)}
    return entries if tensor.bits == 8 else {**entries, BITS: str(tensor.bits)}


def layer_metadata(layer: Layer) -> dict[str, str]:
    """The entries that describe the proof about `layer`; empty where it has no accumulator."""
    ending = ending_of(layer)
    if ending is None:
        return {}
    span = {ACC_LO: str(layer.acc[0]), ACC_HI: str(layer.acc[1])}
    return {**span, PRODUCT_BITS: "64" if ending.wide else "32"} if isinstance(ending, Requantization) else span


def read_tensor(value: ir.Value, shape: tuple[int, ...], dtype: str) -> Tensor:
    """The tensor that a value's metadata describes; plain numbers where it carries none.

    Raises:
        TinsmithError: a value whose entries are incomplete or are no numbers.
    """
    entries = value.metadata_props
    if SCALE not in entries:
        return Tensor(value.name or "", shape, dtype)  # type: ignore[arg-type]
    try:
        numbers = (float(entries[SCALE]), int(entries[ZERO_POINT]), int(entries[LO]), int(entries[HI]))
    except (KeyError, ValueError) as error:
        raise TinsmithError(
            f"its quantization is incomplete or no number: {error}",
            where=f"tensor {value.name!r}",
            why="tinsmith.scale, .zero_point, .lo and .hi belong together",
            fix="make the file again with `tinsmith quantize`",
        ) from error
    bits = entries.get(BITS, "8")
    if bits not in ("1", "8", "16"):
        why, fix = "tensors of the exact graph have 1 bit, 8 or 16", "make the file again with `tinsmith quantize`"
        raise TinsmithError(f"it has {bits} bits", where=f"tensor {value.name!r}", why=why, fix=fix)
    return Tensor(value.name or "", shape, dtype, *numbers, int(bits))  # type: ignore[arg-type]


def annotate(model: ir.Model, graph: ExactGraph) -> bool:
    """Write what `graph` says into the metadata of `model`, its ONNX form; returns whether anything changed."""
    layers = {layer.output: layer for layer in graph.layers}
    changed = False
    for node in model.graph:
        (value,) = node.outputs
        name = value.name or ""
        for entries, wanted in (
            (value.metadata_props, tensor_metadata(graph.tensors[name])),
            (node.metadata_props, layer_metadata(layers[name])),
        ):
            changed |= any(entries.get(key) != text for key, text in wanted.items())
            entries.update(wanted)
    return changed
