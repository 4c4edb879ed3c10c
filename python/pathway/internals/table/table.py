"""`pw.Table`."""

from __future__ import annotations

from types import FunctionType
from typing import Any, Generic

from typing_extensions import TypeVar

from pathway.internals.expression.column import ColumnReference
from pathway.internals.schema import Schema, schema_from_types
from pathway.internals.table.columns import ColumnOperations
from pathway.internals.table.combine import CombineOperations
from pathway.internals.table.explaining import ExplainOperations
from pathway.internals.table.forgetting import ForgettingOperations
from pathway.internals.table.futures import FutureOperations
from pathway.internals.table.grouping import GroupOperations
from pathway.internals.table.ids import IdOperations
from pathway.internals.table.indexing import IndexOperations
from pathway.internals.table.living import LiveOperations
from pathway.internals.table.ordering import OrderOperations
from pathway.internals.table.origins import OriginOperations
from pathway.internals.table.rows import RowOperations
from pathway.internals.table.streams import StreamOperations
from pathway.internals.table.tap import TapOperations
from pathway.internals.table.temporal import TemporalOperations
from pathway.internals.table.temporal_joins import TemporalJoinOperations
from pathway.internals.table.views import ViewOperations
from pathway.internals.trace import current_frame, trace_user_frame

TSchema = TypeVar("TSchema", bound=Schema, default=Any)


class Table(
    ColumnOperations,
    RowOperations,
    IdOperations,
    CombineOperations,
    GroupOperations,
    IndexOperations,
    ExplainOperations,
    ForgettingOperations,
    FutureOperations,
    LiveOperations,
    OrderOperations,
    OriginOperations,
    StreamOperations,
    TapOperations,
    TemporalOperations,
    TemporalJoinOperations,
    ViewOperations,
    Generic[TSchema],
):
    """Rows with ids and typed columns that change over time; no operation changes a table in place.

    >>> import pathway as pw
    >>> t = pw.debug.table_from_markdown('''
    ... name  | age
    ... Alice | 30
    ... Bob   | 25
    ... ''')
    >>> pw.debug.compute_and_print(t.filter(t.age > 26), include_id=False)
    name  | age
    Alice | 30
    """

    @staticmethod
    @trace_user_frame
    def empty(**kwargs: Any) -> Table:
        """A table without rows: column = type.

        >>> import pathway as pw
        >>> pw.Table.empty(a=int, b=str)
        <pathway.Table schema={'a': <class 'int'>, 'b': <class 'str'>}>
        """
        from pathway.internals.parse_graph import G

        schema = schema_from_types(**kwargs).update_properties(append_only=True)
        fields = [column.to_field() for column in schema.columns().values()]
        engine = G.engine.static_table(fields, [], [[] for _ in fields], frame=current_frame())
        return Table(engine)

    @staticmethod
    @trace_user_frame
    def from_columns(*args: ColumnReference, **kwargs: ColumnReference) -> Table:
        """A table of columns of tables with the same row ids.

        >>> import pathway as pw
        >>> t = pw.debug.table_from_markdown('''
        ... a | b
        ... 1 | 2
        ... ''')
        >>> list(pw.Table.from_columns(t.b, c=t.a).column_names())
        ['b', 'c']
        """
        columns = [*args, *kwargs.values()]
        if not columns:
            raise ValueError(
                "Table.from_columns() needs at least one column: it is the columns that give the rows."
            )
        for column in columns:
            if not isinstance(column, ColumnReference) or not isinstance(column.table, Table):
                raise TypeError(f"Table.from_columns() takes columns of tables, found {column!r}.")
        first = columns[0].table
        for column in columns:
            if not first._universe.is_equal_to(column.table._universe):
                raise ValueError(
                    f"the rows of {column!r} are not known to be those of {columns[0]!r}; promise it with "
                    "with_universe_of()."
                )
        result: Table = first.select(*args, **kwargs)
        return result


def _name_methods() -> None:
    """Lets Python's own messages call methods `Table.copy` and so on, whichever class they are written in."""
    for owner in Table.__mro__:
        if owner.__name__ != "TableCore" and not owner.__name__.endswith("Operations"):
            continue
        for member in vars(owner).values():
            while isinstance(member, FunctionType):
                member.__qualname__ = f"Table.{member.__name__}"
                member = getattr(member, "__wrapped__", None)


_name_methods()
