"""The rules of each stage: small functions, whose docstring is the rule, that yield (place, what is wrong)."""

from __future__ import annotations

from tinsmith.ir.rules.canonical import CANONICAL
from tinsmith.ir.rules.exact import EXACT
from tinsmith.ir.rules.quantized import QUANTIZED
from tinsmith.ir.rules.sound import SOUND, Rule
from tinsmith.ir.stages import Stage

RULES: dict[Stage, tuple[Rule, ...]] = {
    Stage.IMPORTED: SOUND,
    Stage.CANONICAL: SOUND + CANONICAL,
    Stage.QUANTIZED: SOUND + QUANTIZED,
    Stage.EXACT: SOUND + EXACT,
}
"""The rules of each stage, in the order in which they are checked."""
