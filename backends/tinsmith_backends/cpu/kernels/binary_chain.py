"""Counts the -1 among many ±1 products with half the population counts: carry-save addition by prefix XORs.

A product of two bits is p = x ^ w. Let S_k = p_1 ^ … ^ p_k be the parity of the first k vectors, bit by bit. Since
S_k = (x_1 ^ … ^ x_k) ^ (w_1 ^ … ^ w_k), each of them is one XOR of two vectors that are made beforehand: those of the
weights when they are packed, those of the inputs when a window is gathered. A full adder of (S_k, p_k+1, p_k+2) has the
sum S_k+2 and the carry

    S_k+1 ? not S_k+2 : S_k        (S_k+1 differs in p_k+1 from S_k: where it is 1, p_k+2 is the complement of S_k+2)

so two vectors cost two XORs, one selection and one count, and the whole count is 2 * count(carries) + count(S_n).

No NOT is left either: each second S is packed complemented. Then the very same selection gives the carry, its
complement, the carry … in turn, and the counts of complements are subtracted.

`levels` more of these adders may follow, each of which takes two carries and its own state, and halves the counts:

    y = a ^ b;  carry = y ? (a or b, in turn) : state;  state = state ^ y

where a is true and b is complemented, as they come; states and carries alternate between both in the same way.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Words = npt.NDArray[np.uint32]


@dataclass(frozen=True)
class Chain:
    """The adders of one output: `vectors` products, `levels` adders above the first."""

    vectors: int
    levels: int

    @property
    def steps(self) -> int:
        """Full adders of the first level: the first vector is the state that they start with."""
        return (self.vectors - 1) // 2

    @property
    def extra(self) -> bool:
        """Whether one vector is left over and counted by itself."""
        return self.vectors % 2 == 0

    def ends_complemented(self, level: int) -> bool:
        """Whether the state of a level is a complement at the end (level 0: S)."""
        return bool(self.steps >> level & 1)

    def pending(self, level: int) -> bool:
        """Whether a carry, true and of weight 2**level, waits for a second one at the adder of a level from 1 on."""
        return level > 0 and self.ends_complemented(level - 1)

    def short(self, bits: int) -> int:
        """By how much counts are too small, for `bits` bits of each vector: what subtracting complements takes off.

        A carry of weight 2**(l+1) does so once in two, a state of weight 2**l where it ends complemented. Together that
        is once for each step.
        """
        return bits * self.steps

    def prefixed(self, vectors: Words) -> Words:
        """Vectors (…, vectors, words) as `x` is gathered: prefix XORs, but the extra one as it is."""
        out = np.bitwise_xor.accumulate(vectors, axis=-2)
        if self.extra:
            out[..., -1, :] = vectors[..., -1, :]
        return out

    def weights(self, vectors: Words) -> Words:
        """The same for `w`, whose S of each second adder is complemented."""
        out = self.prefixed(vectors)
        out[..., 2 : 1 + 2 * self.steps : 4, :] ^= np.uint32(0xFFFFFFFF)
        return out
