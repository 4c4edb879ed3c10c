"""The inside of a table: its engine handle, its columns, its schema."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, KeysView, Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, cast
from weakref import WeakKeyDictionary

from pathway import _engine
from pathway._engine import DType
from pathway.internals.errors import no_such_column
from pathway.internals.expression.column import ColumnNamedId, ColumnReference, column_named
from pathway.internals.expression.nodes import column_value
from pathway.internals.joinable import Joinable
from pathway.internals.parse_graph import G
from pathway.internals.resolve import TableScope
from pathway.internals.schema import ColumnSchema, Schema, make_schema
from pathway.internals.table_slice import TableSlice
from pathway.internals.thisclass import ColumnNamespace, Placeholder, this
from pathway.internals.trace import trace_user_frame, user_location

if TYPE_CHECKING:
    from pathway.internals.table import Table
    from pathway.internals.thisclass import DerivedPlaceholder


class TableCore(Joinable):
    """Columns by name, schema and text of a table. Equality and hash are those of the object."""

    _schema: type[Schema] | None
    _names: dict[str, None]

    def __init__(self, engine: _engine.Table, schema: type[Schema] | None = None) -> None:
        self._engine = engine
        self._schema = schema
        self._names = dict.fromkeys(engine.column_names())
        self._location = user_location()
        #: Tables with all rows of this one, restricted to them, for expressions that use their columns.
        self._restricted: WeakKeyDictionary[Table, _engine.Table] = WeakKeyDictionary()
        #: The table for whose rows these were looked up by `ix`.
        self._asking: Table | None = None
        #: The same lookup, for groups of the rows that ask.
        self._lookup_of_groups: DerivedPlaceholder | None = None
        G.touch()

    def _wrap(self, engine: _engine.Table) -> Table:
        """A table around what an operation of the engine gave."""
        from pathway.internals.table import Table

        if engine.node == self._engine.node:
            G.touch()
            return cast("Table", self)
        return Table(engine)

    # --- columns ----------------------------------------------------------------------------------

    def keys(self) -> KeysView[str]:
        """The names of the columns, in order."""
        return self._names.keys()

    def column_names(self) -> KeysView[str]:
        """The names of the columns, in order."""
        return self._names.keys()

    def __iter__(self) -> Iterator[ColumnReference]:
        return iter([column_named(self, name) for name in self._names])

    def __getattr__(self, name: str) -> ColumnReference:
        if name.startswith("__") or name == "_names":
            raise AttributeError(name)
        if name not in self._names:
            if name == "star":
                from pathway.handbook import star

                return cast("ColumnReference", star(cast("Table", self)))
            if name == "window":
                from pathway.handbook import windows

                return cast("ColumnReference", windows(cast("Table", self)))
            if name in ("frontier", "snapshot_at", "failed"):
                from pathway.internals.exported import exported

                return cast("ColumnReference", getattr(exported(cast("Table", self)), name))
            error = AttributeError(no_such_column(name, self._names))
            raise _noted(error)
        return ColumnReference(self, name)

    @trace_user_frame
    def __getitem__(self, args: Any) -> Any:
        """A column by name or reference; a list of these gives a table."""
        if isinstance(args, (list, tuple)):
            return cast("Table", self).select(*[self[arg] for arg in args])
        name = args
        if isinstance(args, ColumnNamedId) and "id" in self._names:
            return column_named(self, "id")
        if isinstance(args, ColumnReference):
            if args.table is not self and args.table is not this:
                raise ValueError(
                    f"table[...] takes names, columns of that table and of pw.this; {args!r} belongs "
                    "to another "
                    "table."
                )
            name = args.name
        elif not isinstance(args, str):
            raise TypeError(
                f"table[...] takes the name of a column, a reference, or a list of these; "
                f"{args!r} is of type {type(args).__name__}."
            )
        if name == "id":
            return self.id
        if name not in self._names:
            raise KeyError(no_such_column(str(name), self._names))
        return ColumnReference(self, name)

    @property
    def id(self) -> ColumnReference:
        """The row ids."""
        return ColumnReference(self, "id")

    @property
    def C(self) -> ColumnNamespace:
        """The columns by name, also those that are named like a method.

        >>> import pathway as pw
        >>> t = pw.debug.table_from_markdown('''
        ... filter
        ... 1
        ... ''')
        >>> t.C.filter
        <table1>.filter
        """
        return ColumnNamespace(self)

    _C = C

    @property
    def slice(self) -> TableSlice:
        """The columns as a mapping that can be narrowed and renamed."""
        return TableSlice({name: column_named(self, name) for name in self._names}, self)

    def _column_names_of(self, columns: Iterable[Any]) -> list[str]:
        """Names given as strings or references."""
        return [column if isinstance(column, str) else column.name for column in columns]

    def _ipython_key_completions_(self) -> list[str]:
        return list(self._names)

    def __dir__(self) -> Iterable[str]:
        return [*super().__dir__(), *self._names]

    # --- types ------------------------------------------------------------------------------------

    @property
    def schema(self) -> type[Schema]:
        """Names, types and append-only-ness of the columns."""
        if self._schema is None:
            columns = {
                name: ColumnSchema(
                    dtype=self._engine.column_dtype(name),
                    name=name,
                    append_only=self._engine.column_append_only(name),
                )
                for name in self._names
            }
            id_dtype = self._engine.id_dtype
            self._schema = make_schema(
                f"schema_from_columns({list(columns)})",
                columns,
                id_dtype=None if id_dtype is DType.ANY_POINTER else id_dtype,
                id_append_only=self._engine.id_append_only,
            )
        return self._schema

    def _dtypes(self) -> dict[str, DType]:
        return {name: self._engine.column_dtype(name) for name in self._names}

    def typehints(self) -> Mapping[str, Any]:
        """The types of the columns as Python annotations."""
        return MappingProxyType({name: dtype.typehint for name, dtype in self._dtypes().items()})

    @property
    def is_append_only(self) -> bool:
        """True if no column ever changes or loses a row, as far as can be told from the plan."""
        return all(self._engine.column_append_only(name) for name in self._names)

    @trace_user_frame
    def eval_type(self, expression: Any) -> DType:
        """The dtype that an expression has on this table.

        >>> import pathway as pw
        >>> t = pw.debug.table_from_markdown('''
        ... a
        ... 1
        ... ''')
        >>> t.eval_type(t.a / 2)
        FLOAT
        """
        return TableScope(cast("Table", self)).lower(column_value(expression)).dtype

    def __repr__(self) -> str:
        id_dtype = self._engine.id_dtype
        id_type = "" if id_dtype is DType.ANY_POINTER else f" id_type={id_dtype.typehint!r}"
        return f"<pathway.{type(self).__name__} schema={dict(self.typehints())}{id_type}>"

    def __reduce__(self) -> Any:
        raise TypeError("a table is part of a computation and cannot be pickled")


def _noted(error: AttributeError) -> AttributeError:
    from pathway.internals.trace import add_location_note

    add_location_note(error, user_location())
    return error


def is_table_placeholder(value: Any) -> bool:
    """True for `pw.this` and what is made from it."""
    return isinstance(value, Placeholder)
