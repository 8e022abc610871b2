"""`ai.tinsmith.ShiftWeight`: what codes of 2, 3 or 4 bits mean, (-1)**sign * 2**S with code = sign << (bits - 1) | S.

Not every weight fits the 8 bits that integer products take (4 bits reach ±128), so the function gives each as the sum
of two: one in -127…127 and a rest of -1, 0 or 1, both stored as weights beside x are (ops/weights.py). It is no layer
of its own; the bodies of `ShiftConv` and `ShiftMatMul` call it.
"""

from __future__ import annotations

from tinsmith.ir.codes import decode
from tinsmith.ir.exact import Int16Array
from tinsmith.ir.ops.base import ReadContext

NAME = "ShiftWeight"
BODY = f"""
ShiftWeight <bits> (codes, x, zero) => (near, rest)
{{
  powers = Constant <value_ints = [{", ".join(str(2**i) for i in range(8))}]> ()
  one = Constant <value_int = 1> ()
  least = Constant <value_int = -127> ()
  most = Constant <value_int = 127> ()
  all_bits = Constant <value_int: int = @bits> ()
  place = Sub (all_bits, one)
  half = Gather (powers, place)
  code = Cast <to = 7> (codes)
  exponent = Mod (code, half)
  plus = Gather (powers, exponent)
  minus = Neg (plus)
  negative = GreaterOrEqual (code, half)
  weight = Where (negative, minus, plus)
  near_true = Clip (weight, least, most)
  rest_true = Sub (weight, near_true)
  near_wide = Add (near_true, zero)
  rest_wide = Add (rest_true, zero)
  near = CastLike (near_wide, x)
  rest = CastLike (rest_wide, x)
}}"""


def decoded(wide: bool) -> str:
    """How another body calls it, forwarding its own attribute: weights of the type of x, or of its halves."""
    return f"  near, rest = ai.tinsmith.ShiftWeight <bits: int = @bits> (codes, {'low' if wide else 'x'}, w_zero_int)\n"


def read_shift_weight(context: ReadContext, rank: int) -> tuple[Int16Array, int]:
    """The true weights and the bits of a node whose inputs begin (x, codes)."""
    bits = context.integer("bits")
    if bits not in (2, 3, 4):
        raise context.fail(f"bits {bits} is none of 2, 3 and 4")
    codes = context.constant(1, "uint8", rank)
    if not codes.size or codes.max() >> bits:
        raise context.fail(f"a code does not fit {bits} bits, or there is none")
    return decode(codes, bits), bits
