"""What connectors share: names, durations, columns to sort by."""

from __future__ import annotations

import datetime
import math
import os
from collections.abc import Iterable, Mapping
from typing import Any, Literal

from pathway._engine import Expr
from pathway.internals.expression.column import ColumnReference
from pathway.internals.parse_graph import G
from pathway.internals.resolve import TableScope
from pathway.internals.schema import ColumnSchema, Schema, make_schema
from pathway.internals.table import Table
from pathway.internals.trace import warn

#: Seconds, or a length of time.
DurationLike = int | float | datetime.timedelta
#: How often each change is written in runs with persistence, failures included.
Delivery = Literal["exactly-once", "at-least-once"]

METADATA = "_metadata"


def as_duration_seconds(value: DurationLike, name: str) -> float:
    """A duration in seconds; `name` is the parameter that the errors are about.

    >>> as_duration_seconds(datetime.timedelta(minutes=1), "interval")
    60.0
    """
    if isinstance(value, bool) or not isinstance(value, (int, float, datetime.timedelta)):
        raise TypeError(
            f"{name} is a length of time, in seconds or as a datetime.timedelta; {value!r} is none."
        )
    seconds = value.total_seconds() if isinstance(value, datetime.timedelta) else float(value)
    if not math.isfinite(seconds):
        raise ValueError(f"{name} has to be finite, not {value!r}.")
    if seconds < 0:
        raise ValueError(f"{name} has to be 0 or more, not {value!r}.")
    return seconds


def source_name(
    name: str | None, kwargs: Mapping[str, Any], function: str, *, strict: bool = False
) -> str | None:
    """The unique name of a source; `persistent_id` is its old keyword, others are refused or reported."""
    others = {key: value for key, value in kwargs.items() if key != "persistent_id"}
    if others and strict:
        raise TypeError(f"{function}() got unexpected keyword arguments: {', '.join(others)}.")
    if others:
        warn(f"{function}() ignores the unknown keyword arguments {', '.join(others)}.")
    if kwargs.get("persistent_id") is not None:
        if name is not None:
            raise ValueError(f"{function}(): name and persistent_id mean the same; give one of them.")
        warn(f"{function}(): persistent_id is deprecated, use name.", DeprecationWarning)
        name = kwargs["persistent_id"]
    return G.register_name(name)


def check_autocommit(duration_ms: int | None) -> None:
    """The longest time between two commits is no negative number."""
    if duration_ms is not None and duration_ms < 0:
        raise ValueError(f"autocommit_duration_ms has to be 0 or more, or None, not {duration_ms}.")


def use_debug_data(table: Table, debug_data: Any) -> None:
    """Lets a data frame stand for a source in debugging runs.

    Raises:
        TypeError: it is no data frame.
        ValueError: it has other columns, or columns of other types.
    """
    if debug_data is None:
        return
    if not (hasattr(debug_data, "columns") and hasattr(debug_data, "index")):
        raise TypeError(f"debug_data has to be a pandas data frame, not {type(debug_data).__name__}.")
    from pathway.debug.infer import from_data_frame
    from pathway.debug.static_data import static_table

    data = from_data_frame(debug_data, with_schema=False)
    found = {
        name: dtype
        for name, dtype in data.dtypes.items()
        if name not in ("__time__", "__diff__", "__shard__")
    }
    wanted = table._dtypes()
    if found != wanted:
        raise ValueError(f"wrong schema of debug data: it has the columns {found}, the source has {wanted}.")
    rows = static_table(data, table.schema, new_universe=True)
    G.engine.debug_as(table._engine, rows._engine)


def check_max_backlog(max_backlog_size: int | None) -> None:
    """The most rows in flight, if there is a bound."""
    if max_backlog_size is not None and max_backlog_size < 1:
        raise ValueError(f"max_backlog_size has to be at least 1, not {max_backlog_size}.")


def with_metadata_column(schema: type[Schema]) -> type[Schema]:
    """The schema with the column `_metadata` before the others."""
    from pathway.internals import dtype as dt

    columns = {METADATA: ColumnSchema(dtype=dt.JSON, name=METADATA), **schema.columns()}
    id_dtype = schema.__pathway_id_dtype__
    return make_schema(schema.__name__, columns, id_dtype=None if id_dtype is dt.ANY_POINTER else id_dtype)


def check_no_metadata_column(schema: type[Schema], with_metadata: bool) -> None:
    """`_metadata` is reserved."""
    if METADATA in schema.columns():
        why = "conflicts with 'with_metadata=True'" if with_metadata else "is a reserved column name"
        raise ValueError(f"the column {METADATA!r} of schema {schema.__name__} {why}.")


def sort_columns(table: Table, sort_by: Iterable[ColumnReference] | None) -> list[Expr] | None:
    """The columns by which a sink orders its changes."""
    if sort_by is None:
        return None
    columns = list(sort_by)
    for column in columns:
        if not isinstance(column, ColumnReference) or column.table is not table:
            raise ValueError(f"sort_by: {column!r} is no column of the table that is written.")
    scope = TableScope(table)
    return [scope.lower(column) for column in columns]


def path_text(path: Any) -> str:
    """A path as text."""
    return os.fspath(path) if isinstance(path, (str, os.PathLike)) else str(path)
