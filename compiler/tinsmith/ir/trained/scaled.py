"""`Scaled`: the end of every trained layer, one factor and one summand an output channel."""

from __future__ import annotations

BODY = """
Scaled (x, scale, bias) => (y) {
  channels = Shape (scale)
  zero = ConstantOfShape (channels)
  one = ConstantOfShape <value = float[1] {1.0}> (channels)
  y = BatchNormalization <epsilon = 0.0> (x, scale, bias, zero, one)
}
"""
"""x * scale[c] + bias[c], c along axis 1: a normalization does so for any number of axes behind it."""
