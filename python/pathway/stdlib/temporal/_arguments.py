"""Checks of the arguments that joins in time have in common."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

from pathway import _engine
from pathway.internals.expression.nodes import Constant
from pathway.stdlib.temporal.temporal_behavior import CommonBehavior

if TYPE_CHECKING:
    from pathway.internals.join_mode import JoinMode
    from pathway.internals.table import Table

_Result = TypeVar("_Result")


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


def with_how(
    join: Callable[..., _Result],
    how: JoinMode,
    left: Table,
    right: Table,
    args: tuple[Any, ...],
    kwargs: dict[str, Any],
) -> _Result:
    """A join by the function whose name says which one it is; ValueError if it is told once more."""
    if "how" in kwargs:
        name = f"{join.__name__}_{how.name.lower()}"
        raise ValueError(f"the name of {name}() says which join it is; it takes no how.")
    return join(left, right, *args, how=how, **kwargs)


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
