"""Tinsmith: PyTorch and ONNX networks to exact integer code for small devices.

The verbs of the command line are functions here: `quantize`, `compile`, `verify`, `run`, `bench`, `estimate`,
`synthesize`, `inspect`. They are imported when they are first asked for, so that `import tinsmith` and
`tinsmith --help` stay quick.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tinsmith.errors import Problem, TinsmithError
    from tinsmith.pipeline import compile, estimate, quantize
    from tinsmith.verbs import bench, inspect, run, synthesize, verify

__all__ = [
    "Problem",
    "TinsmithError",
    "bench",
    "compile",
    "estimate",
    "inspect",
    "quantize",
    "run",
    "synthesize",
    "verify",
]

_HOMES = {
    "Problem": "tinsmith.errors",
    "TinsmithError": "tinsmith.errors",
    "compile": "tinsmith.pipeline",
    "estimate": "tinsmith.pipeline",
    "quantize": "tinsmith.pipeline",
    "bench": "tinsmith.verbs",
    "inspect": "tinsmith.verbs",
    "run": "tinsmith.verbs",
    "synthesize": "tinsmith.verbs",
    "verify": "tinsmith.verbs",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'tinsmith' has no attribute {name!r}")
    return getattr(import_module(_HOMES[name]), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
