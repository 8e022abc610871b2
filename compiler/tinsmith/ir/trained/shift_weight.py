"""`ShiftWeight`: what the codes of shift weights mean."""

from __future__ import annotations

BODY = """
ShiftWeight <bits> (codes) => (weight) {
  width = Constant <value_int: int = @bits> ()
  bits_of_code = Cast <to = 2> (width)
  one = Constant <value = uint8 {1}> ()
  exponent_bits = Sub (bits_of_code, one)
  sign_bit = BitShift <direction = "LEFT"> (one, exponent_bits)
  exponent = Mod (codes, sign_bit)
  power = BitShift <direction = "LEFT"> (one, exponent)
  magnitude = Cast <to = 1> (power)
  opposite = Neg (magnitude)
  is_positive = Less (codes, sign_bit)
  weight = Where (is_positive, magnitude, opposite)
}
"""
"""uint8 codes, sign_bit << (bits - 1) | S, to float32 (-1)**sign_bit * 2**S."""
