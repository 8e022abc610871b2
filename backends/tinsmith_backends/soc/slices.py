"""An operation on a part of its output, and the part of its inputs that this depends on.

Parts are lines: rows of an image, or pixels of a signal, which has one row. An operation works by rows unless both its
input and its output are signals. Where one writes rows and the next reads pixels, or pixels of another size, bytes of
the buffer say which lines of the one the other needs.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from math import ceil

from tinsmith_backends.soc.operations import Operation, View, Work

Lines = tuple[int, int]
"""The first, and the one behind the last."""
Span = tuple[int, int]
"""The first byte of a buffer, and the one behind the last."""
NOTHING = (0, 0)


@dataclass(frozen=True)
class _Window:
    """Lines of the input that a line of the output depends on."""

    size: int
    stride: int
    dilation: int
    pad: int

    def needed(self, lines: Lines, height: int) -> Lines:
        """Of an input of so many lines; one at least."""
        first = max(lines[0] * self.stride - self.pad, 0)
        last = (lines[1] - 1) * self.stride - self.pad + (self.size - 1) * self.dilation
        return first, max(first, min(last, height - 1)) + 1


def count(each: Work) -> int:
    """Lines of the output."""
    return each.output.height if _by_rows(each) else each.output.width


def covering(each: Operation, span: Span) -> Lines:
    """Lines of the output that have bytes in a part of its buffer; none for none."""
    view, step = each.output, _step(each, each.output)
    extent = view.end - view.offset - (count(each) - 1) * step
    first = max((span[0] - view.offset - extent) // step + 1, 0)
    behind = min(ceil((span[1] - view.offset) / step), count(each))
    return (first, behind) if span[0] < span[1] and first < behind else NOTHING


def part(each: Operation, lines: Lines) -> Operation:
    """The operation for some lines of its output, or a few more in front, where these depend on padding alone."""
    window = _window(each)
    height = each.input.height if _by_rows(each) else each.input.width
    lines = min(lines[0], (height - 1 + window.pad) // window.stride), lines[1]
    needed = window.needed(lines, height)
    x, y = _cut(each, each.input, needed), _cut(each, each.output, lines)
    made = replace(each, input=x, output=y)
    above = max(window.pad - lines[0] * window.stride, 0)
    if each.second is not None:
        fields = {name: each.fields[name] * y.size // each.output.size for name in ("in_row_bytes", "length")}
        made = replace(made, second=_cut(each, each.second, needed), groups=ceil(y.size / each.group))
    elif _by_rows(each):
        fields = {"in_h": x.height, "out_h": y.height, "pad_top": above}
    else:
        fields = {"in_row_bytes": x.row_bytes, "out_w": y.width, "pad_left_b": above * x.pixel_bytes}
    return replace(made, fields={**each.fields, **fields})


def _by_rows(each: Work) -> bool:
    return max(each.input.height, each.output.height) > 1


def _step(each: Operation, view: View) -> int:
    """Bytes from one line to the next."""
    return view.row_bytes if _by_rows(each) else view.pixel_bytes


def _window(each: Operation) -> _Window:
    fields, pixel = each.fields, each.input.pixel_bytes
    if each.second is not None:  # an addition has no window
        return _Window(1, 1, 1, 0)
    if _by_rows(each):
        return _Window(each.window[0], fields["stride_y"], fields["dil_y"], fields["pad_top"])
    beside = (fields[name] // pixel for name in ("stride_xb", "dil_xb", "pad_left_b"))
    return _Window(each.window[1], *beside)


def _cut(each: Operation, view: View, lines: Lines) -> View:
    offset, size = view.offset + lines[0] * _step(each, view), lines[1] - lines[0]
    if _by_rows(each):
        return replace(view, offset=offset, height=size)
    return replace(view, offset=offset, width=size, row_bytes=size * view.pixel_bytes)
