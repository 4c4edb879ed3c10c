"""`pw.io.postgres`: tables of a PostgreSQL database."""

from __future__ import annotations

import datetime
import threading
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Literal

from pathway.internals import dtype as dt
from pathway.internals.expression.column import ColumnReference
from pathway.internals.parse_graph import G
from pathway.internals.runtime_type_check import check_arg_types
from pathway.internals.schema import Schema
from pathway.internals.table import Table
from pathway.internals.thisclass import this
from pathway.internals.trace import current_frame, trace_user_frame, warn
from pathway.io._files import register_output
from pathway.io._handbook import connection_keywords
from pathway.io._secrets import PasswordSecret
from pathway.io._utils import Delivery, check_autocommit, check_max_backlog, source_name, use_debug_data

#: `static` reads what is there; `streaming` goes on with what is done to it.
Mode = Literal["streaming", "static"]
#: What is done about the table when a run starts.
InitMode = Literal["default", "create_if_not_exists", "replace"]
#: What the table holds: every change, or the current rows.
OutputTableType = Literal["stream_of_changes", "snapshot"]

#: The columns that changes have beside those of the table.
_METADATA = ("time", "diff")
#: A password is asked for again this long before it expires.
_MARGIN_S = 5.0


@trace_user_frame
@connection_keywords(_own_publication=True)
@check_arg_types
def read(
    postgres_settings: dict[str, Any],
    table_name: str,
    schema: type[Schema],
    *,
    mode: Mode = "streaming",
    is_append_only: bool = False,
    publication_name: str | None = None,
    schema_name: str | None = "public",
    autocommit_duration_ms: int | None = 1500,
    name: str | None = None,
    max_backlog_size: int | None = None,
    debug_data: Any = None,
    _own_publication: bool = False,
) -> Table:
    """Reads the rows of a table, and follows its changes.

    A stream begins with the rows of the table at one moment, and goes on with every transaction since then,
    by logical replication. A transaction is never split over two times.

    Args:
        postgres_settings: libpq's keywords: `host`, `port`, `dbname`, `user`, `password`, `sslmode`, … The
            password may be a function that gives it, or it and the moment when it expires (a datetime, a
            length of time, or seconds since 1970); it is called again when it has expired.
        table_name: the name of the table.
        schema: the columns to read, and those that tell rows apart.
        mode: `static` reads the rows that are there; `streaming` goes on with what is done to them.
        is_append_only: rows are only ever added to the table: the schema needs no primary key, and a row that
            is updated or deleted is an error.
        publication_name: for streams: the publication that has the table (`CREATE PUBLICATION`).
        schema_name: the name of the table's schema in the database.
        autocommit_duration_ms: the longest time between two commits.
        name: a unique name, for logs, the server's list of connections, and persistence.
        max_backlog_size: the most rows in flight.

    Raises:
        ValueError: the settings make no sense, or (when run) the table has no such columns.
        OSError: when run: the server cannot be reached, or refuses the connection.

    >>> import pathway as pw
    >>> settings = {"host": "localhost", "dbname": "shop", "user": "me", "password": "secret"}
    >>> schema = pw.schema_from_types(item=str, n=int)
    >>> orders = pw.io.postgres.read(settings, "orders", schema, mode="static")
    >>> list(orders.column_names())
    ['item', 'n']
    >>> class Order(pw.Schema):
    ...     id: int = pw.column_definition(primary_key=True)
    ...     item: str
    >>> live = pw.io.postgres.read(settings, "orders", Order, publication_name="orders")
    """
    function = "pw.io.postgres.read"
    check_max_backlog(max_backlog_size)
    check_autocommit(autocommit_duration_ms)
    _check_names(function, schema_name, table_name)
    if mode == "static" and publication_name is not None:
        raise ValueError(f"{function}(): a static read takes no publication_name: it needs none.")
    if mode == "streaming":
        named = publication_name or _own_publication
        _check_stream(function, schema, bool(named), is_append_only, autocommit_duration_ms)
    name = source_name(name, {}, function)
    pairs, password = _pairs(function, postgres_settings)
    source = _engine("PostgresSource")(
        pairs,
        schema_name,
        table_name,
        [column.to_field() for column in schema.columns().values()],
        follow=mode == "streaming",
        publication=publication_name,
        append_only=is_append_only,
        password=password,
        name=name,
    )
    append_only = mode == "static" or is_append_only
    engine = G.engine.read(
        source,
        name=name,
        autocommit_ms=autocommit_duration_ms,
        max_backlog=max_backlog_size,
        id_dtype=schema.__pathway_id_dtype__,
        append_only=append_only,
        frame=current_frame(),
    )
    table: Table = Table(engine, schema.update_properties(append_only=append_only))
    use_debug_data(table, debug_data)
    return table


@trace_user_frame
@connection_keywords()
@check_arg_types
def write(
    table: Table,
    postgres_settings: dict[str, Any],
    table_name: str,
    *,
    schema_name: str | None = "public",
    max_batch_size: int | None = None,
    init_mode: InitMode = "default",
    output_table_type: OutputTableType = "stream_of_changes",
    primary_key: list[ColumnReference] | None = None,
    name: str | None = None,
    sort_by: Iterable[ColumnReference] | None = None,
    delivery: Delivery = "exactly-once",
    _external_diff_column: ColumnReference | None = None,
    _key_of_target: bool = False,
) -> None:
    """Writes the changes of a table, or its current rows.

    Every minibatch is one transaction. A transaction whose connection is lost is repeated if the server has
    not committed it. In runs with persistence a transaction has the changes of a checkpoint, and its number,
    which is kept in a table `pathway_commits` beside the one that is written: each change is written once,
    whenever runs are killed.

    Args:
        table: what to write.
        postgres_settings: libpq's keywords, as for `read`.
        table_name: the name of the table in the database.
        schema_name: the name of its schema.
        max_batch_size: the most rows in a transaction.
        init_mode: `default`: the table is there; `create_if_not_exists` makes it; `replace` makes it anew,
            but not in a run that goes on with an earlier one.
        output_table_type: `stream_of_changes` adds a row with `time` and `diff` for every change;
            `snapshot` keeps the current rows.
        primary_key: for snapshots: the columns that tell rows apart.
        name: a unique name, for logs and the server's list of connections.
        sort_by: columns of the table that order the changes of one time.
        delivery: in runs with persistence, `exactly-once` writes the changes of each checkpoint when it is
            complete; `at-least-once` writes them at once, and some of them again after a failure.

    Raises:
        ValueError: the arguments do not fit together, or (when run) the table does not fit.
        OSError: when run: the server cannot be reached, or refuses the connection.
    """
    function = "pw.io.postgres.write"
    _check_names(function, schema_name, table_name)
    _check_batch_size(function, max_batch_size)
    names = list(table.column_names())
    if output_table_type == "stream_of_changes":
        _check_metadata(function, names)
        if primary_key is not None:
            raise ValueError(
                f"{function}(): a table of changes has no primary_key; output_table_type='snapshot' has one."
            )
        if _external_diff_column is not None:
            raise ValueError(f"{function}(): only a snapshot takes signs from a column.")
    elif not primary_key and not _key_of_target:
        raise ValueError(f"{function}(): output_table_type='snapshot' needs primary_key, a list of columns.")
    key = [_own_column(function, table, column, "primary_key") for column in primary_key or ()]
    _check_key(function, table, key)
    diff = None
    if _external_diff_column is not None:
        diff = _own_column(function, table, _external_diff_column, "_external_diff_column")
        if table._dtypes()[diff] != dt.INT:
            raise ValueError(f"{function}(): _external_diff_column has to be a column of type INT.")
    _write(
        function,
        table,
        postgres_settings,
        schema_name,
        table_name,
        content="changes" if output_table_type == "stream_of_changes" else "snapshot",
        key=key,
        diff=diff,
        init_mode=init_mode,
        max_batch_size=max_batch_size,
        name=name,
        sort_by=sort_by,
        delivery=delivery,
    )


@trace_user_frame
@check_arg_types
def write_snapshot(
    table: Table,
    postgres_settings: dict[str, Any],
    table_name: str,
    primary_key: list[str],
    *,
    max_batch_size: int | None = None,
    init_mode: InitMode = "default",
    name: str | None = None,
    sort_by: Iterable[ColumnReference] | None = None,
) -> None:
    """Keeps the current rows of a table, each with `time` and `diff` of the change that it comes from.

    Deprecated: `write` with `output_table_type="snapshot"` has no such columns.

    Args:
        table: what to write.
        postgres_settings: libpq's keywords, as for `read`.
        table_name: the name of the table in schema `public`.
        primary_key: the names of the columns that tell rows apart.

    The other arguments are those of `write`.

    Raises:
        ValueError: the arguments do not fit together, or (when run) the table does not fit.
    """
    function = "pw.io.postgres.write_snapshot"
    warn(
        f"{function}() is deprecated: write(…, output_table_type='snapshot') needs no time and diff.",
        DeprecationWarning,
    )
    _check_names(function, "public", table_name)
    _check_batch_size(function, max_batch_size)
    names = list(table.column_names())
    _check_metadata(function, names)
    if not primary_key:
        raise ValueError(f"{function}(): primary_key has to name a column at least.")
    for column in primary_key:
        if column not in names:
            raise ValueError(
                f"{function}(): primary_key has {column!r}, which is no column of the table; its columns are "
                f"{', '.join(names)}."
            )
    _check_key(function, table, primary_key)
    _write(
        function,
        table,
        postgres_settings,
        "public",
        table_name,
        content="snapshot_with_changes",
        key=primary_key,
        diff=None,
        init_mode=init_mode,
        max_batch_size=max_batch_size,
        name=name,
        sort_by=sort_by,
    )


def _write(
    function: str,
    table: Table,
    settings: Mapping[str, Any],
    schema_name: str | None,
    table_name: str,
    *,
    content: str,
    key: Sequence[str],
    diff: str | None,
    init_mode: str,
    max_batch_size: int | None,
    name: str | None,
    sort_by: Iterable[ColumnReference] | None,
    delivery: Delivery = "exactly-once",
) -> None:
    dtypes = table._dtypes()
    names = list(dtypes)
    pairs, password = _pairs(function, settings)
    sink = _engine("PostgresSink")(
        pairs,
        schema_name,
        table_name,
        names,
        list(dtypes.values()),
        content=content,
        init_mode=init_mode,
        key=[names.index(column) for column in key],
        diff=None if diff is None else names.index(diff),
        max_batch_size=max_batch_size,
        password=password,
        name=name,
        exactly_once=delivery == "exactly-once",
    )
    register_output(table, sink, name, sort_by)


def _check_names(function: str, schema_name: str | None, table_name: str) -> None:
    if not schema_name:
        raise ValueError(f"{function}(): schema_name is missing; a table without one is in 'public'.")
    if not table_name:
        raise ValueError(f"{function}(): the name of the table is empty.")


def _check_stream(
    function: str,
    schema: type[Schema],
    has_publication: bool,
    is_append_only: bool,
    autocommit_duration_ms: int | None,
) -> None:
    """What a stream needs: a publication, and keys that tell rows apart."""
    if not has_publication:
        raise ValueError(
            f"{function}(): a stream follows a publication: publication_name has to be that of one that has "
            "the table (CREATE PUBLICATION … FOR TABLE …); mode='static' needs none."
        )
    if autocommit_duration_ms is None:
        raise ValueError(
            f"{function}(): a stream of changes has no end, so autocommit_duration_ms has to say when rows "
            "are passed on; None is for mode='static'."
        )
    key = [column for column in schema.columns().values() if column.primary_key]
    if not key and not is_append_only:
        raise ValueError(
            f"{function}(): the schema has no primary key, and changes are told by it: mark all columns of "
            "the table's primary key with pw.column_definition(primary_key=True), or read a table whose rows "
            "are only ever added with is_append_only=True."
        )
    for column in key:
        if dt.is_optional(column.dtype) or column.dtype in (dt.ANY, dt.NONE):
            raise ValueError(
                f"{function}(): column {column.name!r} of the primary key has the type {column.dtype}: None "
                "cannot tell rows apart."
            )


def _check_batch_size(function: str, max_batch_size: int | None) -> None:
    if max_batch_size is not None and max_batch_size < 1:
        raise ValueError(
            f"{function}(): max_batch_size has to be 1 or more, or None for no bound, not {max_batch_size}."
        )


def _check_metadata(function: str, names: Iterable[str]) -> None:
    """The names of what each change has are not those of columns, in whatever case."""
    taken = [name for name in names if name.lower() in _METADATA]
    if taken:
        raise ValueError(
            f"{function}(): rows get columns 'time' and 'diff' of their changes; rename {', '.join(taken)}."
        )


def _own_column(function: str, table: Table, column: ColumnReference, argument: str) -> str:
    """The name of a column of the table."""
    if column.table is this:
        column = table[column.name]
    if column.table is not table or column.name not in table.column_names():
        raise ValueError(f"{function}(): {argument} has {column!r}, which is no column of the table.")
    return column.name


def _check_key(function: str, table: Table, key: Sequence[str]) -> None:
    twice = sorted({column for column in key if list(key).count(column) > 1})
    if twice:
        raise ValueError(f"{function}(): primary_key names columns more than once: {', '.join(twice)}.")
    dtypes = table._dtypes()
    for column in key:
        if dt.is_optional(dtypes[column]) or dtypes[column] in (dt.ANY, dt.NONE):
            raise ValueError(
                f"{function}(): column {column!r} of the primary_key has the type {dtypes[column]}: None "
                "cannot tell rows apart."
            )


class _Password:
    """Asks for a password again when the last one has expired."""

    def __init__(self, ask: Callable[[], Any]) -> None:
        self._ask = ask
        self._lock = threading.Lock()
        self._secret: str | None = None
        self._expires = 0.0

    def __call__(self) -> str:
        with self._lock:
            if self._secret is None or time.time() > self._expires - _MARGIN_S:
                self._secret, self._expires = _answer(self._ask())
            return self._secret


def _answer(answer: Any) -> tuple[str, float]:
    """What a function says about the password: it, and until when it is valid, in seconds since 1970."""
    if isinstance(answer, str):
        # It is asked for each time.
        return answer, 0.0
    if isinstance(answer, tuple) and len(answer) == 2 and isinstance(answer[0], str):
        secret, expires = answer
        if expires is None:
            return secret, float("inf")
        if isinstance(expires, datetime.timedelta):
            return secret, time.time() + expires.total_seconds()
        if isinstance(expires, datetime.datetime):
            # Without a zone it is UTC.
            moment = expires if expires.tzinfo else expires.replace(tzinfo=datetime.timezone.utc)
            return secret, moment.timestamp()
        if isinstance(expires, (int, float)):
            return secret, float(expires)
    raise TypeError(
        "the function for the password has to give text, or text and the moment when it expires (a datetime, "
        f"a timedelta, seconds since 1970, or None), not {type(answer).__name__}."
    )


def _pairs(
    function: str, settings: Mapping[str, Any]
) -> tuple[list[tuple[str, str]], Callable[[], str] | None]:
    """The settings as the engine takes them, and the function that gives the password."""
    pairs: list[tuple[str, str]] = []
    password = None
    for name, value in settings.items():
        if not isinstance(name, str):
            raise TypeError(f"{function}(): postgres_settings have names of type str; {name!r} is none.")
        if name == "password" and callable(value):
            password = _Password(value)
        elif value is not None:
            pairs.append((name, str(int(value)) if isinstance(value, bool) else str(value)))
    return pairs, password


def _engine(kind: str) -> Any:
    import pathway._engine as engine

    found = getattr(engine, kind, None)
    if found is None:
        raise ImportError("pathway was built without PostgreSQL: build it with the Cargo feature `postgres`.")
    return found


__all__ = ["PasswordSecret", "read", "write", "write_snapshot"]
