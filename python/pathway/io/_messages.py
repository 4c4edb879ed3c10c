"""Message queues as sinks: which columns of a table go where in a message."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Sequence
from typing import Any

from pathway.internals import dtype as dt
from pathway.internals.expression.column import ColumnReference
from pathway.internals.table import Table
from pathway.internals.thisclass import this

#: Headers that every message has.
RESERVED_HEADERS = ("pathway_time", "pathway_diff")

_PAYLOAD_FORMATS = ("raw", "plaintext")


@dataclasses.dataclass(frozen=True)
class MessageColumns:
    """The table that is written, and the places of its columns that have a role."""

    table: Table
    topic: int | None
    key: int | None
    value: int | None
    headers: list[tuple[str, int]]
    sort_by: list[ColumnReference] | None


def message_columns(
    table: Table,
    *,
    function: str,
    format: str,
    topic: ColumnReference | None,
    key: ColumnReference | None,
    value: ColumnReference | None,
    headers: Iterable[ColumnReference] | None,
    delimiter: str,
    sort_by: Iterable[ColumnReference] | None,
) -> MessageColumns:
    """What is written: columns with a role first, then the others of the table.

    Raises:
        ValueError: the arguments do not fit together.
    """
    columns = _Columns(table, function)
    if delimiter != "," and format != "dsv":
        raise ValueError(f"{function}(): delimiter has a meaning only for format='dsv', not for {format!r}.")
    if format in _PAYLOAD_FORMATS:
        value = _payload_column(table, function, format, key, value)
    elif value is not None:
        raise ValueError(
            f"{function}(): format={format!r} writes all columns, so value= has no meaning; the formats with "
            "a value are raw and plaintext."
        )
    places = {
        "topic": columns.add(topic, "topic", (dt.STR, dt.ANY)),
        "key": columns.add(key, "key", (dt.BYTES, dt.STR, dt.ANY)),
        "value": columns.add(value, "value", (dt.BYTES, dt.STR, dt.ANY)),
    }
    named = _headers(columns, function, headers)
    if format not in _PAYLOAD_FORMATS:
        for column in table.column_names():
            columns.add(table[column], "table", None)
    if format == "json":
        clashes = [name for name in ("time", "diff") if name in columns.selected]
        if clashes:
            raise ValueError(
                f"{function}(): the JSON objects have fields 'time' and 'diff' of their own, so the table "
                f"cannot have columns with these names: rename {', '.join(clashes)}."
            )
    written = table.select(**columns.selected)
    ordered = None if sort_by is None else columns.to_sort_by(list(sort_by), written)
    return MessageColumns(written, places["topic"], places["key"], places["value"], named, ordered)


class _Columns:
    """The columns that are written, by name."""

    def __init__(self, table: Table, function: str) -> None:
        self.table = table
        self.function = function
        self.selected: dict[str, ColumnReference] = {}

    def resolve(self, column: Any, role: str) -> ColumnReference:
        """The column of a real table."""
        if not isinstance(column, ColumnReference):
            raise ValueError(f"{self.function}(): {role}= takes a column of a table, not {column!r}.")
        return self.table[column.name] if column.table is this else column

    def add(self, column: ColumnReference | None, role: str, dtypes: Sequence[dt.DType] | None) -> int | None:
        """The place of a column, which is written, too."""
        if column is None:
            return None
        column = self.resolve(column, role)
        name = column.name
        if dtypes is not None:
            found = self.table.select(found=column)._dtypes()["found"]
            if found not in dtypes:
                wanted = ", ".join(str(dtype) for dtype in dtypes)
                raise ValueError(
                    f"{self.function}(): the column {name!r} for the {role} has the type {found}; it has to "
                    f"be one of {wanted}."
                )
        known = self.selected.setdefault(name, column)
        if known is not column and (known.table is not column.table or known.name != column.name):
            raise ValueError(
                f"{self.function}(): two columns with the name {name!r} would be written, one of them as the "
                f"{role}. Rename one."
            )
        return list(self.selected).index(name)

    def to_sort_by(self, columns: Sequence[ColumnReference], written: Table) -> list[ColumnReference]:
        """The same columns of the table that is written."""
        sorted_by = []
        for column in columns:
            column = self.resolve(column, "sort_by")
            if column.table is not self.table:
                raise ValueError(
                    f"{self.function}(): sort_by has the column {column.name!r} of a table other than the "
                    "one that is written."
                )
            if column.name not in self.selected:
                raise ValueError(
                    f"{self.function}(): sort_by has the column {column.name!r}, which is not written; add "
                    "it to the headers."
                )
            sorted_by.append(written[column.name])
        return sorted_by


def _payload_column(
    table: Table, function: str, format: str, key: ColumnReference | None, value: ColumnReference | None
) -> ColumnReference:
    if value is not None:
        return value
    if key is not None:
        raise ValueError(f"{function}(): with key= and format={format!r}, value= tells what is the payload.")
    names = list(table.column_names())
    if len(names) != 1:
        raise ValueError(
            f"{function}(): format={format!r} writes one column and the table has {len(names)}; name the one "
            "with value=."
        )
    column: ColumnReference = table[names[0]]
    return column


def _headers(
    columns: _Columns, function: str, headers: Iterable[ColumnReference] | None
) -> list[tuple[str, int]]:
    named: list[tuple[str, int]] = []
    for header in headers or ():
        name = columns.resolve(header, "headers").name
        if name in RESERVED_HEADERS:
            raise ValueError(f"{function}(): every message has a header {name!r} already; rename the column.")
        if any(name == other for other, _ in named):
            raise ValueError(f"{function}(): there would be two headers with the name {name!r}.")
        place = columns.add(header, "headers", None)
        if place is not None:
            named.append((name, place))
    return named
