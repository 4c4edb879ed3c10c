"""Methods of tables as functions."""

from __future__ import annotations

from typing import Any

from pathway.internals.groupby import GroupedJoinResult, GroupedTable
from pathway.internals.joinable import Joinable
from pathway.internals.joins import JoinResult
from pathway.internals.runtime_type_check import check_arg_types
from pathway.internals.trace import trace_user_frame


@trace_user_frame
def groupby(grouped: Any, *args: Any, id: Any = None, **kwargs: Any) -> GroupedTable | GroupedJoinResult:
    """`grouped.groupby(...)`."""
    if not hasattr(grouped, "groupby"):
        raise TypeError(
            f"groupby(): parameter grouped={grouped!r} violates type hint Joinable: it is no table."
        )
    result: GroupedTable | GroupedJoinResult = grouped.groupby(*args, id=id, **kwargs)
    return result


@trace_user_frame
@check_arg_types
def join(left: Joinable, right: Joinable, *on: Any, **kwargs: Any) -> JoinResult:
    """`left.join(right, ...)`."""
    return left.join(right, *on, **kwargs)


@trace_user_frame
@check_arg_types
def join_inner(left: Joinable, right: Joinable, *on: Any, **kwargs: Any) -> JoinResult:
    """`left.join_inner(right, ...)`."""
    return left.join_inner(right, *on, **kwargs)


@trace_user_frame
@check_arg_types
def join_left(left: Joinable, right: Joinable, *on: Any, **kwargs: Any) -> JoinResult:
    """`left.join_left(right, ...)`."""
    return left.join_left(right, *on, **kwargs)


@trace_user_frame
@check_arg_types
def join_right(left: Joinable, right: Joinable, *on: Any, **kwargs: Any) -> JoinResult:
    """`left.join_right(right, ...)`."""
    return left.join_right(right, *on, **kwargs)


@trace_user_frame
@check_arg_types
def join_outer(left: Joinable, right: Joinable, *on: Any, **kwargs: Any) -> JoinResult:
    """`left.join_outer(right, ...)`."""
    return left.join_outer(right, *on, **kwargs)
