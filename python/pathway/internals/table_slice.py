"""`pw.TableSlice`: some columns of a table, under names of their own."""

from __future__ import annotations

from collections.abc import Iterator, KeysView, Mapping
from typing import TYPE_CHECKING, Any

from pathway.internals.expression.column import ColumnReference
from pathway.internals.expression.printing import TableNames
from pathway.internals.thisclass import Placeholder, _is_table_method, this
from pathway.internals.trace import trace_user_frame

if TYPE_CHECKING:
    from pathway.internals.resolve import Scope


class TableSlice:
    """An ordered mapping from names to columns of one table.

    >>> import pathway as pw
    >>> t = pw.debug.table_from_markdown('''
    ... name  | age | shoe
    ... Alice | 30  | 38
    ... ''')
    >>> t.slice.without("age").with_prefix("their_")
    TableSlice({'their_name': <table1>.name, 'their_shoe': <table1>.shoe})
    >>> list(t.select(**t.slice.without("age").with_prefix("their_")).column_names())
    ['their_name', 'their_shoe']
    """

    def __init__(self, mapping: Mapping[str, ColumnReference], table: Any) -> None:
        self._mapping = dict(mapping)
        self._table = table

    def __iter__(self) -> Iterator[ColumnReference]:
        return iter(self._mapping.values())

    def __repr__(self) -> str:
        names = TableNames()
        columns = ", ".join(f"{name!r}: {names.text(column)}" for name, column in self._mapping.items())
        return f"TableSlice({{{columns}}})"

    def keys(self) -> KeysView[str]:
        """The names."""
        return self._mapping.keys()

    @property
    def slice(self) -> TableSlice:
        """The slice itself."""
        return self

    @trace_user_frame
    def __getitem__(self, item: Any) -> Any:
        if isinstance(item, (list, tuple)):
            return TableSlice({self._name(column): self[column] for column in item}, self._table)
        name = self._name(item)
        if name == "id" and name not in self._mapping:
            return self._table.id
        return self._mapping[self._checked(name)]

    @trace_user_frame
    def __getattr__(self, name: str) -> ColumnReference:
        if name.startswith("__"):
            raise AttributeError(name)
        if _is_table_method(name):
            raise ValueError(
                f"{name} is a method of tables; for a column of that name write slice[{name!r}]."
            )
        if name not in self._mapping:
            raise AttributeError(f"there is no column {name} in {self!r}.")
        return self._mapping[name]

    @trace_user_frame
    def without(self, *cols: str | ColumnReference) -> TableSlice:
        """The slice without these columns."""
        mapping = dict(self._mapping)
        for column in cols:
            name = self._name(column)
            self._checked(name)
            mapping.pop(name, None)
        return TableSlice(mapping, self._table)

    @trace_user_frame
    def rename(self, rename_dict: Mapping[str | ColumnReference, str | ColumnReference]) -> TableSlice:
        """The slice with other names: old -> new; renamed columns come last."""
        renames = {self._checked(self._name(old)): self._new_name(new) for old, new in rename_dict.items()}
        mapping = {name: column for name, column in self._mapping.items() if name not in renames}
        for old, new in renames.items():
            mapping[new] = self._mapping[old]
        return TableSlice(mapping, self._table)

    @trace_user_frame
    def with_prefix(self, prefix: str) -> TableSlice:
        """The slice with `prefix` before each name."""
        return TableSlice({prefix + name: column for name, column in self._mapping.items()}, self._table)

    @trace_user_frame
    def with_suffix(self, suffix: str) -> TableSlice:
        """The slice with `suffix` after each name."""
        return TableSlice({name + suffix: column for name, column in self._mapping.items()}, self._table)

    @trace_user_frame
    def ix(self, expression: Any, *, optional: bool = False, context: Any = None) -> Any:
        """The same columns of the rows that `expression` names."""
        return self._over(self._table.ix(expression, optional=optional, context=context))

    @trace_user_frame
    def ix_ref(self, *args: Any, optional: bool = False, context: Any = None) -> Any:
        """The same columns of the rows whose primary key has these values."""
        return self._over(self._table.ix_ref(*args, optional=optional, context=context))

    def _ix_in_scope(self, method: str, args: tuple[Any, ...], kwargs: dict[str, Any], scope: Scope) -> Any:
        return self._over(self._table._ix_in_scope(method, args, kwargs, scope))

    def _over(self, table: Any) -> TableSlice:
        return TableSlice({name: table[column.name] for name, column in self._mapping.items()}, table)

    def _checked(self, name: str) -> str:
        if name not in self._mapping:
            raise KeyError(f"there is no column {name} in {self!r}.")
        return name

    def _name(self, column: Any) -> str:
        if isinstance(column, str):
            return column
        if not isinstance(column, ColumnReference):
            raise ValueError(f"TableSlice expects a column name or a column reference, found {column!r}.")
        if isinstance(column.table, Placeholder):
            if column.table is not this:
                raise ValueError(
                    f"{column!r} has no meaning here; write {column.name!r} or pw.this.{column.name}."
                )
        elif column.table is not self._table:
            raise ValueError(f"{column!r} belongs to another table than the one whose columns are sliced.")
        return column.name

    @staticmethod
    def _new_name(name: Any) -> str:
        return name.name if isinstance(name, ColumnReference) else str(name)
