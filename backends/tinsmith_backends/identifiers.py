"""Names of networks, layers and tensors as C identifiers."""

from __future__ import annotations

import re
from collections.abc import Sequence

_KEYWORDS = frozenset(
    word
    for line in (
        "alignas alignof and asm auto bool break case catch char class const constexpr continue default delete do",
        "double else enum extern false final float for goto if inline int long namespace new not null nullptr",
        "operator or private protected public register restrict return short signed sizeof static struct super switch",
        "template this throw true try typedef typeof union unsigned using var virtual void volatile while with xor",
        "yield await import export let function arena index i",
        "step failed real stored quantize dequantize softmax argmax sample different assert complex ctype errno",
        "fenv inttypes iso646 limits locale math setjmp signal stdalign stdarg stdatomic stdbool stddef stdint stdio",
        "stdlib stdnoreturn string tgmath threads time uchar wchar wctype module inputs outputs",
    )
    for word in line.split()
)
"""Reserved in C, C++ or JavaScript, names of C headers, or used by the generated code itself."""
_LOCAL = re.compile(r"from\d+|i\d+_\d+")
"""Variables of generated loops."""


def identifier(name: str) -> str:
    """`name` with everything that no identifier may hold turned into an underscore.

    Neither begins nor ends with an underscore, holds no two of them in a row (C++ reserves such names), and is no
    keyword of C, C++ or JavaScript. Generated code has names that end in an underscore to itself.
    """
    word = re.sub(r"_+", "_", re.sub(r"\W", "_", name, flags=re.ASCII)).strip("_")
    if not word or word[0].isdigit():
        word = f"n{word}" if word else "net"
    return f"n_{word}" if word in _KEYWORDS or _LOCAL.fullmatch(word) else word


def unique(names: Sequence[str]) -> list[str]:
    """An identifier for each name, numbered from 2 where two would be the same."""
    taken: set[str] = set()
    result = []
    for name in names:
        word = base = identifier(name)
        number = 2
        while word.lower() in taken:
            word = f"{base}_{number}"
            number += 1
        taken.add(word.lower())
        result.append(word)
    return result
