"""Exact comparison of an artefact with the oracle.

`tinsmith.verify` is this package and, for Python has one name for both, also the verb: calling it is
`tinsmith.verbs.verify`.
"""

from __future__ import annotations

import sys
from types import ModuleType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tinsmith.verify.verify import Verification


class _Verb(ModuleType):
    """A module that can be called, as `tinsmith.verify(folder)`."""

    def __call__(self, *arguments: Any, **keywords: Any) -> Verification:
        from tinsmith.verbs import verify

        return verify(*arguments, **keywords)


sys.modules[__name__].__class__ = _Verb
