"""`ai.tinsmith.Rescale`: the one requantization of docs/numbers.md, which the other function bodies call.

It is no layer of its own (that is `Requantize`); it stands in the model so that the rule is written once. The floor
shift is spelt (a - (a mod 2^s)) / 2^s, since ONNX shifts unsigned numbers only; `Mod` of integers takes the divisor's
sign, so halves and negative numbers round as an arithmetic shift does.
"""

from __future__ import annotations

_POWERS = ", ".join(str(2**i) for i in range(63))

NAME = "Rescale"
BODY = f"""
Rescale <shift, zero_point, lo, hi, to> (acc, multiplier) => (y)
{{
  powers = Constant <value_ints = [{_POWERS}]> ()
  one = Constant <value_int = 1> ()
  s = Constant <value_int: int = @shift> ()
  zero = Constant <value_int: int = @zero_point> ()
  least = Constant <value_int: int = @lo> ()
  most = Constant <value_int: int = @hi> ()
  wide_acc = Cast <to = 7> (acc)
  wide_multiplier = Cast <to = 7> (multiplier)
  product = Mul (wide_acc, wide_multiplier)
  s_less_one = Sub (s, one)
  half = Gather (powers, s_less_one)
  divisor = Gather (powers, s)
  sum = Add (product, half)
  rest = Mod (sum, divisor)
  floored = Sub (sum, rest)
  shifted = Div (floored, divisor)
  moved = Add (shifted, zero)
  clamped = Clip (moved, least, most)
  y = Cast <to: int = @to> (clamped)
}}"""

CALL = (
    "ai.tinsmith.Rescale <shift: int = @shift, zero_point: int = @zero_point, "
    "lo: int = @lo, hi: int = @hi, to: int = @to>"
)
"""How another body calls it, forwarding its own attributes."""
