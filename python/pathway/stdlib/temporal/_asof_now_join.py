"""As-of-now joins: each left row with what the right table holds when it comes, for good."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pathway import _engine
from pathway.internals.expression.column import ColumnReference
from pathway.internals.join_condition import joined, place
from pathway.internals.join_mode import JoinMode
from pathway.internals.joins import JoinResult
from pathway.internals.trace import trace_user_frame

if TYPE_CHECKING:
    from pathway.internals.table import Table


class AsofNowJoinResult(JoinResult):
    """The result of an as-of-now join; `select` chooses its columns."""


@trace_user_frame
def asof_now_join(
    self: Table,
    other: Table,
    *on: Any,
    how: JoinMode = JoinMode.INNER,
    id: ColumnReference | None = None,
    left_instance: Any = None,
    right_instance: Any = None,
) -> AsofNowJoinResult:
    """Each left row with all right rows that fulfil the conditions when it comes.

    Later changes of the right side change nothing in the result. Changes of the right side at the very
    time of the left row count. A left row that is removed takes along what it gave.

    Args:
        other: the right side.
        on: conditions `left.column == right.column`.
        how: `INNER`, or `LEFT` to keep left rows that find nothing.
        id: `self.id` or `other.id`, if the result is to have these ids.
        left_instance: one more column to be equal with `right_instance`.
        right_instance: see `left_instance`.

    Raises:
        ValueError: if `how` is `RIGHT` or `OUTER`.

    >>> import pathway as pw
    >>> questions = pw.debug.table_from_markdown('''
    ... k | __time__
    ... 1 | 2
    ... 1 | 6
    ... ''')
    >>> known = pw.debug.table_from_markdown('''
    ... id | k | v | __time__ | __diff__
    ... 1  | 1 | 3 | 2        | 1
    ... 1  | 1 | 3 | 4        | -1
    ... 1  | 1 | 4 | 4        | 1
    ... ''')
    >>> answers = questions.asof_now_join(known, questions.k == known.k).select(known.v)
    >>> pw.debug.compute_and_print_update_stream(answers, include_id=False)
    v | __time__ | __diff__
    3 | 2        | 1
    4 | 6        | 1
    """
    if how in (JoinMode.RIGHT, JoinMode.OUTER):
        raise ValueError(
            "asof_now_join can only use modes pathway.JoinMode.INNER or pathway.JoinMode.LEFT: rows of the "
            "right side are never joined by themselves."
        )
    made = joined(
        self,
        other,
        on,
        how=how,
        id=id,
        instances=(left_instance, right_instance),
        in_time=lambda _: _engine.InTime.asof_now(),
    )
    return place(made, AsofNowJoinResult)


@trace_user_frame
def asof_now_join_inner(
    self: Table,
    other: Table,
    *on: Any,
    id: ColumnReference | None = None,
    left_instance: Any = None,
    right_instance: Any = None,
) -> AsofNowJoinResult:
    """[`asof_now_join`][] that keeps rows with a match only."""
    return asof_now_join(
        self,
        other,
        *on,
        how=JoinMode.INNER,
        id=id,
        left_instance=left_instance,
        right_instance=right_instance,
    )


@trace_user_frame
def asof_now_join_left(
    self: Table,
    other: Table,
    *on: Any,
    id: ColumnReference | None = None,
    left_instance: Any = None,
    right_instance: Any = None,
) -> AsofNowJoinResult:
    """[`asof_now_join`][] that keeps all left rows.

    >>> import pathway as pw
    >>> questions = pw.debug.table_from_markdown('''
    ... k
    ... 1
    ... 2
    ... ''')
    >>> known = pw.debug.table_from_markdown('''
    ... k | v
    ... 1 | 3
    ... ''')
    >>> answers = questions.asof_now_join_left(known, questions.k == known.k, id=questions.id)
    >>> with_answers = questions + answers.select(known.v)
    >>> pw.debug.compute_and_print(with_answers, include_id=False)
    k | v
    1 | 3
    2 |
    """
    return asof_now_join(
        self,
        other,
        *on,
        how=JoinMode.LEFT,
        id=id,
        left_instance=left_instance,
        right_instance=right_instance,
    )
