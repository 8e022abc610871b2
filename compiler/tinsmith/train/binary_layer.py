"""A Linear, Conv1d or Conv2d whose weights and inputs are bits."""

from __future__ import annotations

from torch import Tensor, nn

from tinsmith.train.geometry import Geometry
from tinsmith.train.gradients import with_gradient_of
from tinsmith.train.methods.base import BinaryMethod


class BinaryLayer(nn.Module):
    """Takes the place of a Linear, Conv1d or Conv2d, and its real-valued weights, which training goes on moving.

    Args:
        layer: the layer to replace; its parameters are shared, not copied.
        method: the kind of binarization.
        pad_value: what the bits of a convolution are padded with: 1, -1 or 0. ±1 stay bits; 0 adds nothing to the
            sum, which a device does by correcting it at the border.
    """

    def __init__(self, layer: nn.Module, method: type[BinaryMethod], pad_value: int) -> None:
        super().__init__()
        self.geometry = Geometry.of(layer)
        self.weight = layer.weight
        self.register_parameter("bias", layer.bias)
        self.method = method(self.geometry)
        self.pad_value = pad_value

    def forward(self, x: Tensor) -> Tensor:
        """(…, in, *space) → (…, out, *space)."""
        bits = self.geometry.pad(self.method.activation(x), float(self.pad_value))
        scale = self.method.input_scale(x)
        if scale is not None:
            bits = with_gradient_of(scale * bits, bits)
        y = self.method.output(self.geometry.product(bits, self.method.weight(self.weight)))
        return y if self.bias is None else y + self.geometry.per_channel(self.bias)

    def extra_repr(self) -> str:
        """Sizes, method and padding."""
        padding = f", pad_value={self.pad_value}" if any(map(any, self.geometry.padding)) else ""
        return f"{self.geometry}, method={self.method.name!r}{padding}"
