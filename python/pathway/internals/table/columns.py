"""Operations on columns: the rows and their ids stay the same."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, cast

from pathway.internals import dtype as dt
from pathway.internals.arguments import collect_columns, expand_references
from pathway.internals.errors import no_such_column
from pathway.internals.expression.column import ColumnReference, column_named
from pathway.internals.expression.convert import Cast
from pathway.internals.expression.expression import ColumnExpression
from pathway.internals.resolve import TableScope
from pathway.internals.runtime_type_check import check_arg_types
from pathway.internals.table.core import TableCore
from pathway.internals.trace import current_frame, trace_user_frame, warn

if TYPE_CHECKING:
    from pathway.internals.table import Table


class ColumnOperations(TableCore):
    """`select`, `with_columns`, renaming, types."""

    def _select(self, columns: dict[str, ColumnExpression], scope: TableScope) -> Table:
        return self._wrap(self._engine.select(scope.named(columns), current_frame()))

    @trace_user_frame
    def select(self, *args: Any, **kwargs: Any) -> Table:
        """A table with exactly these columns: references by position, expressions by keyword.

        >>> import pathway as pw
        >>> t = pw.debug.table_from_markdown('''
        ... shop | price
        ... A    | 3
        ... B    | 5
        ... ''')
        >>> pw.debug.compute_and_print(t.select(t.shop, double=pw.this.price * 2), include_id=False)
        shop | double
        A    | 6
        B    | 10
        """
        scope = TableScope(cast("Table", self))
        return self._select(collect_columns(args, kwargs, scope, "select"), scope)

    @trace_user_frame
    def with_columns(self, *args: Any, **kwargs: Any) -> Table:
        """The table with these columns replaced (in their place) or added (at the end).

        >>> import pathway as pw
        >>> t = pw.debug.table_from_markdown('''
        ... a | b
        ... 1 | 2
        ... ''')
        >>> pw.debug.compute_and_print(t.with_columns(a=t.a + 10, c=t.a + t.b), include_id=False)
        a  | b | c
        11 | 2 | 3
        """
        scope = TableScope(cast("Table", self))
        columns: dict[str, ColumnExpression] = {column.name: column for column in self}
        columns.update(collect_columns(args, kwargs, scope, "with_columns"))
        return self._select(columns, scope)

    def update_columns(self, *args: Any, **kwargs: Any) -> Table:
        """The old name of [`with_columns`][]."""
        warn("Table.update_columns() is deprecated, use Table.with_columns().", DeprecationWarning)
        return self.with_columns(*args, **kwargs)

    @trace_user_frame
    def without(self, *columns: str | ColumnReference) -> Table:
        """The table without these columns (names or references).

        >>> import pathway as pw
        >>> t = pw.debug.table_from_markdown('''
        ... a | b
        ... 1 | 2
        ... ''')
        >>> t.without("a")
        <pathway.Table schema={'b': <class 'int'>}>
        """
        scope = TableScope(cast("Table", self))
        kept: dict[str, ColumnExpression] = {column.name: column for column in self}
        for column in expand_references(columns, scope):
            if not isinstance(column, (str, ColumnReference)):
                raise TypeError(f"Table.without() takes names and references of columns, found {column!r}.")
            name = column if isinstance(column, str) else column.name
            if name not in kept:
                again = f"column {name} is dropped twice."
                raise KeyError(again if name in self._names else self._missing(name))
            del kept[name]
        return self._select(kept, scope)

    @trace_user_frame
    def rename_columns(self, **kwargs: str | ColumnReference) -> Table:
        """The table with other names: new = old. Renamed columns come last.

        >>> import pathway as pw
        >>> t = pw.debug.table_from_markdown('''
        ... a | b | c
        ... 1 | 2 | 3
        ... ''')
        >>> list(t.rename_columns(x=t.a, c="b", b="c").column_names())
        ['x', 'c', 'b']
        """
        return self._rename({new: old for new, old in kwargs.items()}, ValueError)

    @trace_user_frame
    def rename_by_dict(self, names_mapping: Mapping[str | ColumnReference, str]) -> Table:
        """The table with other names: old -> new. Renamed columns come last.

        >>> import pathway as pw
        >>> t = pw.debug.table_from_markdown('''
        ... a | b
        ... 1 | 2
        ... ''')
        >>> list(t.rename_by_dict({"a": "first name"}).column_names())
        ['b', 'first name']
        """
        if not isinstance(names_mapping, Mapping):
            raise TypeError(
                f"Table.rename_by_dict() takes a dictionary old name -> new name, found {names_mapping!r}."
            )
        return self._rename({new: old for old, new in names_mapping.items()}, KeyError)

    @trace_user_frame
    @check_arg_types
    def rename(
        self,
        names_mapping: Mapping[str | ColumnReference, str] | None = None,
        **kwargs: str | ColumnExpression,
    ) -> Table:
        """The table with other names, by a dict old -> new or by keywords new = old column."""
        if names_mapping is not None:
            return self.rename_by_dict(names_mapping)
        return self.rename_columns(**cast("dict[str, ColumnReference]", kwargs))

    def _rename(self, renames: dict[str, Any], missing: type[Exception]) -> Table:
        olds: dict[str, str] = {}
        for new, old in renames.items():
            if not isinstance(old, (str, ColumnReference)):
                raise ValueError(
                    f"the column that gets the name {new} is not a name or a reference: {old!r}."
                )
            name = old if isinstance(old, str) else old.name
            if name not in self._names:
                text = self._missing(name)
                raise missing(text)
            if name in olds:
                raise KeyError(f"column {name} is renamed twice, to {olds[name]} and to {new}.")
            olds[name] = new
        columns: dict[str, ColumnExpression] = {c.name: c for c in self if c.name not in olds}
        for old, new in olds.items():
            columns[new] = column_named(self, old)
        if "id" in olds.values():
            raise ValueError("a column cannot be named id, which stands for the row ids.")
        return self._select(columns, TableScope(cast("Table", self)))

    @trace_user_frame
    @check_arg_types
    def with_prefix(self, prefix: str) -> Table:
        """The table with `prefix` before the name of each column."""
        return self.rename_by_dict({name: prefix + name for name in self._names})

    @trace_user_frame
    @check_arg_types
    def with_suffix(self, suffix: str) -> Table:
        """The table with `suffix` after the name of each column."""
        return self.rename_by_dict({name: name + suffix for name in self._names})

    @trace_user_frame
    def cast_to_types(self, **kwargs: Any) -> Table:
        """The table with the values of the named columns converted.

        >>> import pathway as pw
        >>> t = pw.debug.table_from_markdown('''
        ... a
        ... 1
        ... ''')
        >>> pw.debug.compute_and_print(t.cast_to_types(a=float), include_id=False)
        a
        1.0
        """
        self._check_names("cast_to_types", kwargs)
        casts = {name: Cast(dt.wrap(target), self[name]) for name, target in kwargs.items()}
        return self.with_columns(**casts)

    @trace_user_frame
    def update_types(self, **kwargs: Any) -> Table:
        """The table with wider or narrower types of the named columns; the values stay as they are.

        >>> import pathway as pw
        >>> t = pw.debug.table_from_markdown('''
        ... a
        ... 1
        ... ''')
        >>> t.update_types(a=int | None)
        <pathway.Table schema={'a': int | None}>
        """
        self._check_names("update_types", kwargs)
        dtypes = {name: dt.wrap(annotation) for name, annotation in kwargs.items()}
        return self._wrap(self._engine.update_types(dtypes, current_frame()))

    @trace_user_frame
    def update_id_type(self, id_type: Any, *, id_append_only: bool | None = None) -> Table:
        """The table with another declared type of row ids."""
        dtype = dt.wrap(id_type)
        if dtype.kind != "pointer":
            raise AssertionError(
                f"row ids are pointers, but the given id type is {dtype}; use pw.Pointer[...]."
            )
        return self._wrap(self._engine.update_id_dtype(dtype, id_append_only, current_frame()))

    @trace_user_frame
    def copy(self) -> Table:
        """The same rows as another table, for joining a table with itself."""
        return self._wrap(self._engine.copy(current_frame()))

    def __add__(self, other: Table) -> Table:
        """The columns of both, side by side; their row ids must be the same."""
        if not isinstance(other, TableCore):
            return NotImplemented
        return self._beside(other)

    @trace_user_frame
    def _beside(self, other: Table) -> Table:
        if not self._universe.is_equal_to(other._universe):
            raise ValueError(
                "+ puts the columns of rows with the same ids side by side, so both tables need the "
                "same row ids, "
                "which is not known of these. Promise it with with_universe_of(), or join the tables."
            )
        return cast("Table", self).select(*self, *other)

    def _check_names(self, method: str, named: Mapping[str, Any]) -> None:
        for name in named:
            if name not in self._names:
                raise ValueError(f"{method}() changes columns that exist: {self._missing(name)}")

    def _missing(self, name: str) -> str:
        return no_such_column(name, self._names)
