"""`pw.io.csv`: CSV files."""

from __future__ import annotations

import os
from collections.abc import Iterable
from typing import Any

from pathway.internals.expression.column import ColumnReference
from pathway.internals.runtime_type_check import check_arg_types
from pathway.internals.schema import Schema
from pathway.internals.table import Table
from pathway.internals.trace import trace_user_frame, warn
from pathway.io._files import CsvParserSettings, read_files, write_file
from pathway.io.fs import Mode

_IGNORED = ("poll_new_objects", "value_columns", "primary_key", "id_columns", "types", "default_values")


@trace_user_frame
@check_arg_types
def read(
    path: str | os.PathLike[str],
    *,
    schema: type[Schema] | None = None,
    csv_settings: CsvParserSettings | None = None,
    mode: Mode = "streaming",
    object_pattern: str = "*",
    with_metadata: bool = False,
    autocommit_duration_ms: int | None = 1500,
    name: str | None = None,
    max_backlog_size: int | None = None,
    debug_data: Any = None,
    **kwargs: Any,
) -> Table:
    """Reads CSV files with header lines. Takes the arguments of `pw.io.fs.read`.

    >>> import pathway as pw
    >>> import pathlib, tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     _ = pathlib.Path(folder, "t.csv").write_text("a,b\\n1,x\\n2,y\\n")
    ...     t = pw.io.csv.read(folder, schema=pw.schema_from_types(a=int, b=str), mode="static")
    ...     pw.debug.compute_and_print(t, include_id=False)
    a | b
    1 | x
    2 | y
    """
    for argument in _IGNORED:
        if argument in kwargs:
            del kwargs[argument]
            warn(f"pw.io.csv.read(): {argument} is deprecated and has no effect.", DeprecationWarning)
    return read_files(
        path,
        "csv",
        function="pw.io.csv.read",
        schema=schema,
        mode=mode,
        csv_settings=csv_settings,
        json_field_paths=None,
        object_pattern=object_pattern,
        with_metadata=with_metadata,
        name=name,
        autocommit_duration_ms=autocommit_duration_ms,
        max_backlog_size=max_backlog_size,
        debug_data=debug_data,
        kwargs=kwargs,
        strict=True,
    )


@trace_user_frame
@check_arg_types
def write(
    table: Table,
    filename: str | os.PathLike[str],
    *,
    name: str | None = None,
    sort_by: Iterable[ColumnReference] | None = None,
) -> None:
    """Writes the changes of a table to a CSV file. Takes the arguments of `pw.io.fs.write`."""
    write_file(table, filename, "csv", name=name, sort_by=sort_by)


__all__ = ["CsvParserSettings", "read", "write"]
