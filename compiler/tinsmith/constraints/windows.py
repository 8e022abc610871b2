"""Constraints of convolutions and pools."""

from __future__ import annotations

from tinsmith.constraints.geometry import Window, in_two_axes, overhang, window
from tinsmith.constraints.view import NodeView


def node_window(node: NodeView) -> tuple[Window, tuple[int, int]] | None:
    """The node's window and input size, `ceil_mode` not yet applied; None where shapes do not allow to tell.

    A signal counts as an image of one row.
    """
    shape, attributes = node.shape(), dict(node.attributes)
    if "kernel_shape" not in attributes and node.op == "Conv":
        attributes["kernel_shape"] = (node.shape(1) or ())[2:]
    if shape is None or "kernel_shape" not in attributes:
        return None
    axes = len(shape) - 2
    lengths = {"kernel_shape": axes, "strides": axes, "dilations": axes, "pads": 2 * axes}
    if axes not in (1, 2) or any(len(attributes.get(name, (0,) * n)) != n for name, n in lengths.items()):
        return None
    if axes == 1:
        shape, attributes = (*shape[:2], 1, shape[2]), in_two_axes(attributes)
    kernel, size = attributes["kernel_shape"], (shape[2], shape[3])
    return window(attributes, (int(kernel[0]), int(kernel[1])), size), size


def weights_are_constant(node: NodeView) -> str | None:
    """Weights and bias are constants.

    A weight that is computed from constants is fine; one that depends on the model's input is not.
    """
    wrong = [node.proto.input[i] for i in node.activations() if i != 0]
    return f"{', '.join(map(repr, wrong))} is not a constant" if wrong else None


def kernel_fits_weights(node: NodeView) -> str | None:
    """The weight is (out channels, in channels / group, kernel height and width, or length) and agrees with the input.

    The file is damaged or was put together by hand.
    """
    shape, weight, group = node.shape(), node.shape(1), node.attributes.get("group", 1)
    if shape is None or weight is None:
        return None
    if len(weight) != len(shape):
        return f"the weight has shape {list(weight)}"
    kernel = tuple(node.attributes.get("kernel_shape", weight[2:]))
    if group < 1 or weight[0] % group or weight[1] * group != shape[1] or kernel != weight[2:]:
        return f"weight {list(weight)}, group {group}, kernel {list(kernel)}, input {list(shape)}"
    return None


def transposed_kernel_fits_weights(node: NodeView) -> str | None:
    """The weight is (in channels, out channels / group, kernel height and width, or length) and agrees with the input.

    The file is damaged or was put together by hand.
    """
    shape, weight, group = node.shape(), node.shape(1), node.attributes.get("group", 1)
    if shape is None or weight is None:
        return None
    if len(weight) != len(shape):
        return f"the weight has shape {list(weight)}"
    kernel = tuple(node.attributes.get("kernel_shape", weight[2:]))
    if group < 1 or weight[0] % group or weight[0] != shape[1] or kernel != weight[2:]:
        return f"weight {list(weight)}, group {group}, kernel {list(kernel)}, input {list(shape)}"
    return None


def transposed_pads_are_explicit(node: NodeView) -> str | None:
    """A transposed convolution's padding is given by `pads` and `output_padding`, not by a size that is to come out.

    `nn.ConvTranspose2d(…, padding=…, output_padding=…)` exports so.
    """
    mode = node.attributes.get("auto_pad", "NOTSET")
    if mode != "NOTSET":
        return f"auto_pad is {mode!r}"
    return "output_shape is given" if node.attributes.get("output_shape") else None


def pads_are_not_negative(node: NodeView) -> str | None:
    """Padding is not negative.

    Crop with a smaller input instead.
    """
    pads = node.attributes.get("pads", ())
    return f"pads is {list(pads)}" if any(p < 0 for p in pads) else None


def padding_is_smaller_than_the_kernel(node: NodeView) -> str | None:
    """A pool's padding is smaller than its kernel, so every window holds at least one element.

    Pad less.
    """
    found = node_window(node)
    if found is None:
        return None
    w = found[0]
    wide = any(max(w.pads[a], w.pads[a + 2]) >= w.extent(a) for a in (0, 1))
    return f"kernel {list(w.kernel)}, pads {list(w.pads)}" if wide else None


def average_counts_padding(node: NodeView) -> str | None:
    """An average pool with padding counts the padding (count_include_pad=1), because the divisor must be one number.

    `nn.AvgPool2d(…, count_include_pad=True)`, or no padding.
    """
    found = node_window(node)
    if found is None or node.attributes.get("count_include_pad", 0):
        return None
    return f"pads {list(found[0].pads)} with count_include_pad=0" if any(found[0].pads) else None


def average_has_no_overhang(node: NodeView) -> str | None:
    """With ceil_mode=1 an average pool's windows end inside the (padded) input, because the divisor must be one number.

    `ceil_mode=False`, or an input size that the stride divides.
    """
    found = node_window(node)
    if found is None or not node.attributes.get("ceil_mode", 0):
        return None
    w, size = found
    needed = overhang(w, size).pads
    over = any(needed[i] > w.pads[i] for i in (2, 3))
    return f"kernel {list(w.kernel)}, strides {list(w.strides)} run over an input of {list(size)}" if over else None


def window_size_is_clear(node: NodeView) -> str | None:
    """The declared output size is the one that kernel, strides, padding and rounding give.

    Tools differ on ceil_mode=1 where the last window starts in the padding: use ceil_mode=0.
    """
    found, shape = node_window(node), node.output_shape()
    if found is None or shape is None:
        return None
    w, size = found
    w = overhang(w, size) if node.attributes.get("ceil_mode", 0) else w
    computed = w.output(size)[4 - len(shape) :]
    return f"computed {list(computed)}, declared {list(shape[2:])}" if computed != shape[2:] else None


def indices_are_row_major(node: NodeView) -> str | None:
    """storage_order is 0.

    It only concerns indices, which are not taken.
    """
    return "storage_order is 1" if node.attributes.get("storage_order", 0) else None


def reduces_height_or_width(node: NodeView) -> str | None:
    """ReduceMean is over height, width, both or the length of an image or signal, or of the result of Abs.

    `x.mean((2, 3))`, or `nn.AdaptiveAvgPool2d(1)`.
    """
    shape, axes = node.shape(), node.ints("axes", 1)
    before = node.maker()
    if before is not None and before.op == "Abs":
        return None if axes else "it is over all axes"
    if shape is None:
        return None
    if axes is None or not axes:
        return "it is over all axes"
    wrong = {a % len(shape) for a in axes} - {2, 3}
    return f"axes {list(axes)} of {list(shape)}" if wrong or len(shape) not in (3, 4) else None
