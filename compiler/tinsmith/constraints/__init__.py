"""What Tinsmith takes: small functions whose docstrings are the user's error text and the rows of docs/operators.md."""

from tinsmith.constraints.check import check, survey
from tinsmith.constraints.view import GraphView, NodeView

__all__ = ["GraphView", "NodeView", "check", "survey"]
