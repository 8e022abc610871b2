"""Training of compressed networks: `from tinsmith.train import binarize, shift, fit, export`.

The names are imported when they are first asked for: they need PyTorch, the rest of Tinsmith does not.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tinsmith.train.binarizing import binarize
    from tinsmith.train.exporting import export
    from tinsmith.train.fitting import fit
    from tinsmith.train.shifting import shift

__all__ = ["binarize", "export", "fit", "shift"]
_MODULES = {"binarize": "binarizing", "export": "exporting", "fit": "fitting", "shift": "shifting"}


def __getattr__(name: str) -> Any:
    if name not in _MODULES:
        raise AttributeError(f"module 'tinsmith.train' has no attribute {name!r}")
    return getattr(import_module(f"tinsmith.train.{_MODULES[name]}"), name)
