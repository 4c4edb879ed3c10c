"""`pw.io.kafka`: topics of a Kafka broker."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Mapping
from typing import Any, Literal

from pathway.internals import dtype as dt
from pathway.internals.expression.column import ColumnReference
from pathway.internals.parse_graph import G
from pathway.internals.runtime_type_check import check_arg_types
from pathway.internals.schema import ColumnDefinition, Schema, schema_builder
from pathway.internals.table import Table
from pathway.internals.trace import current_frame, trace_user_frame, warn
from pathway.io._files import check_json_path, register_output
from pathway.io._handbook import KafkaReadSettings, Offset, broker_keywords
from pathway.io._messages import message_columns
from pathway.io._registry import SchemaRegistryHeader, SchemaRegistrySettings, engine_registry
from pathway.io._utils import (
    Delivery,
    check_max_backlog,
    check_no_metadata_column,
    source_name,
    use_debug_data,
    with_metadata_column,
)

#: `static` reads what is there; `streaming` goes on with what comes.
Mode = Literal["streaming", "static"]
#: What the messages that are read hold.
ReadFormat = Literal["raw", "plaintext", "json", "avro"]
#: What the messages that are written hold.
WriteFormat = Literal["json", "avro", "raw", "plaintext", "dsv"]

_PAYLOADS: dict[str, dt.DType] = {"raw": dt.BYTES, "plaintext": dt.STR}


@trace_user_frame
@broker_keywords
@check_arg_types
def read(
    rdkafka_settings: dict[str, Any],
    topic: str | list[str] | None = None,
    *,
    schema: type[Schema] | None = None,
    mode: Mode = "streaming",
    format: ReadFormat = "raw",
    schema_registry_settings: SchemaRegistrySettings | None = None,
    debug_data: Any = None,
    autocommit_duration_ms: int | None = 1500,
    json_field_paths: dict[str, str] | None = None,
    autogenerate_key: bool | None = None,
    with_metadata: bool = False,
    start_from_timestamp_ms: int | None = None,
    parallel_readers: int | None = None,
    name: str | None = None,
    max_backlog_size: int | None = None,
    **kwargs: Any,
) -> Table:
    """Reads the messages of a topic.

    Args:
        rdkafka_settings: properties of the client library (librdkafka); `bootstrap.servers` and `group.id`
            are needed.
        topic: the name of the topic.
        schema: the columns of `json`.
        mode: `streaming` goes on with new messages; `static` reads up to the end that is current when the
            run starts.
        format: `raw` and `plaintext` give the columns `key` and `data` as bytes or text; `json` those of the
            schema, from the object in the value of a message, or in its key for columns with
            `source_component="key"`; `avro` those from an Avro record.
        schema_registry_settings: for `json` and `avro` (which needs it): messages begin with the number of
            their schema in this registry.
        autocommit_duration_ms: the longest time between two commits.
        json_field_paths: for columns the JSON pointers to their values.
        autogenerate_key: False identifies the rows of `raw` and `plaintext` by the keys of their messages,
            which then have to be unique; by default, rows are identified by partition and offset.
        with_metadata: adds the column `_metadata` with time, topic, partition, offset and headers.
        start_from_timestamp_ms: begins with the first message of each partition that is not older.
        parallel_readers: the most readers that divide the partitions among them; by default one a worker.
        name: a unique name, for logs and persistence.
        max_backlog_size: the most rows in flight.

    Raises:
        ValueError: the settings make no sense, or (when run) the client library does not know them.
        OSError: when run: there is no such topic, or no broker answers.

    >>> import pathway as pw
    >>> settings = {"bootstrap.servers": "localhost:9092", "group.id": "orders"}
    >>> schema = pw.schema_from_types(item=str, n=int)
    >>> orders = pw.io.kafka.read(settings, "orders", schema=schema, format="json")
    >>> list(orders.column_names())
    ['item', 'n']
    """
    return _read(
        "pw.io.kafka.read",
        rdkafka_settings,
        topic,
        schema=schema,
        mode=mode,
        format=format,
        registry=schema_registry_settings,
        debug_data=debug_data,
        autocommit_duration_ms=autocommit_duration_ms,
        json_field_paths=json_field_paths,
        autogenerate_key=autogenerate_key,
        with_metadata=with_metadata,
        start_from_timestamp_ms=start_from_timestamp_ms,
        parallel_readers=parallel_readers,
        name=name,
        max_backlog_size=max_backlog_size,
        kwargs=kwargs,
    )


@trace_user_frame
@check_arg_types
def simple_read(
    server: str,
    topic: str,
    *,
    read_only_new: bool = False,
    schema: type[Schema] | None = None,
    format: ReadFormat = "raw",
    debug_data: Any = None,
    autocommit_duration_ms: int | None = 1500,
    json_field_paths: dict[str, str] | None = None,
    parallel_readers: int | None = None,
    name: str | None = None,
    **kwargs: Any,
) -> Table:
    """Reads a topic of a broker that needs no further settings, from its start.

    Args:
        server: host and port of the broker.
        topic: the name of the topic.
        read_only_new: leaves out what is there when the run starts.

    The other arguments are those of `read`.

    >>> import pathway as pw
    >>> list(pw.io.kafka.simple_read("localhost:9092", "orders").column_names())
    ['key', 'data']
    """
    function = "pw.io.kafka.simple_read"
    if "rdkafka_settings" in kwargs:
        raise TypeError(f"{function}() makes the rdkafka_settings itself; pw.io.kafka.read takes them.")
    if read_only_new and kwargs.get("mode") == "static":
        raise ValueError(f"{function}(): a static read of new messages only would read nothing.")
    if read_only_new and kwargs.get("start_from_timestamp_ms") is not None:
        raise ValueError(
            f"{function}(): read_only_new and start_from_timestamp_ms both say where to begin; give one."
        )
    settings = {
        "bootstrap.servers": server,
        "group.id": str(uuid.uuid4()),
        "auto.offset.reset": "end" if read_only_new else "beginning",
    }
    return read(
        settings,
        topic,
        schema=schema,
        format=format,
        debug_data=debug_data,
        autocommit_duration_ms=autocommit_duration_ms,
        json_field_paths=json_field_paths,
        parallel_readers=parallel_readers,
        name=name,
        **kwargs,
    )


@trace_user_frame
@broker_keywords
@check_arg_types
def write(
    table: Table,
    rdkafka_settings: dict[str, Any],
    topic_name: str | ColumnReference,
    *,
    format: WriteFormat = "json",
    schema_registry_settings: SchemaRegistrySettings | None = None,
    subject: str | None = None,
    delimiter: str = ",",
    key: ColumnReference | None = None,
    value: ColumnReference | None = None,
    headers: Iterable[ColumnReference] | None = None,
    name: str | None = None,
    sort_by: Iterable[ColumnReference] | None = None,
    delivery: Delivery = "exactly-once",
) -> None:
    """Writes every change of a table as a message with the headers `pathway_time` and `pathway_diff`.

    Args:
        table: what to write.
        rdkafka_settings: properties of the client library (librdkafka); `bootstrap.servers` is needed.
        topic_name: the topic, or the column with the topic of each row.
        format: `json`, `avro` and `dsv` (delimited text, after a header line) write all columns; `raw` and
            `plaintext` write one, of bytes or text.
        schema_registry_settings: for `json` and `avro` (which needs it): the registry that has the schema of
            the messages. That of Avro records is registered.
        subject: that of the schema, whose number stands in front of every message. By default, that of Avro
            records is the topic and `-value`.
        delimiter: between the fields of `dsv`.
        key: the column with the keys of the messages; by default, the key is the row's id, in 16 bytes.
        value: the column that `raw` and `plaintext` write, if the table has several.
        headers: columns that become headers, too.
        name: a unique name, for logs.
        sort_by: columns of the table that order the changes of one time.
        delivery: in runs with persistence, `exactly-once` writes the changes of each checkpoint in one
            transaction when it is complete; `at-least-once` writes them at once, and some of them again
            after a failure.

    Raises:
        ValueError: the arguments do not fit together.
        OSError: when run: a message could not be delivered.
    """
    function = "pw.io.kafka.write"
    if isinstance(topic_name, str) and not topic_name:
        raise ValueError(f"{function}(): the name of the topic is empty.")
    if not rdkafka_settings.get("bootstrap.servers"):
        raise ValueError(f"{function}(): rdkafka_settings need a value for 'bootstrap.servers'.")
    if len(delimiter) != 1 or not delimiter.isascii():
        raise ValueError(f"{function}(): the delimiter has to be one ASCII character, not {delimiter!r}.")
    _check_registry(function, format, schema_registry_settings, subject)
    columns = message_columns(
        table,
        function=function,
        format=format,
        topic=None if isinstance(topic_name, str) else topic_name,
        key=key,
        value=value,
        headers=headers,
        delimiter=delimiter,
        sort_by=sort_by,
    )
    dtypes = columns.table._dtypes()
    sink = _engine("KafkaSink")(
        _properties(function, rdkafka_settings),
        format,
        list(dtypes),
        list(dtypes.values()),
        topic=topic_name if isinstance(topic_name, str) else None,
        topic_column=columns.topic,
        key=columns.key,
        value=columns.value,
        headers=columns.headers,
        delimiter=delimiter,
        registry=(engine_registry(schema_registry_settings), subject) if schema_registry_settings else None,
        exactly_once=delivery == "exactly-once",
    )
    register_output(columns.table, sink, name, columns.sort_by)


def _read(
    function: str,
    rdkafka_settings: Mapping[str, Any],
    topic: str | list[str] | None,
    *,
    schema: type[Schema] | None,
    mode: str,
    format: str,
    registry: SchemaRegistrySettings | None = None,
    debug_data: Any,
    autocommit_duration_ms: int | None,
    json_field_paths: Mapping[str, str] | None = None,
    autogenerate_key: bool | None = None,
    with_metadata: bool = False,
    start_from_timestamp_ms: int | None = None,
    parallel_readers: int | None = None,
    name: str | None,
    max_backlog_size: int | None,
    kwargs: dict[str, Any],
) -> Table:
    topic = _topic(function, topic, kwargs)
    for needed in ("bootstrap.servers", "group.id"):
        if not rdkafka_settings.get(needed):
            raise ValueError(f"{function}(): rdkafka_settings need a value for {needed!r}.")
    check_max_backlog(max_backlog_size)
    if parallel_readers is not None and parallel_readers < 1:
        raise ValueError(f"{function}(): parallel_readers has to be at least 1, not {parallel_readers}.")
    if autocommit_duration_ms is None and mode == "streaming":
        raise ValueError(
            f"{function}(): a stream of messages has no end, so autocommit_duration_ms has to say when rows "
            "are passed on; None is for mode='static'."
        )
    if autocommit_duration_ms is not None and autocommit_duration_ms < 1:
        raise ValueError(
            f"{function}(): autocommit_duration_ms has to be at least 1, not {autocommit_duration_ms}."
        )
    settings = dict(rdkafka_settings)
    if start_from_timestamp_ms is not None:
        _check_start(function, start_from_timestamp_ms, settings)
    in_key: list[str] = []
    changes = format.startswith("debezium")
    if format == "avro" and registry is None:
        raise ValueError(f"{function}(): format='avro' needs schema_registry_settings.")
    if format in ("json", "avro") or changes:
        schema = _record_schema(function, schema, json_field_paths, with_metadata, autogenerate_key)
        in_key = [c.name for c in schema.columns().values() if c.source_component == "key"]
        if changes and in_key:
            raise ValueError(
                f"{function}(): column {in_key[0]}: columns of change events are in their payload."
            )
        fields = [column.to_field() for column in schema.columns().values()]
    else:
        given = {
            "schema": schema,
            "json_field_paths": json_field_paths,
            "schema_registry_settings": registry,
        }
        for argument, value in given.items():
            if value is not None:
                raise ValueError(f"{function}(): messages of format={format!r} are read without {argument}.")
        dtype = _PAYLOADS[format]
        columns = {name: ColumnDefinition(dtype=dtype) for name in ("key", "data")}
        schema, fields = schema_builder(columns, name="Message"), None
    source = _engine("KafkaSource")(
        _properties(function, settings),
        topic,
        format,
        fields,
        mode=str(getattr(mode, "value", mode)),
        in_key=in_key,
        json_field_paths=json_field_paths,
        with_metadata=with_metadata,
        ids_from_keys=autogenerate_key is False,
        start_from_timestamp_ms=start_from_timestamp_ms,
        parallel_readers=parallel_readers,
        registry=engine_registry(registry),
    )
    schema = schema.update_properties(append_only=not changes)
    engine = G.engine.read(
        source,
        name=source_name(name, kwargs, function, strict=True),
        autocommit_ms=autocommit_duration_ms,
        max_backlog=max_backlog_size,
        id_dtype=None if format == "debezium-mongodb" else schema.__pathway_id_dtype__,
        append_only=not changes,
        frame=current_frame(),
    )
    table: Table = Table(engine, with_metadata_column(schema) if with_metadata else schema)
    use_debug_data(table, debug_data)
    return table


def _check_registry(
    function: str, format: str, settings: SchemaRegistrySettings | None, subject: str | None
) -> None:
    """How the messages that are written come by the numbers of their schemas."""
    if subject == "":
        raise ValueError(f"{function}(): the subject is empty.")
    if format == "avro":
        if settings is None:
            raise ValueError(f"{function}(): format='avro' needs schema_registry_settings.")
        return
    if (settings is None) != (subject is None):
        raise ValueError(f"{function}(): schema_registry_settings and subject go together.")
    if settings is not None and format != "json":
        raise ValueError(f"{function}(): messages with a schema of a registry have format='json' or 'avro'.")


def _topic(function: str, topic: str | list[str] | None, kwargs: dict[str, Any]) -> str:
    if topic is None and "topic_names" in kwargs:
        warn(f"{function}(): topic_names is deprecated, use topic.", DeprecationWarning)
        topic = kwargs.pop("topic_names")
    if isinstance(topic, list):
        warn(f"{function}(): one topic is read; of several, that is the first.", DeprecationWarning)
        topic = topic[0] if topic else None
    if "topic_name" in kwargs:
        raise TypeError(f"{function}() got an unexpected keyword argument topic_name; it is called topic.")
    if not topic:
        raise ValueError(f"{function}(): the name of the topic is missing.")
    return topic


def _check_start(function: str, timestamp: int, settings: dict[str, Any]) -> None:
    if timestamp < 0:
        raise ValueError(f"{function}(): start_from_timestamp_ms has to be 0 or more, not {timestamp}.")
    reset = settings.get("auto.offset.reset")
    if reset not in (None, "earliest", "beginning", "smallest"):
        warn(
            f"{function}(): with start_from_timestamp_ms, auto.offset.reset={reset!r} has no effect: it is "
            "'earliest'."
        )
    settings["auto.offset.reset"] = "earliest"


def _record_schema(
    function: str,
    schema: type[Schema] | None,
    json_field_paths: Mapping[str, str] | None,
    with_metadata: bool,
    autogenerate_key: bool | None,
) -> type[Schema]:
    if autogenerate_key:
        raise ValueError(
            f"{function}(): autogenerate_key has a meaning for the formats raw and plaintext; other rows "
            "are identified by the primary key of the schema, or else by partition and offset."
        )
    if schema is None:
        raise ValueError(f"{function}(): schema= is missing: it tells the columns.")
    check_no_metadata_column(schema, with_metadata)
    for column, pointer in (json_field_paths or {}).items():
        check_json_path(schema, column, pointer)
    for definition in schema.columns().values():
        if definition.source_component not in ("payload", "key"):
            raise ValueError(
                f"{function}(): column {definition.name}: a message has a key and a payload, and no "
                f"component {definition.source_component!r}."
            )
    return schema


def _properties(function: str, settings: Mapping[str, Any]) -> list[tuple[str, str]]:
    """The properties as the client library takes them."""
    properties = []
    for name, value in settings.items():
        if not isinstance(name, str) or not isinstance(value, (str, int, float)):
            raise TypeError(
                f"{function}(): rdkafka_settings have names and values of type str (or int, float, bool); "
                f"{name!r} is {type(value).__name__}."
            )
        properties.append((name, str(value).lower() if isinstance(value, bool) else str(value)))
    return properties


def _engine(kind: str) -> Any:
    import pathway._engine as engine

    found = getattr(engine, kind, None)
    if found is None:
        raise ImportError("pathway was built without Kafka: build it with the Cargo feature `kafka`.")
    return found


__all__ = [
    "KafkaReadSettings",
    "Offset",
    "SchemaRegistryHeader",
    "SchemaRegistrySettings",
    "read",
    "simple_read",
    "write",
]
