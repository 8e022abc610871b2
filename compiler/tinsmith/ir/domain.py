"""The operator domains: their names, their versions, and the standard opset that function bodies use."""

from __future__ import annotations

DOMAIN = "ai.tinsmith"
"""Operators of the exact graph (ir/ops)."""
VERSION = 1
OPSET = 18
"""Version of the standard operators in every model and function body."""
OPSET_16 = 21
"""The first whose QuantizeLinear makes int16: that of a quantized model which has any."""
IR_VERSION = 10
"""First ONNX IR version whose values carry metadata."""
TRAINED_DOMAIN = "ai.tinsmith.trained"
"""Domain of the float operators that stand for layers trained to hold bits or powers of two."""
TRAINED_VERSION = 1
CURVE_DOMAIN = "ai.tinsmith.curve"
"""Domain of the functions of one value that a model brings along: each is a function body of the model's own."""
CURVE_VERSION = 1
