"""Backends of Tinsmith. They depend on the compiler; the compiler finds them by entry point."""
