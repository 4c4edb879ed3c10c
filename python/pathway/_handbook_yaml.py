"""The handbook's names of pipelines in YAML, which have names of columns where programs have expressions."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from pathway.internals.expression import ColumnReference
from pathway.internals.expression.expression import ColumnExpression
from pathway.internals.expression.reducer import ReducerExpression
from pathway.internals.table import Table
from pathway.internals.thisclass import this
from pathway.internals.trace import trace_user_frame

#: The reducers of one column.
REDUCERS = (
    *("any", "argmax", "argmin", "avg", "count_distinct", "count_distinct_approximate", "earliest", "latest"),
    *("max", "min", "ndarray", "sorted_tuple", "stddev", "sum", "tuple", "unique", "var_pop"),
)


def of_columns(reducer: Callable[..., ColumnExpression]) -> Callable[..., ColumnExpression]:
    """Takes `column=`, the name of a column, in place of an expression, too."""

    @functools.wraps(reducer)
    def with_column(*args: Any, column: str | None = None, **options: Any) -> ColumnExpression:
        return reducer(*args, **options) if column is None else reducer(this[column], *args, **options)

    return with_column


def with_path(write: Callable[..., None]) -> Callable[..., None]:
    """Takes `path=` for `filename=`, too."""

    @functools.wraps(write)
    def with_either(*args: Any, path: Any = None, **options: Any) -> None:
        if path is not None:
            if len(args) > 1 or "filename" in options:
                raise TypeError("path and filename both say where rows are written; give one.")
            options["filename"] = path
        write(*args, **options)

    return with_either


class Transformations:
    """Operations on tables, with names of columns."""

    @staticmethod
    @trace_user_frame
    def groupby(
        table: Table,
        by: str | Iterable[str],
        reducers: Iterable[ReducerExpression] | Mapping[str, ColumnExpression] = (),
    ) -> Table:
        """`table.groupby(...).reduce(...)`: the columns `by`, and one for each reducer.

        Args:
            table: the table.
            by: the names of the columns whose values a group has in common.
            reducers: what is computed of each group, by name; or a list, then the name is made of that of the
                reducer and of its column, as in `sum_amount`.

        >>> import pathway as pw
        >>> t = pw.debug.table_from_markdown('''
        ... shop | amount
        ... Oslo | 3
        ... Lima | 5
        ... Oslo | 4
        ... ''')
        >>> sums = pw.Transformations.groupby(t, by="shop", reducers=[pw.reducers.sum(column="amount")])
        >>> pw.debug.compute_and_print(sums, include_id=False)
        shop | sum_amount
        Lima | 5
        Oslo | 7
        """
        columns = [this[name] for name in ([by] if isinstance(by, str) else by)]
        if not isinstance(reducers, Mapping):
            reducers = _named(reducers)
        return table.groupby(*columns).reduce(*columns, **reducers)


def _named(reducers: Iterable[ReducerExpression]) -> dict[str, ColumnExpression]:
    named: dict[str, ColumnExpression] = {}
    for reducer in reducers:
        columns = reducer._operands if isinstance(reducer, ReducerExpression) else ()
        names = [column.name for column in columns if isinstance(column, ColumnReference)]
        if not isinstance(reducer, ReducerExpression) or len(names) < len(columns):
            raise ValueError(f"there is no name for {reducer!r}: give a mapping, name: reducer.")
        name = "_".join([reducer._name, *names])
        if name in named:
            raise ValueError(f"two reducers are named {name}: give a mapping, name: reducer.")
        named[name] = reducer
    return named
