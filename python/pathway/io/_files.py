"""Files as sources and sinks: the common part of `fs`, `csv`, `jsonlines`, `plaintext`."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping
from typing import Any

from pathway._engine import FileSink, FileSource
from pathway.internals import dtype as dt
from pathway.internals.expression.column import ColumnReference
from pathway.internals.parse_graph import G
from pathway.internals.schema import ColumnDefinition, Schema, schema_builder
from pathway.internals.table import Table
from pathway.internals.trace import current_frame, warn
from pathway.io._utils import (
    METADATA,
    check_autocommit,
    check_max_backlog,
    check_no_metadata_column,
    path_text,
    sort_columns,
    source_name,
    use_debug_data,
    with_metadata_column,
)

_RECORD_FORMATS = ("csv", "json")
_PAYLOADS: dict[str, dt.DType | None] = {
    "plaintext": dt.STR,
    "plaintext_by_file": dt.STR,
    "binary": dt.BYTES,
    "only_metadata": None,
}


@dataclasses.dataclass(frozen=True)
class CsvParserSettings:
    """How CSV text is taken apart.

    Args:
        delimiter: between fields.
        quote: around fields.
        escape: before a character that has no special meaning then.
        enable_double_quote_escapes: two quotes inside of a quoted field are one.
        enable_quoting: quotes have a meaning.
        comment_character: lines that begin with it are skipped.

    >>> CsvParserSettings(delimiter=";").delimiter
    ';'
    """

    delimiter: str = ","
    quote: str = '"'
    escape: str | None = None
    enable_double_quote_escapes: bool = True
    enable_quoting: bool = True
    comment_character: str | None = None

    def __post_init__(self) -> None:
        for name in ("delimiter", "quote", "escape", "comment_character"):
            value = getattr(self, name)
            if value is not None and (not isinstance(value, str) or len(value) != 1):
                raise ValueError(f"CsvParserSettings: {name} has to be one character, found {value!r}.")


def read_files(
    path: Any,
    format: str,
    *,
    function: str,
    schema: type[Schema] | None,
    mode: str,
    csv_settings: CsvParserSettings | None,
    json_field_paths: Mapping[str, str] | None,
    object_pattern: str,
    with_metadata: bool,
    name: str | None,
    autocommit_duration_ms: int | None,
    max_backlog_size: int | None,
    debug_data: Any,
    kwargs: Mapping[str, Any],
    strict: bool = False,
) -> Table:
    """The table of the records of some files."""
    if format not in _RECORD_FORMATS and format not in _PAYLOADS:
        known = ", ".join([*_RECORD_FORMATS, *_PAYLOADS])
        raise ValueError(f"{function}(): the format {format!r} is unknown; there are {known}.")
    check_max_backlog(max_backlog_size)
    check_autocommit(autocommit_duration_ms)
    if object_pattern != "*":
        warn("object_pattern is deprecated; write the pattern into the path.", DeprecationWarning)
    if format in _RECORD_FORMATS:
        schema = _record_schema(format, schema, csv_settings, json_field_paths, with_metadata)
    else:
        given = {"schema": schema, "csv_settings": csv_settings, "json_field_paths": json_field_paths}
        for argument, value in given.items():
            if value is not None:
                raise ValueError(f"files of the format {format!r} are read without {argument}.")
        schema = _payload_schema(format)
    for column in schema.columns().values():
        if column.source_component != "payload":
            raise ValueError(
                f"column {column.name}: files have no component {column.source_component!r}; only message "
                "queues do."
            )
    fields = [column.to_field() for column in schema.columns().values()]
    settings = None if csv_settings is None else dataclasses.asdict(csv_settings)
    source = FileSource(
        path_text(path),
        format,
        [] if format == "only_metadata" else fields,
        mode=str(getattr(mode, "value", mode)),
        object_pattern=object_pattern,
        with_metadata=with_metadata and format != "only_metadata",
        csv_settings=settings,
        json_field_paths=json_field_paths,
    )
    engine = G.engine.read(
        source,
        name=source_name(name, kwargs, function, strict=strict),
        autocommit_ms=autocommit_duration_ms,
        max_backlog=max_backlog_size,
        id_dtype=schema.__pathway_id_dtype__,
        frame=current_frame(),
    )
    if with_metadata and format != "only_metadata":
        schema = with_metadata_column(schema)
    table: Table = Table(engine, schema)
    use_debug_data(table, debug_data)
    return table


def _record_schema(
    format: str,
    schema: type[Schema] | None,
    csv_settings: CsvParserSettings | None,
    json_field_paths: Mapping[str, str] | None,
    with_metadata: bool,
) -> type[Schema]:
    if schema is None:
        hint = " pw.schema_from_csv(path) makes one of a file." if format == "csv" else ""
        raise ValueError(f"schema= is missing: it tells the columns.{hint}")
    check_no_metadata_column(schema, with_metadata)
    if format == "json" and csv_settings is not None:
        raise ValueError("csv_settings make no sense for JSON.")
    if json_field_paths is not None:
        if format == "csv":
            raise ValueError("json_field_paths make no sense for CSV.")
        for column, pointer in json_field_paths.items():
            check_json_path(schema, column, pointer)
    return schema


def check_json_path(schema: type[Schema], column: str, pointer: str) -> None:
    """A JSON pointer is one, and that of a column of the schema."""
    if column == METADATA:
        raise ValueError(f"json_field_paths: {METADATA!r} is not read from the records.")
    if column not in schema.columns():
        raise ValueError(
            f"json_field_paths: the schema has no column {column!r}; its columns are "
            f"{', '.join(schema.column_names())}."
        )
    if pointer and not pointer.startswith("/"):
        raise ValueError(
            f"json_field_paths: {pointer!r}, of column {column}, is no JSON pointer: it starts "
            "without a slash."
        )


def _payload_schema(format: str) -> type[Schema]:
    dtype = _PAYLOADS[format]
    if dtype is None:
        return schema_builder({METADATA: ColumnDefinition(dtype=dt.JSON)}, name="Metadata")
    return schema_builder({"data": ColumnDefinition(dtype=dtype)}, name="Payload")


def write_file(
    table: Table,
    filename: Any,
    format: str,
    *,
    name: str | None,
    sort_by: Iterable[ColumnReference] | None,
) -> None:
    """Writes the changes of a table to a file."""
    dtypes = table._dtypes()
    sink = FileSink(path_text(filename), format, list(dtypes), list(dtypes.values()))
    register_output(table, sink, name, sort_by)


def register_output(
    table: Table, sink: Any, name: str | None, sort_by: Iterable[ColumnReference] | None
) -> None:
    """Adds a sink to those that `pw.run` computes."""
    number = G.engine.output(
        table._engine,
        sink,
        name=G.register_name(name),
        sort_by=sort_columns(table, sort_by),
        frame=current_frame(),
    )
    G.add_output(number)
