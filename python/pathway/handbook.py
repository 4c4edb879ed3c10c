"""Names of the user's handbook for what exists under another name.

Each is a synonym, or a thin reading, of something canonical; the page `docs/handbook-names.md` lists
them side by side. New code should use the canonical names.
"""

from __future__ import annotations

import collections
import enum
import os
import time
from collections.abc import Callable, Iterable, Mapping
from types import SimpleNamespace
from typing import Any

from pathway._engine import DType
from pathway.internals import reducers as _reducers
from pathway.internals.engine_types import PathwayType
from pathway.internals.expression.convert import make_tuple
from pathway.internals.expression.expression import ColumnExpression
from pathway.internals.expression.reducer import ReducerExpression
from pathway.internals.schema import Schema, column_definition
from pathway.internals.table import Table
from pathway.internals.thisclass import Unpacked, this
from pathway.internals.trace import current_frame, trace_user_frame
from pathway.internals.udfs.apply import apply
from pathway.io import fs, jsonlines, python

# --- types and schemas ------------------------------------------------------------------------------

_TYPES = {
    "STR": DType.STR,
    "DATETIME": DType.DATE_TIME_NAIVE,
    "FLOAT_ARRAY": DType.list(DType.FLOAT),
    "DICT": DType.JSON,
}


def ColumnDefinition(*, type: Any = None, **options: Any) -> Any:
    """`pw.column_definition` with `type=` for `dtype=`.

    >>> import pathway as pw
    >>> schema = pw.Schema(
    ...     id=pw.ColumnDefinition(type=pw.Type.INT, primary_key=True),
    ...     name=pw.ColumnDefinition(type=pw.Type.STR),
    ... )
    >>> schema.column_names(), schema.primary_key_columns()
    (['id', 'name'], ['id'])
    """
    return column_definition(type_=type, **options)


def schema_class(cls: Any) -> Any:
    """The schema class itself: the decorator adds nothing."""
    return cls


class ConnectorMode(str, enum.Enum):
    """`mode=` of sources: `"static"` or `"streaming"`."""

    STATIC = "static"
    STREAMING = "streaming"

    def is_polling_enabled(self) -> bool:
        """True if the source keeps watching."""
        return self is ConnectorMode.STREAMING


# --- reducers ---------------------------------------------------------------------------------------


@trace_user_frame
def collect(arg: Any) -> ColumnExpression:
    """`pw.reducers.tuple`."""
    return _reducers.tuple(arg)


@trace_user_frame
def var_pop(arg: Any) -> ColumnExpression:
    """The population variance of the values of a group, numbers.

    What is removed leaves the variance of the values that are left, to the last bit.

    >>> import pathway as pw
    >>> t = pw.debug.table_from_markdown('''
    ... v
    ... 1
    ... 3
    ... ''')
    >>> pw.debug.compute_and_print(
    ...     t.reduce(v=pw.reducers.var_pop(t.v), s=pw.reducers.stddev(t.v)), include_id=False
    ... )
    v   | s
    1.0 | 1.0
    """
    return ReducerExpression("var_pop", arg)


@trace_user_frame
def stddev(arg: Any) -> ColumnExpression:
    """The standard deviation of the values of a group: the root of `var_pop`."""
    return ReducerExpression("stddev", arg)


def _count(distinct: bool = False, by: Any = None) -> ColumnExpression:
    """`pw.reducers.count`, or `count_distinct` of `by`."""
    return _reducers.count_distinct(by) if distinct else _reducers.count()


#: `from pathway.stdlib import tools`: the reducers.
tools = SimpleNamespace(
    **{name: getattr(_reducers, name) for name in _reducers.__all__},
    collect=collect,
    var_pop=var_pop,
    stddev=stddev,
)
tools.count = _count
tools.aggregate = tools


# --- rows and columns -------------------------------------------------------------------------------


def row_expression(argument: Any) -> Any:
    """The expression that a function of a row stands for: `lambda row: row.a > 0`."""
    return argument(this) if is_row_function(argument) else argument


def is_row_function(argument: Any) -> bool:
    """True for a function written where expressions of columns are meant."""
    return callable(argument) and hasattr(argument, "__code__") and not isinstance(argument, ColumnExpression)


def result_of_rows(function: Callable[[Any, Any], Any], grouped: Any) -> dict[str, ColumnExpression]:
    """The column of `t.groupby(t.a).reduce(lambda key, rows: ...)`: what the function makes of each group.

    `key` is the value grouped by (a tuple of several), `rows` are the group's rows as named tuples.

    >>> import pathway as pw
    >>> t = pw.debug.table_from_markdown('''
    ... a | v
    ... x | 1
    ... x | 3
    ... y | 5
    ... ''')
    >>> sums = t.groupby(t.a).reduce(lambda key, rows: (key, sum(r.v for r in rows)))
    >>> pw.debug.compute_and_print(sums, include_id=False)
    result
    ('x', 4)
    ('y', 5)
    """
    columns = list(grouped)
    Row = collections.namedtuple("Row", [column.name for column in columns], rename=True)  # type: ignore[misc]
    count = len(grouped._by)

    def result(*arguments: Any) -> Any:
        key = arguments[0] if count == 1 else arguments[:count]
        return function(key, [Row(*row) for row in arguments[count]])

    rows = _reducers.tuple(make_tuple(*columns))
    return {"result": apply(result, *grouped._by, rows)}


class _AllColumns:
    def __init__(self, table: Table) -> None:
        self._table = table

    def _columns(self, scope: Any) -> Table:
        return self._table


def star(table: Table) -> Unpacked:
    """`table.star`: all columns of a table, as `*table`."""
    return Unpacked(_AllColumns(table))  # type: ignore[arg-type]


# --- windows ----------------------------------------------------------------------------------------


def windows(table: Table) -> Any:
    """`table.window`: `tumbling`, `sliding` and `session` of the table."""
    from pathway.stdlib.temporal._handbook import TableWindows

    return TableWindows(table)


# --- sources and sinks ------------------------------------------------------------------------------


def format_of(path: Any, schema: type[Schema] | None) -> str:
    """The format of files where none is given: by their ending, CSV with a schema, else binary."""
    ending = os.path.splitext(str(path))[1].lower()
    if schema is None:
        return "plaintext" if ending == ".txt" else "binary"
    return "json" if ending in (".json", ".jsonl", ".ndjson") else "csv"


@trace_user_frame
def write_json_lines(table: Table, path: Any = None, *, filename: Any = None, **options: Any) -> None:
    """`pw.io.jsonlines.write` with `path=` for `filename=`."""
    jsonlines.write(table, filename if path is None else path, **options)


filesystem = fs
json_lines = SimpleNamespace(read=jsonlines.read, write=write_json_lines)


def is_callback_subject(subject: Any) -> bool:
    """True for a subject with the callbacks `start`, `read`, `end` instead of `run`."""
    base = python.ConnectorSubject
    return type(subject).run is base.run and callable(getattr(subject, "read", None))


def drive_callbacks(subject: Any, columns: list[str]) -> None:
    """Calls `start`, then `read` until it gives None, then `end`; sends the rows it gives."""
    if type(subject).start is not python.ConnectorSubject.start:
        subject.start()
    try:
        while True:
            rows = subject.read()
            if rows is None:
                return
            sent = _send(subject, rows, columns)
            subject.commit()
            if not sent:
                time.sleep(0.1)
    finally:
        subject.end()


def _send(subject: Any, rows: Iterable[Any], columns: list[str]) -> int:
    sent = 0
    for row in rows:
        values = dict(row) if isinstance(row, Mapping) else dict(zip(columns, row, strict=True))
        subject.next(**values)
        sent += 1
    return sent


@trace_user_frame
def connector(
    *,
    schema: type[Schema],
    read_function: Callable[[], Iterable[Any] | None],
    start_function: Callable[[], Any] | None = None,
    seek_function: Callable[[bytes], Any] | None = None,
    stop_function: Callable[[], Any] | None = None,
    **options: Any,
) -> Table:
    """A source from functions: `read_function` gives lists of rows (dicts or tuples), None at the end.

    >>> import pathway as pw
    >>> batches = iter([[{"a": 1}], [(2,), (3,)], None])
    >>> t = pw.io.python.connector(
    ...     schema=pw.schema_from_types(a=int), read_function=lambda: next(batches)
    ... )
    >>> pw.debug.compute_and_print(t, include_id=False)
    a
    1
    2
    3
    """

    class Callbacks(python.ConnectorSubject):
        def start(self) -> None:
            if start_function is not None:
                start_function()

        def read(self) -> Iterable[Any] | None:
            return read_function()

        def seek(self, state: bytes) -> None:
            if seek_function is not None:
                seek_function(state)

        def end(self) -> None:
            if stop_function is not None:
                stop_function()

    return python.read(Callbacks(), schema=schema, **options)


# --- errors -----------------------------------------------------------------------------------------


@trace_user_frame
def error_history(table: Table) -> Table:
    """The errors of all operators that a table is computed by, whatever log they report to.

    The table is computed for it, whether an output needs it or not.

    >>> import pathway as pw
    >>> t = pw.debug.table_from_markdown('''
    ... a | b
    ... 6 | 2
    ... 5 | 0
    ... ''')
    >>> other, good = t.select(q=t.b // 0), t.select(q=t.a // t.b)
    >>> history = good.filter(good.q > 1).error_history().select(pw.this.message)
    >>> pw.debug.compute_and_print(history, other, include_id=False, terminate_on_error=False)
    message
    Error value encountered in filter condition, skipping the row
    division by zero
    q
    Error
    Error
    """
    return Table(table._engine.error_history(current_frame()))


def install() -> None:
    """Puts the names where the handbook has them."""
    import pathway
    from pathway import _handbook_yaml, io, reducers, stdlib
    from pathway.stdlib.temporal import _handbook, _handbook_joins

    for name in ("ColumnDefinition", "ConnectorMode", "schema_class"):
        setattr(pathway, name, globals()[name])
    Table.error_history = error_history  # type: ignore[attr-defined]
    pathway.ConnectorSubject = python.ConnectorSubject  # type: ignore[attr-defined]
    for name, dtype in _TYPES.items():
        setattr(PathwayType, name, PathwayType(dtype))
    for name in ("collect", "var_pop", "stddev"):
        setattr(reducers, name, globals()[name])
    for name in _handbook_yaml.REDUCERS:
        setattr(reducers, name, _handbook_yaml.of_columns(getattr(reducers, name)))
    io.csv.write = _handbook_yaml.with_path(io.csv.write)
    pathway.Transformations = _handbook_yaml.Transformations  # type: ignore[attr-defined]
    stdlib.tools = tools  # type: ignore[attr-defined]
    for name, of_windows in _handbook.NAMES.items():
        setattr(stdlib.temporal, name, of_windows)
    stdlib.temporal.ASOF_join_behavior = _handbook_joins.ASOF_join_behavior  # type: ignore[attr-defined]
    with_conditions = _handbook_joins.with_conditions
    stdlib.temporal.asof_join = with_conditions(stdlib.temporal.asof_join)
    stdlib.temporal.interval_join = _handbook_joins.with_spans(stdlib.temporal.interval_join)
    Table.join = _handbook_joins.with_inequalities(Table.join)  # type: ignore[method-assign]
    io.filesystem = filesystem  # type: ignore[attr-defined]
    io.json_lines = json_lines  # type: ignore[attr-defined]
    python.connector = connector  # type: ignore[attr-defined]
