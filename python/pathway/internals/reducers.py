"""The reducers of `reduce`: one value per group."""

from __future__ import annotations

from typing import Any

from pathway.internals.custom_reducers import stateful_many, stateful_single, udf_reducer
from pathway.internals.expression.column import ColumnReference
from pathway.internals.expression.conditional import coalesce, if_else
from pathway.internals.expression.expression import ColumnExpression
from pathway.internals.expression.nodes import operand
from pathway.internals.expression.reducer import ReducerExpression
from pathway.internals.runtime_type_check import check_arg_types
from pathway.internals.thisclass import this
from pathway.internals.trace import trace_user_frame, warn


@trace_user_frame
def count(*args: Any) -> ColumnExpression:
    """The number of rows; with arguments, of those without an Error in them.

    >>> import pathway as pw
    >>> t = pw.debug.table_from_markdown('''
    ... g | v
    ... a | 3
    ... a | 1
    ... b | 2
    ... ''')
    >>> pw.debug.compute_and_print(t.groupby(t.g).reduce(t.g, n=pw.reducers.count()), include_id=False)
    g | n
    a | 2
    b | 1
    """
    if len(args) == 1 and isinstance(args[0], ColumnReference) and args[0]._is_row_id:
        warn("pw.reducers.count(table.id) counts rows, as pw.reducers.count() without arguments does.")
    return ReducerExpression("count", *args)


@trace_user_frame
@check_arg_types
def sum(arg: Any, strict: bool = False, *, skip_nones: bool = False) -> ColumnExpression:
    """The sum of ints, floats or arrays.

    Args:
        strict: the sum is computed of all values again on each change.
        skip_nones: numbers that are None count as zero; without it they are refused.

    >>> import pathway as pw
    >>> t = pw.debug.table_from_markdown('''
    ... i | v
    ... 1 | 3
    ... 2 |
    ... ''')
    >>> result = t.reduce(total=pw.reducers.sum(t.v, skip_nones=True))
    >>> pw.debug.compute_and_print(result, include_id=False)
    total
    3
    """
    if skip_nones:
        arg = coalesce(arg, 0)
    return ReducerExpression("sum", arg, options={"strict": strict})


@trace_user_frame
@check_arg_types
def avg(expression: Any, *, skip_nones: bool = False) -> ColumnExpression:
    """The arithmetic mean; with `skip_nones` that of the values that are not None, or None if there are none.

    >>> import pathway as pw
    >>> t = pw.debug.table_from_markdown('''
    ... v
    ... 3
    ... 2
    ... ''')
    >>> pw.debug.compute_and_print(t.reduce(mean=pw.reducers.avg(t.v)), include_id=False)
    mean
    2.5
    """
    if skip_nones:
        count_of = sum(if_else(operand(expression).is_not_none(), 1, 0))
        return if_else(count_of > 0, sum(expression, skip_nones=True) / count_of, None)
    template = "(pathway.reducers.sum({args}) / pathway.reducers.count({args}))"
    return ReducerExpression("avg", expression, template=template)


@trace_user_frame
def min(arg: Any) -> ColumnExpression:
    """The smallest value; None is smaller than all others."""
    return ReducerExpression("min", arg)


@trace_user_frame
def max(arg: Any) -> ColumnExpression:
    """The greatest value."""
    return ReducerExpression("max", arg)


@trace_user_frame
def argmin(arg: Any, id: Any = None) -> ColumnExpression:
    """The id (or the value of `id`) of the row with the smallest value.

    >>> import pathway as pw
    >>> t = pw.debug.table_from_markdown('''
    ... name  | age
    ... Alice | 30
    ... Bob   | 25
    ... ''')
    >>> youngest = t.reduce(name=pw.this.ix(pw.reducers.argmin(pw.this.age)).name)
    >>> pw.debug.compute_and_print(youngest, include_id=False)
    name
    Bob
    """
    return ReducerExpression("argmin", arg, this.id if id is None else id)


@trace_user_frame
def argmax(arg: Any, id: Any = None) -> ColumnExpression:
    """The id (or the value of `id`) of the row with the greatest value."""
    return ReducerExpression("argmax", arg, this.id if id is None else id)


@trace_user_frame
def unique(arg: Any) -> ColumnExpression:
    """The value that all rows share; different values are an error."""
    return ReducerExpression("unique", arg)


@trace_user_frame
def any(arg: Any) -> ColumnExpression:
    """The value of one of the rows, the same row for every `any` of a group."""
    return ReducerExpression("any", arg)


def _skipping(name: str, arg: Any, skip_nones: bool, template: str) -> ColumnExpression:
    options = {"skip_nones": skip_nones}
    return ReducerExpression(name, arg, options=options, template=template % skip_nones)


@trace_user_frame
@check_arg_types
def tuple(arg: Any, *, skip_nones: bool = False) -> ColumnExpression:
    """All values, in the order of the `sort_by` of the groupby or of the row ids.

    >>> import pathway as pw
    >>> t = pw.debug.table_from_markdown('''
    ... v
    ... 3
    ... 1
    ... 2
    ... ''')
    >>> ordered = t.groupby(sort_by=t.v).reduce(vs=pw.reducers.tuple(t.v))
    >>> pw.debug.compute_and_print(ordered, include_id=False)
    vs
    (1, 2, 3)
    """
    return _skipping("tuple", arg, skip_nones, "pathway.reducers.tuple({args}, skip_nones=%s)")


@trace_user_frame
@check_arg_types
def sorted_tuple(arg: Any, *, skip_nones: bool = False) -> ColumnExpression:
    """All values, in ascending order."""
    return _skipping("sorted_tuple", arg, skip_nones, "pathway.reducers.sorted_tuple({args}, skip_nones=%s)")


@trace_user_frame
@check_arg_types
def ndarray(expression: Any, *, skip_nones: bool = False) -> ColumnExpression:
    """All values as an array, in the order of `tuple`."""
    template = "pathway.apply(array, pathway.reducers.ndarray({args}, skip_nones=%s))"
    return _skipping("ndarray", expression, skip_nones, template)


@trace_user_frame
def count_distinct(*args: Any) -> ColumnExpression:
    """The number of different combinations of the arguments."""
    return ReducerExpression("count_distinct", *args)


@trace_user_frame
@check_arg_types
def count_distinct_approximate(*args: Any, precision: int = 12) -> ColumnExpression:
    """An estimate of [`count_distinct`][] in `2 ** precision` bytes; for append-only input."""
    return ReducerExpression("count_distinct_approximate", *args, options={"precision": precision})


@trace_user_frame
def earliest(expression: Any) -> ColumnExpression:
    """The value of the row that was processed first; for append-only input."""
    return ReducerExpression("earliest", expression)


@trace_user_frame
def latest(expression: Any) -> ColumnExpression:
    """The value of the row that was processed last; for append-only input."""
    return ReducerExpression("latest", expression)


__all__ = [
    "any",
    "argmax",
    "argmin",
    "avg",
    "count",
    "count_distinct",
    "count_distinct_approximate",
    "earliest",
    "latest",
    "max",
    "min",
    "ndarray",
    "sorted_tuple",
    "stateful_many",
    "stateful_single",
    "sum",
    "tuple",
    "udf_reducer",
    "unique",
]
