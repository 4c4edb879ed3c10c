"""Whether a subject may remove rows, by its source text."""

from __future__ import annotations

import ast
import inspect
import textwrap
from collections.abc import Callable
from typing import Any

_DELETIONS = frozenset(("delete", "_remove", "_remove_inner"))


def may_delete(cls: type) -> bool:
    """True if `run`, or a method it reaches through `self`, uses a method that removes rows."""
    from pathway.io.python.subject import ConnectorSubject

    waiting, seen = ["run"], {"run"}
    while waiting:
        method = inspect.getattr_static(cls, waiting.pop(), None)
        function = getattr(method, "__func__", method)
        if not inspect.isfunction(function) or function.__module__ == ConnectorSubject.__module__:
            continue
        used = _attributes_of_self(function)
        if used is None or used & _DELETIONS:
            return True
        waiting.extend(used - seen)
        seen |= used
    return False


def _attributes_of_self(function: Callable[..., Any]) -> set[str] | None:
    """The names used as `self.<name>`; None if the source text is not there."""
    try:
        tree = ast.parse(textwrap.dedent(inspect.getsource(function)))
    except (OSError, TypeError, SyntaxError):
        return None
    parameters = list(inspect.signature(function).parameters)
    if not parameters:
        return set()
    own = {parameters[0]}
    nodes = list(ast.walk(tree))
    for node in nodes:  # `subject = self`
        if isinstance(node, ast.Assign) and isinstance(node.value, ast.Name) and node.value.id in own:
            own |= {target.id for target in node.targets if isinstance(target, ast.Name)}
    return {
        node.attr
        for node in nodes
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id in own
    }
