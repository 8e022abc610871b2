"""BNN: signs, and nothing else."""

from __future__ import annotations

from tinsmith.train.methods.base import BinaryMethod


class BNN(BinaryMethod):
    """sign(W), sign(a); both gradients pass where |·| <= 1; no scale.

    Courbariaux and others, "Binarized Neural Networks", 2016.
    """

    name = "bnn"
