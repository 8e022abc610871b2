"""Training of compressed networks: `from tinsmith.train import binarize, shift, fit, export`.

The names are imported when they are first asked for: they need PyTorch, the rest of Tinsmith does not.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tinsmith.train.binarize import binarize
    from tinsmith.train.export import export
    from tinsmith.train.fit import fit
    from tinsmith.train.shift import shift

__all__ = ["binarize", "export", "fit", "shift"]


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module 'tinsmith.train' has no attribute {name!r}")
    # import_module binds the submodule under this very name; the function takes its place for good.
    function = getattr(import_module(f"tinsmith.train.{name}"), name)
    globals()[name] = function
    return function
