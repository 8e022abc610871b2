"""What trained layers compute in inference, as modules that are exported as one operator each."""

from __future__ import annotations

import copy
from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.parameter import UninitializedParameter

from tinsmith.errors import TinsmithError
from tinsmith.ir.codes import encode
from tinsmith.ir.domain import TRAINED_DOMAIN, TRAINED_VERSION
from tinsmith.train.binary_layer import BinaryLayer
from tinsmith.train.geometry import Geometry
from tinsmith.train.methods.base import BinaryMethod
from tinsmith.train.select import replace
from tinsmith.train.shift_layer import ShiftLayer
from tinsmith.train.signs import sign

Attributes = Mapping[str, int | list[int]]


def freeze(net: nn.Module, args: Sequence[Any] = (), kwargs: Mapping[str, Any] | None = None) -> nn.Module:
    """`net` for inference: weights are bits or codes, which are computed here, by torch, and no more after.

    Args:
        net: a network. One that holds trained layers is copied; any other is only switched to inference.
        args: what to call it with, for layers that learn their sizes from the first call.
        kwargs: the like, by name.

    Raises:
        TinsmithError: a method gives a layer weights that are not ± one number an output channel.
    """
    if not any(isinstance(module, BinaryLayer | ShiftLayer) for module in net.modules()):
        return net.eval()
    net = copy.deepcopy(net).eval()
    exchange: dict[nn.Module, nn.Module] = {}
    with torch.no_grad():
        if any(isinstance(parameter, UninitializedParameter) for parameter in net.parameters()):
            net(*args, **(kwargs or {}))
        for name, module in net.named_modules():
            if isinstance(module, BinaryLayer):
                exchange[module] = FrozenBinary(module, name)
            elif isinstance(module, ShiftLayer):
                exchange[module] = FrozenShift(module)
    return replace(net, exchange)


class FrozenProduct(nn.Module):
    """product(pad(x), weight) * scale + bias, one number an output channel each.

    Args:
        geometry: sizes of the layer.
        op: "Binary" or "Shift": the operator is that and "Conv" or "Gemm".
        weight: the true values, (out, in / groups, *kernel).
        stored: the same as the operator holds it.
        scale: (out,).
        bias: (out,), or None for zeros.
        pad_value: what the padding of a convolution counts as.
        attributes: of the operator, besides strides, pads and dilations.
    """

    def __init__(
        self,
        geometry: Geometry,
        op: str,
        weight: Tensor,
        stored: Tensor,
        scale: Tensor,
        bias: Tensor | None,
        pad_value: int,
        attributes: Attributes,
    ) -> None:
        super().__init__()
        self.geometry = geometry
        self.op = op + ("Conv" if geometry.dims else "Gemm")
        self.pad_value = pad_value
        self.attributes = {**_window(geometry), **attributes}
        self.register_buffer("weight", weight)
        self.register_buffer("stored", stored if geometry.dims else stored.T.contiguous())
        self.register_buffer("scale", scale)
        self.register_buffer("bias", torch.zeros_like(scale) if bias is None else bias)

    def forward(self, x: Tensor) -> Tensor:
        """(…, in, *space) → (…, out, *space)."""
        if torch.onnx.is_in_onnx_export():
            shape = self.geometry.output_shape(tuple(x.shape))
            return _emit(self.op, (x, self.stored, self.scale, self.bias), self.attributes, x.dtype, shape)
        sums = self.geometry.product(self.geometry.pad(x, float(self.pad_value)), self.weight)
        return sums * self.geometry.per_channel(self.scale) + self.geometry.per_channel(self.bias)


class FrozenSign(nn.Module):
    """+1 where an input reaches its channel's threshold, else -1.

    Args:
        threshold: shaped to broadcast over the channel axis of an input.
    """

    def __init__(self, threshold: Tensor) -> None:
        super().__init__()
        self.register_buffer("threshold", threshold)

    def forward(self, x: Tensor) -> Tensor:
        """Values → bits of the same shape."""
        if torch.onnx.is_in_onnx_export():
            return _emit("Binarize", (x, self.threshold), {}, x.dtype, tuple(x.shape))
        return sign(x - self.threshold)


class FrozenMagnitude(nn.Module):
    """The factor of a layer's bits that depends on its input."""

    def __init__(self, method: BinaryMethod) -> None:
        super().__init__()
        self.input_scale = method.input_scale

    def forward(self, x: Tensor) -> Tensor | None:
        """The real-valued input → what broadcasts to the product."""
        return self.input_scale(x)


class FrozenBinary(FrozenProduct):
    """A `BinaryLayer` in inference.

    Factors that depend on the input or vary over positions are multiplications behind the product, and the bias is an
    addition behind these.
    """

    def __init__(self, layer: BinaryLayer, name: str) -> None:
        geometry, method = layer.geometry, layer.method
        signs, scale = _split(method.weight(layer.weight), name, method.name)
        channels = method.channel_factor()
        scale = scale if channels is None else scale * channels
        attributes = {"pad_value": layer.pad_value} if geometry.dims else {}
        positions = method.position_factor()
        late = layer.bias is not None and (method.scales_input or positions is not None)
        bias = None if layer.bias is None or late else layer.bias.detach()
        super().__init__(geometry, "Binary", signs, signs.to(torch.int8), scale, bias, layer.pad_value, attributes)
        self.magnitude = FrozenMagnitude(method) if method.scales_input else None
        self.sign = FrozenSign(_threshold(geometry, method.input_threshold()).to(scale.dtype))
        self.register_buffer("positions", positions)
        self.register_buffer("late_bias", geometry.per_channel(layer.bias.detach()) if late else None)

    def forward(self, x: Tensor) -> Tensor:
        """(…, in, *space) → (…, out, *space)."""
        y = super().forward(self.sign(x))
        y = y if self.magnitude is None else y * self.magnitude(x)
        y = y if self.positions is None else y * self.positions
        return y if self.late_bias is None else y + self.late_bias


class FrozenShift(FrozenProduct):
    """A `ShiftLayer` in inference."""

    def __init__(self, layer: ShiftLayer) -> None:
        weight = layer.weight().detach()
        codes = torch.from_numpy(encode(weight.cpu().numpy(), layer.bits))
        scale = torch.full((layer.geometry.out_channels,), 2.0**layer.scale_exponent, dtype=weight.dtype)
        bias = None if layer.bias is None else layer.bias.detach()
        group = {"group": layer.geometry.groups} if layer.geometry.dims else {}
        super().__init__(layer.geometry, "Shift", weight, codes, scale, bias, 0, {**group, "bits": layer.bits})


def _emit(
    op: str, inputs: tuple[Tensor, ...], attributes: Attributes, dtype: torch.dtype, shape: tuple[int, ...]
) -> Tensor:
    """One node of the domain of trained operators in the model that is being exported."""
    name = f"{TRAINED_DOMAIN}::{op}"
    node: Tensor = torch.onnx.ops.symbolic(
        name, inputs, attrs=dict(attributes), dtype=dtype, shape=shape, version=TRAINED_VERSION
    )
    return node


def _window(geometry: Geometry) -> dict[str, int | list[int]]:
    if not geometry.dims:
        return {}
    begins, ends = zip(*geometry.padding, strict=True)
    return {"strides": list(geometry.stride), "pads": [*begins, *ends], "dilations": list(geometry.dilation)}


def _threshold(geometry: Geometry, threshold: Tensor | None) -> Tensor:
    """A scalar for all channels, (in,) for Linear, (1, in, 1, …) for a convolution."""
    if threshold is None:
        return torch.zeros(())
    return threshold.reshape(1, -1, *(1,) * geometry.dims) if geometry.dims else threshold


def _split(weight: Tensor, name: str, method: str) -> tuple[Tensor, Tensor]:
    """Weights that are multiplied as their signs and one scale an output channel."""
    magnitude = weight.abs().flatten(1)
    scale = magnitude.amax(dim=1)
    if bool((magnitude != scale[:, None]).any()):
        why = "a layer of bits has one scale an output channel"
        fix = f"in inference, weight() of the method {method!r} returns ±1 or ±scale"
        raise TinsmithError("its weights are not ± one number", where=name, why=why, fix=fix)
    return sign(weight), scale
