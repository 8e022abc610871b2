"""The windows of an image as a stream: none needed, a pixel a clock (tsm_window), or whole ones (tsm_slide)."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from tinsmith.ir.exact import Tensor

from tinsmith_backends.rtl.instances import Parameter, Wire
from tinsmith_backends.rtl.lower import Lowering

Pair = tuple[int, int]


@dataclass(frozen=True)
class Geometry:
    """A window over an image, each pair rows first. `before` is the padding above and on the left."""

    size: Pair
    out: Pair
    kernel: Pair
    strides: Pair
    dilations: Pair
    before: Pair

    @property
    def taps(self) -> int:
        """Pixels under a window."""
        return self.kernel[0] * self.kernel[1]

    @property
    def pixels(self) -> int:
        """Output positions."""
        return self.out[0] * self.out[1]

    @property
    def pixels_in(self) -> int:
        """Pixels of the image."""
        return self.size[0] * self.size[1]

    @property
    def trivial(self) -> bool:
        """A window is a pixel, and every pixel is one."""
        return self.taps == 1 and self.size == self.out

    @property
    def whole_image(self) -> bool:
        """The one window is the image."""
        return self.kernel == self.size and self.pixels == 1 and self.dilations == (1, 1)

    @property
    def direct(self) -> bool:
        """No window former is needed."""
        return self.trivial or self.whole_image

    def span(self, axis: int) -> int:
        """Pixels from the first tap to the last."""
        return (self.kernel[axis] - 1) * self.dilations[axis] + 1

    @property
    def columns(self) -> int:
        """Columns that tsm_slide reads for an image; 0 where it cannot be used (see its head)."""
        first = self.span(1) - 1 - self.before[1]
        tail = first + (self.out[1] - 1) * self.strides[1] + 1 - self.size[1]
        fits = first >= 0 and tail <= min(first, self.size[1])
        return self.out[0] * self.size[1] if fits else 0

    @property
    def turned(self) -> Geometry:
        """A sequence as an image of one column, whose rows a ring can keep one by one; anything else as it is."""
        if self.size[0] != 1 or self.kernel[0] != 1 or self.out[0] != 1 or self.before[0]:
            return self
        pairs = {name: (pair[1], pair[0]) for name, pair in vars(self).items()}
        return replace(self, **pairs)


def geometry(layer: Any, kernel: Pair, x: Tensor, y: Tensor) -> Geometry:
    """The windows of a convolution or a pool."""
    pads = layer.pads
    dilations = getattr(layer, "dilations", (1, 1))
    return Geometry(
        (x.shape[2], x.shape[3]), (y.shape[2], y.shape[3]), kernel, layer.strides, dilations, (pads[0], pads[1])
    )


def windows(state: Lowering, layer: str, words: Wire, form: Geometry, *, taps: int, outer: bool, pad: int = 0) -> Wire:
    """The pixels under each window, `taps` of them a word.

    Args:
        state: gets the instance.
        layer: whose it is.
        words: the image; its lanes divide the channels.
        form: the windows; not trivial.
        taps: 1 or all of them.
        outer: whether all taps of a word come before those of the next; they do where taps come together.
        pad: one lane of padding, a stored value.
    """
    pad &= (1 << words.width) - 1
    padding = sum(pad << (lane * words.width) for lane in range(words.lanes))
    per_pixel = words.words // form.pixels_in
    out = state.wire(words.lanes * taps, words.width, form.pixels * per_pixel * form.taps // taps)
    if taps == 1:
        form = form.turned
    parameters: dict[str, Parameter] = {"WORD_W": words.bits, "WORDS": per_pixel, **_parameters(form), "PAD": padding}
    if taps == 1:
        state.add(layer, "tsm_window", parameters | {"CHANNELS_OUTER": int(outer)}, {"s": words}, {"m": out})
    else:
        depth = {"QUEUE": (form.span(1) - 1) * per_pixel + 2}
        cycles = form.columns * per_pixel
        state.add(layer, "tsm_slide", parameters | depth, {"s": words}, {"m": out}, cycles=cycles)
    return out


def _parameters(form: Geometry) -> dict[str, Parameter]:
    pairs = {
        ("H", "W"): form.size,
        ("OH", "OW"): form.out,
        ("KH", "KW"): form.kernel,
        ("SH", "SW"): form.strides,
        ("DH", "DW"): form.dilations,
        ("TOP", "LEFT"): form.before,
    }
    flat: dict[str, Parameter] = {
        name: value for names, pair in pairs.items() for name, value in zip(names, pair, strict=True)
    }
    return flat | {"ROWS": form.size[0] + form.span(0) + form.strides[0]}  # more than enough: buffers.py cuts it
