"""`pw.io.python.read`: the table of a subject's rows."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any, Literal

from pathway._engine import SubjectSource
from pathway.internals import dtype as dt
from pathway.internals.active_runs import SubjectThread
from pathway.internals.api import SessionType
from pathway.internals.parse_graph import G
from pathway.internals.runtime_type_check import check_arg_types
from pathway.internals.schema import ColumnDefinition, Schema, schema_builder
from pathway.internals.table import Table
from pathway.internals.trace import current_frame, trace_user_frame, warn
from pathway.io._utils import (
    check_autocommit,
    check_max_backlog,
    check_no_metadata_column,
    source_name,
    use_debug_data,
    with_metadata_column,
)
from pathway.io.python.subject import ConnectorSubject


@trace_user_frame
@check_arg_types
def read(
    subject: ConnectorSubject,
    *,
    schema: type[Schema] | None = None,
    format: Literal["json", "raw", "binary"] | None = None,
    autocommit_duration_ms: int | None = 1500,
    debug_data: Any = None,
    name: str | None = None,
    max_backlog_size: int | None = None,
    **kwargs: Any,
) -> Table:
    """The table of the rows that a subject sends.

    Args:
        subject: the sender; it can be read once.
        schema: the columns.
        format: deprecated; `raw` and `binary` give one column `data`.
        autocommit_duration_ms: the longest time between two commits.
        debug_data: a data frame with the columns of the schema, which stands for the subject in runs with
            `debug=True`.
        name: a unique name, for logs and persistence.
        max_backlog_size: the most rows in flight; `next` waits beyond.
    """
    from pathway.handbook import drive_callbacks, is_callback_subject

    check_max_backlog(max_backlog_size)
    check_autocommit(autocommit_duration_ms)
    if format is not None:
        warn("the argument format of pw.io.python.read is deprecated.", DeprecationWarning)
    subject._format = format or "json"
    if subject._already_used:
        raise ValueError("this subject is read already; make a new one for each pw.io.python.read().")
    schema = _schema(subject, schema)
    session = subject._session_type
    if session is SessionType.UPSERT and schema.primary_key_columns() is None and _is_declared(subject):
        raise ValueError(
            "an upsert session needs a primary key in the schema: it tells which row a new one replaces."
        )
    deletions = bool(subject._deletions_enabled)
    subject._already_used = True
    if not deletions:
        schema = schema.update_properties(append_only=True)
    start = subject.start
    if is_callback_subject(subject):
        start = functools.partial(drive_callbacks, subject, schema.column_names())

    source = SubjectSource(
        subject,
        [column.to_field() for column in schema.columns().values()],
        session=session.value,
        deletions=deletions,
        start=daemon_start(subject, start),
        finite=subject._is_finite,
        resume=functools.partial(_resume, subject),
        description=subject._datasource_name,
        format=subject._format if subject._format != "json" else "values",
    )
    engine = G.engine.read(
        source,
        name=source_name(name, kwargs, "pw.io.python.read"),
        autocommit_ms=autocommit_duration_ms,
        max_backlog=max_backlog_size,
        id_dtype=schema.__pathway_id_dtype__,
        append_only=not deletions,
        frame=current_frame(),
    )
    table: Table = Table(engine, schema)
    use_debug_data(table, debug_data)
    return table


def _resume(subject: ConnectorSubject, state: bytes | None) -> None:
    """Before the start, in a run that may be gone on with; `state` is the last offset of an earlier run."""
    subject.on_persisted_run()
    if state is not None:
        subject.seek(state)


def daemon_start(
    subject: ConnectorSubject,
    start: Callable[[], Any],
    *,
    is_shared: bool = False,
) -> Callable[[int | None], None]:
    """What starts a subject for a run of the engine, and waits for it.

    A subject that is shared sees to it itself that it sends to one run at a time.

    The code of a subject may still be running when the interpreter exits, which ends such threads the
    hard way. They must then be Python's own: a thread of the engine cannot be ended so. The wait is on a
    lock that nobody releases in that case.
    """

    def start_in(run: int | None) -> None:
        before = subject._pathway_thread
        if before is not None and not is_shared:
            before.make_room()
        subject._pathway_thread = SubjectThread(f"pathway:{subject._datasource_name}", run)
        subject._pathway_thread.run(start)

    return start_in


def _is_declared(subject: ConnectorSubject) -> bool:
    """True if the session was chosen by argument: then keys come from the schema."""
    return subject._session_name == "upsert"


def _schema(subject: ConnectorSubject, schema: type[Schema] | None) -> type[Schema]:
    if subject._format == "json":
        if schema is None:
            own = getattr(type(subject), "schema", None)  # a subject may bring its schema
            if not (isinstance(own, type) and issubclass(own, Schema)):
                raise ValueError("schema= is missing: it tells the columns.")
            schema = own
        check_no_metadata_column(schema, subject._with_metadata)
        return schema
    if schema is not None:
        raise ValueError(f"a subject of the format {subject._format!r} is read without schema.")
    data = ColumnDefinition(dtype=dt.STR if subject._format == "raw" else dt.BYTES)
    payload = schema_builder({"data": data}, name="Payload")
    return with_metadata_column(payload) if subject._with_metadata else payload
