"""The binarization methods, by name. To add one, see docs/add-a-method.md."""

from __future__ import annotations

import difflib

from tinsmith.errors import Problems
from tinsmith.train.methods.base import BinaryMethod
from tinsmith.train.methods.birealnet import BiRealNet
from tinsmith.train.methods.bnn import BNN
from tinsmith.train.methods.dorefa import DoReFa
from tinsmith.train.methods.fda import FDA
from tinsmith.train.methods.reactnet import ReActNet
from tinsmith.train.methods.recu import ReCU
from tinsmith.train.methods.xnor import XNOR
from tinsmith.train.methods.xnor_plus import XNORPlus

METHODS: dict[str, type[BinaryMethod]] = {
    method.name: method for method in (BNN, XNOR, DoReFa, BiRealNet, XNORPlus, ReActNet, FDA, ReCU)
}


def find_method(name: str, problems: Problems) -> type[BinaryMethod]:
    """The method called `name`.

    If there is none, that is noted in `problems` with the nearest name, and BNN stands in so that checks can go on.
    """
    if name not in METHODS:
        near = difflib.get_close_matches(name.lower(), METHODS, n=1, cutoff=0.3)
        fix = f"method={near[0]!r}" if near else "one of them"
        problems.add(f"there is no binarization method {name!r}", why=f"there are {', '.join(METHODS)}", fix=fix)
    return METHODS.get(name, BNN)
