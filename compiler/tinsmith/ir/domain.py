"""The operator domain `ai.tinsmith`: its name, its version, and the standard opset its function bodies use."""

from __future__ import annotations

DOMAIN = "ai.tinsmith"
VERSION = 1
OPSET = 18
"""Version of the standard operators in every model and function body."""
IR_VERSION = 10
"""First ONNX IR version whose values carry metadata."""
