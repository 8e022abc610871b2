"""`Binarize`: a value becomes one bit, +1 or -1."""

from __future__ import annotations

import onnx_ir as ir

from tinsmith.ir.trained.node import sizes, trained_node

BODY = """
Binarize (x, threshold) => (y) {
  reached = GreaterOrEqual (x, threshold)
  one = Constant <value_float = 1.0> ()
  minus_one = Constant <value_float = -1.0> ()
  y = Where (reached, one, minus_one)
}
"""


def binarize(x: ir.Value, threshold: ir.Value) -> ir.Node:
    """+1.0 where x >= threshold, else -1.0; `threshold` (float32) is broadcast to `x` from its channel axis."""
    return trained_node("Binarize", [x, threshold], sizes(x))
