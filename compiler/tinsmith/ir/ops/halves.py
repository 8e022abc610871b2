"""`ai.tinsmith.Halves`: 16 bits as twice 8, x = 256 * (high - 128) + low, since integer products take 8 bits.

So a sum of products of x is 256 times one of its high halves, plus one of its low halves. It is no layer of its own:
the bodies of layers with weights that read 16 bits call it, and are the same as those that read 8 bits but for that.
"""

from __future__ import annotations

from collections.abc import Callable

NAME = "Halves"
BODY = """
Halves (x) => (high, low)
{
  step = Constant <value = int32 {256}> ()
  offset = Constant <value = int32 {32768}> ()
  whole = Cast <to = 6> (x)
  raised = Add (whole, offset)
  rest = Mod (raised, step)
  floored = Sub (raised, rest)
  part = Div (floored, step)
  high = Cast <to = 2> (part)
  low = Cast <to = 2> (rest)
}"""

_ZEROS = """
  x_zero_int = Constant <value_int: int = @x_zero_point> ()
  w_zero_int = Constant <value_int: int = @w_zero_point> ()
  x_zero = CastLike (x_zero_int, x)
  w_zero = CastLike (w_zero_int, x)
"""
_WIDE_ZEROS = """
  high, low = ai.tinsmith.Halves (x)
  w_zero_int = Constant <value_int = 128> ()
  low_zero_int = Constant <value_int = 0> ()
  high_zero = CastLike (w_zero_int, high)
  low_zero = CastLike (low_zero_int, low)
  w_zero = CastLike (w_zero_int, low)
"""
_JOINED = """
  step = Constant <value = int32 {256}> ()
  raised = Mul (high_products, step)
  products = Add (raised, low_products)
"""

Products = Callable[[str, str], str]
"""(x, y) → text that makes y (int32) of an 8-bit x with `x_zero`, by weights with `w_zero`."""


def zero_names(wide: bool) -> tuple[str, ...]:
    """The attributes of a body that tell zero points; those of 16 bits are always the same."""
    return () if wide else ("x_zero_point", "w_zero_point")


def operands(wide: bool) -> str:
    """The begin of a body: x, or its halves, with their zero points and that of the weights, `w_zero`."""
    return _WIDE_ZEROS if wide else _ZEROS


def sums(wide: bool, products: Products) -> str:
    """The text behind it that makes `products` of x."""
    if not wide:
        return products("x", "products")
    return products("high", "high_products") + products("low", "low_products") + _JOINED
