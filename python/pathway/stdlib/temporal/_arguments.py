"""Checks of the arguments that joins in time have in common."""

from __future__ import annotations

from typing import Any

from pathway import _engine
from pathway.internals.expression.nodes import Constant
from pathway.stdlib.temporal.temporal_behavior import CommonBehavior


def check_extra(kwargs: dict[str, Any], function: str) -> None:
    """ValueError for arguments that a join does not have."""
    if "id" in kwargs:
        raise ValueError(f"{function}() takes no id: its rows have ids of their own.")
    if "behavior" in kwargs:
        raise TypeError(
            f"{function}() has no parameter behavior; ignore_late(), buffer() and forget() do for the rows "
            "of a table what a behavior does for a join."
        )
    if kwargs:
        raise ValueError(
            f"{function}() has no parameters {', '.join(kwargs)}; output columns are computed by select: "
            f"left.{function}(right, ...).select(name=...)."
        )


def check_no_how(kwargs: dict[str, Any], function: str) -> None:
    """ValueError where the name of the function says which join it is."""
    if "how" in kwargs:
        raise ValueError(f"the name of {function}() says which join it is; it takes no how.")


def lower_behavior(behavior: Any) -> _engine.Behavior | None:
    """The behavior of a join; ValueError if it is none that a join can have."""
    if behavior is None:
        return None
    if not isinstance(behavior, CommonBehavior):
        raise ValueError(
            "The behavior argument of join should be of type pathway.temporal.CommonBehavior. Make it with "
            f"pw.temporal.common_behavior(); {behavior!r} is something else."
        )
    return behavior._lower()


def constant(value: Any) -> _engine.Expr:
    """A value as the engine's expression."""
    return Constant(value)._lower(())
