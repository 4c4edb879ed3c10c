"""Methods of tables as functions."""

from __future__ import annotations

from typing import Any

from pathway.internals.groupby import GroupedJoinResult, GroupedTable
from pathway.internals.joinable import Joinable
from pathway.internals.joins import JoinResult
from pathway.internals.trace import trace_user_frame


@trace_user_frame
def groupby(grouped: Any, *args: Any, id: Any = None, **kwargs: Any) -> GroupedTable | GroupedJoinResult:
    """`grouped.groupby(...)`."""
    _check_table("groupby", grouped)
    result: GroupedTable | GroupedJoinResult = grouped.groupby(*args, id=id, **kwargs)
    return result


@trace_user_frame
def join(left: Joinable, right: Joinable, *on: Any, **kwargs: Any) -> JoinResult:
    """`left.join(right, ...)`."""
    _check_table("join", left)
    return left.join(right, *on, **kwargs)


@trace_user_frame
def join_inner(left: Joinable, right: Joinable, *on: Any, **kwargs: Any) -> JoinResult:
    """`left.join_inner(right, ...)`."""
    _check_table("join_inner", left)
    return left.join_inner(right, *on, **kwargs)


@trace_user_frame
def join_left(left: Joinable, right: Joinable, *on: Any, **kwargs: Any) -> JoinResult:
    """`left.join_left(right, ...)`."""
    _check_table("join_left", left)
    return left.join_left(right, *on, **kwargs)


@trace_user_frame
def join_right(left: Joinable, right: Joinable, *on: Any, **kwargs: Any) -> JoinResult:
    """`left.join_right(right, ...)`."""
    _check_table("join_right", left)
    return left.join_right(right, *on, **kwargs)


@trace_user_frame
def join_outer(left: Joinable, right: Joinable, *on: Any, **kwargs: Any) -> JoinResult:
    """`left.join_outer(right, ...)`."""
    _check_table("join_outer", left)
    return left.join_outer(right, *on, **kwargs)


def _check_table(function: str, table: Any) -> None:
    if not isinstance(table, Joinable):
        raise AttributeError(f"{function}(): {table!r} is no table, so there is nothing to {function}.")
