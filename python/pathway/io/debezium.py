"""`pw.io.debezium`: tables of databases, as Debezium tells their changes in a topic of a Kafka broker."""

from __future__ import annotations

from typing import Any

from pathway.internals.api import DebeziumDBType
from pathway.internals.runtime_type_check import check_arg_types
from pathway.internals.schema import Schema
from pathway.internals.table import Table
from pathway.internals.trace import trace_user_frame
from pathway.io import kafka


@trace_user_frame
@check_arg_types
def read(
    rdkafka_settings: dict[str, Any],
    topic_name: str,
    *,
    db_type: DebeziumDBType = DebeziumDBType.POSTGRES,
    schema: type[Schema],
    debug_data: Any = None,
    autocommit_duration_ms: int | None = 1500,
    name: str | None = None,
    max_backlog_size: int | None = None,
    **kwargs: Any,
) -> Table:
    """Reads a table from the events of its changes: JSON, with the schema around the payload or without.

    Rows are identified by the primary key of the schema, or else, and always with `MONGO_DB`, by the keys of
    messages. Events that cannot be read, and those that tell that the table was emptied (`TRUNCATE`), are in
    `pw.io.dead_letters`.

    Args:
        rdkafka_settings: properties of the client library (librdkafka); `bootstrap.servers` and `group.id`
            are needed.
        topic_name: the topic.
        db_type: the database. Events of MySQL and others have the form of `POSTGRES`.
        schema: the columns, each the field of its name.
        debug_data: stands for the topic in debugging runs.
        autocommit_duration_ms: how long events may wait for others, in milliseconds.
        name: a unique name, for persistence and logs.
        max_backlog_size: the most rows that are on their way at the same time.
        kwargs: what else `pw.io.kafka.read` takes for JSON: `json_field_paths`, `with_metadata`,
            `start_from_timestamp_ms`, `parallel_readers`.

    Raises:
        ValueError: the arguments do not fit together.
        OSError: when run: the topic cannot be read.

    >>> import pathway as pw
    >>> class Order(pw.Schema):
    ...     id: int = pw.column_definition(primary_key=True)
    ...     item: str
    >>> settings = {"bootstrap.servers": "localhost:9092", "group.id": "orders"}
    >>> orders = pw.io.debezium.read(settings, "shop.public.orders", schema=Order)
    >>> list(orders.column_names())
    ['id', 'item']
    """
    function = "pw.io.debezium.read"
    passed = ("json_field_paths", "with_metadata", "start_from_timestamp_ms", "parallel_readers")
    others = {argument: kwargs.pop(argument) for argument in passed if argument in kwargs}
    return kafka._read(
        function,
        rdkafka_settings,
        topic_name,
        schema=schema,
        mode="streaming",
        format="debezium" if db_type is DebeziumDBType.POSTGRES else "debezium-mongodb",
        debug_data=debug_data,
        autocommit_duration_ms=autocommit_duration_ms,
        name=name,
        max_backlog_size=max_backlog_size,
        kwargs=kwargs,
        **others,
    )


__all__ = ["DebeziumDBType", "read"]
