"""`pw.io.redpanda`: topics of a Redpanda broker, which speaks Kafka's protocol."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from pathway.internals.expression.column import ColumnReference
from pathway.internals.runtime_type_check import check_arg_types
from pathway.internals.schema import Schema
from pathway.internals.table import Table
from pathway.internals.trace import trace_user_frame
from pathway.io import kafka


@trace_user_frame
@check_arg_types
def read(
    rdkafka_settings: dict[str, Any],
    topic: str | list[str] | None = None,
    *,
    schema: type[Schema] | None = None,
    mode: kafka.Mode = "streaming",
    format: kafka.ReadFormat = "raw",
    schema_registry_settings: kafka.SchemaRegistrySettings | None = None,
    debug_data: Any = None,
    autocommit_duration_ms: int | None = 1500,
    json_field_paths: dict[str, str] | None = None,
    parallel_readers: int | None = None,
    name: str | None = None,
    max_backlog_size: int | None = None,
    **kwargs: Any,
) -> Table:
    """Reads the messages of a topic. Takes the arguments of `pw.io.kafka.read`.

    >>> import pathway as pw
    >>> settings = {"bootstrap.servers": "localhost:9092", "group.id": "orders"}
    >>> list(pw.io.redpanda.read(settings, "orders", format="plaintext").column_names())
    ['key', 'data']
    """
    return kafka.read(
        rdkafka_settings,
        topic,
        schema=schema,
        mode=mode,
        format=format,
        schema_registry_settings=schema_registry_settings,
        debug_data=debug_data,
        autocommit_duration_ms=autocommit_duration_ms,
        json_field_paths=json_field_paths,
        parallel_readers=parallel_readers,
        name=name,
        max_backlog_size=max_backlog_size,
        **kwargs,
    )


@trace_user_frame
@check_arg_types
def write(
    table: Table,
    rdkafka_settings: dict[str, Any],
    topic_name: str | ColumnReference,
    *,
    format: kafka.WriteFormat = "json",
    schema_registry_settings: kafka.SchemaRegistrySettings | None = None,
    subject: str | None = None,
    name: str | None = None,
    sort_by: Iterable[ColumnReference] | None = None,
    **kwargs: Any,
) -> None:
    """Writes every change of a table as a message. Takes the arguments of `pw.io.kafka.write`."""
    kafka.write(
        table,
        rdkafka_settings,
        topic_name,
        format=format,
        schema_registry_settings=schema_registry_settings,
        subject=subject,
        name=name,
        sort_by=sort_by,
        **kwargs,
    )


__all__ = ["read", "write"]
