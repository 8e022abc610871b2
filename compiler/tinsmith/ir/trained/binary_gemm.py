"""`BinaryGemm`: a matrix product of ±1 by ±1, scaled."""

from __future__ import annotations

import onnx_ir as ir

from tinsmith.ir.trained.node import sizes, trained_node

BODY = """
BinaryGemm (x, w, scale, bias) => (y) {
  weight = Cast <to = 1> (w)
  sums = MatMul (x, weight)
  scaled = Mul (sums, scale)
  y = Add (scaled, bias)
}
"""


def binary_gemm(x: ir.Value, w: ir.Value, scale: ir.Value, bias: ir.Value) -> ir.Node:
    """(x @ w) * scale[n] + bias[n]; x float32 ±1 (…, K), w int8 ±1 (K, N), scale and bias float32 (N,)."""
    return trained_node("BinaryGemm", [x, w, scale, bias], (*sizes(x)[:-1], sizes(w)[1]))
