"""Operations on the set of rows; ids stay the same, except with `flatten`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from pathway import _engine
from pathway._engine import Expr
from pathway.internals.expression.column import ColumnReference
from pathway.internals.expression.expression import ColumnExpression
from pathway.internals.expression.nodes import NoneTest
from pathway.internals.resolve import Scope, TableScope
from pathway.internals.runtime_type_check import check_arg_types
from pathway.internals.table.core import TableCore
from pathway.internals.table_like import TableLike
from pathway.internals.trace import current_frame, trace_user_frame, warn

if TYPE_CHECKING:
    from pathway.internals.table import Table

#: The ids of the source rows, until they take the place of a column.
_ORIGIN = "_pw_origin"


class RowOperations(TableCore):
    """`filter`, `split`, set operations, `flatten`."""

    def _condition(self, expression: ColumnExpression) -> tuple[Expr, list[str]]:
        """A condition, and the columns it makes non-Optional."""
        scope = TableScope(cast("Table", self))
        return scope.lower(expression), narrowed_columns(expression, scope, self)

    @trace_user_frame
    def filter(self, filter_expression: ColumnExpression) -> Table:
        """The rows where the condition is true.

        A condition `column.is_not_none()` makes the column non-Optional.

        >>> import pathway as pw
        >>> t = pw.debug.table_from_markdown('''
        ...   | a
        ... 1 | 5
        ... 2 |
        ... 3 | 2
        ... ''')
        >>> known = t.filter(pw.this.a.is_not_none())
        >>> pw.debug.compute_and_print(known.filter(known.a > 3), include_id=False)
        a
        5
        """
        from pathway.handbook import row_expression

        return self._filter(row_expression(filter_expression))

    @check_arg_types
    def _filter(self, filter_expression: ColumnExpression) -> Table:
        condition, narrowed = self._condition(filter_expression)
        return self._wrap(self._engine.filter(condition, narrowed, current_frame()))

    @trace_user_frame
    @check_arg_types
    def split(self, split_expression: ColumnExpression) -> tuple[Table, Table]:
        """The rows where the condition is true, and those where it is false.

        >>> import pathway as pw
        >>> t = pw.debug.table_from_markdown('''
        ... a
        ... 5
        ... 2
        ... ''')
        >>> big, small = t.split(t.a > 3)
        >>> pw.debug.compute_and_print(small, include_id=False)
        a
        2
        """
        condition, narrowed = self._condition(split_expression)
        positive, negative = self._engine.split(condition, narrowed, current_frame())
        _, narrowed_there = self._condition(~split_expression)
        return self._wrap(positive), self._wrap(_narrowed(negative, narrowed_there))

    @trace_user_frame
    @check_arg_types
    def intersect(self, *tables: TableLike) -> Table:
        """The rows whose ids are in all the other tables too.

        >>> import pathway as pw
        >>> t = pw.debug.table_from_markdown('''
        ...   | a
        ... 1 | 5
        ... 2 | 2
        ... ''')
        >>> u = pw.debug.table_from_markdown('''
        ...   | b
        ... 2 | 0
        ... 3 | 0
        ... ''')
        >>> pw.debug.compute_and_print(t.intersect(u), include_id=False)
        a
        2
        """
        if not tables:
            warn("intersect() without other tables gives the table itself.")
            return cast("Table", self)
        return self._wrap(self._engine.intersect([t._engine for t in tables], current_frame()))

    @trace_user_frame
    @check_arg_types
    def difference(self, other: TableLike) -> Table:
        """The rows whose ids are not in the other table.

        >>> import pathway as pw
        >>> t = pw.debug.table_from_markdown('''
        ...   | a
        ... 1 | 5
        ... 2 | 2
        ... ''')
        >>> pw.debug.compute_and_print(t.difference(t.filter(t.a > 3)), include_id=False)
        a
        2
        """
        return self._wrap(self._engine.difference(other._engine, current_frame()))

    @trace_user_frame
    @check_arg_types
    def restrict(self, other: TableLike) -> Table:
        """The rows with the ids of the other table, which must all be here."""
        return self._wrap(self._engine.restrict(other._engine, current_frame()))

    @trace_user_frame
    @check_arg_types
    def with_universe_of(self, other: TableLike) -> Table:
        """The same rows, promised to have exactly the ids of the other table.

        >>> import pathway as pw
        >>> t = pw.debug.table_from_markdown('''
        ...   | a
        ... 1 | 5
        ... 2 | 2
        ... ''')
        >>> f = t.filter(t.a > 0).select(b=pw.this.a * 2)
        >>> pw.debug.compute_and_print(t.select(t.a, f.with_universe_of(t).b), include_id=False)
        a | b
        2 | 4
        5 | 10
        """
        return self._wrap(self._engine.with_universe_of(other._engine, current_frame()))

    @trace_user_frame
    @check_arg_types
    def flatten(self, to_flatten: ColumnReference, *, origin_id: str | None = None) -> Table:
        """One row per element of the sequence in a column; the other columns are repeated.

        With `origin_id`, a column of that name holds the id of the row that an element comes from: a
        last one, or in place of the column that had the name.

        >>> import pathway as pw
        >>> t = pw.debug.table_from_markdown('''
        ... word | n
        ... ab   | 1
        ... ''')
        >>> pw.debug.compute_and_print(t.flatten(t.word), include_id=False)
        word | n
        a    | 1
        b    | 1
        """
        name = self[to_flatten.name].name
        frame = current_frame()
        if origin_id not in self._names or origin_id == name:
            return self._wrap(self._engine.flatten(name, origin_id, frame))
        flat = self._engine.flatten(name, _ORIGIN, frame)
        columns = [(n, Expr.column(flat, n), frame) for n in flat.column_names() if n != _ORIGIN]
        replaced = [(n, Expr.column(flat, _ORIGIN) if n == origin_id else e, f) for n, e, f in columns]
        return self._wrap(flat.select(replaced, frame))

    @trace_user_frame
    def remove_errors(self) -> Table:
        """The rows without an Error in any column.

        >>> import pathway as pw
        >>> t = pw.debug.table_from_markdown('''
        ... a | b
        ... 6 | 2
        ... 6 | 0
        ... ''')
        >>> divided = t.select(c=t.a // t.b)
        >>> pw.debug.compute_and_print(
        ...     divided.remove_errors(), include_id=False, terminate_on_error=False
        ... )
        c
        3
        """
        return self._wrap(self._engine.remove_errors(current_frame()))


def _narrowed(table: _engine.Table, names: list[str]) -> _engine.Table:
    """The table with these columns under their non-Optional types."""
    if not names:
        return table
    frame = current_frame()
    columns = {name: Expr.column(table, name) for name in table.column_names()}
    columns.update((name, columns[name].narrow()) for name in names)
    return table.select([(name, column, frame) for name, column in columns.items()], frame)


def narrowed_columns(expression: ColumnExpression, scope: Scope, owner: Any) -> list[str]:
    """The columns of `owner` that are not None in rows that fulfil the condition `expression`."""
    if not isinstance(expression, NoneTest) or expression._for_none:
        return []
    tested = expression._operands[0]
    if not isinstance(tested, ColumnReference):
        return []
    reference = scope.resolve(tested)
    return [reference.name] if reference.table is owner and not reference._is_row_id else []
