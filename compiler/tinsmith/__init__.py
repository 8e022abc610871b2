"""Tinsmith: PyTorch and ONNX networks to exact integer code for small devices."""
