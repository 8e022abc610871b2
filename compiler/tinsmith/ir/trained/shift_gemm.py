"""`ShiftGemm`: a matrix product by ± powers of two, scaled."""

from __future__ import annotations

import onnx_ir as ir

from tinsmith.ir.trained.node import sizes, trained_node

BODY = """
ShiftGemm <bits> (x, codes, scale, bias) => (y) {
  weight = ai.tinsmith.trained.ShiftWeight <bits: int = @bits> (codes)
  sums = MatMul (x, weight)
  scaled = Mul (sums, scale)
  y = Add (scaled, bias)
}
"""


def shift_gemm(x: ir.Value, codes: ir.Value, scale: ir.Value, bias: ir.Value, *, bits: int) -> ir.Node:
    """(x @ weight) * scale[n] + bias[n]; x float32 (…, K), codes uint8 (K, N), scale and bias float32 (N,)."""
    return trained_node("ShiftGemm", [x, codes, scale, bias], (*sizes(x)[:-1], sizes(codes)[1]), {"bits": bits})
