"""`ai.tinsmith.Threshold`: one bit from an accumulator, which other function bodies end in as they do in `Rescale`.

It is no layer of its own (a layer that only binarizes is `Binarize`); it stands in the model so that the rule is
written once: an accumulator that equals its limit gives +1, so sign(0) = +1.
"""

from __future__ import annotations

NAME = "Threshold"
BODY = """
Threshold (acc, limit) => (y)
{
  above_int = Constant <value_int = 1> ()
  below_int = Constant <value_int = -1> ()
  reached = GreaterOrEqual (acc, limit)
  bit = Where (reached, above_int, below_int)
  y = Cast <to = 3> (bit)
}"""

CALL = "ai.tinsmith.Threshold"
"""How another body calls it."""
