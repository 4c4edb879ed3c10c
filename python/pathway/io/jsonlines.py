"""`pw.io.jsonlines`: files with one JSON object per line."""

from __future__ import annotations

import os
from collections.abc import Iterable
from typing import Any

from pathway.internals.expression.column import ColumnReference
from pathway.internals.runtime_type_check import check_arg_types
from pathway.internals.schema import Schema
from pathway.internals.table import Table
from pathway.internals.trace import trace_user_frame
from pathway.io._files import read_files, write_file
from pathway.io.fs import Mode


@trace_user_frame
@check_arg_types
def read(
    path: str | os.PathLike[str],
    *,
    schema: type[Schema] | None = None,
    mode: Mode = "streaming",
    json_field_paths: dict[str, str] | None = None,
    object_pattern: str = "*",
    with_metadata: bool = False,
    autocommit_duration_ms: int | None = 1500,
    name: str | None = None,
    max_backlog_size: int | None = None,
    debug_data: Any = None,
    **kwargs: Any,
) -> Table:
    """Reads files with one JSON object per line. Takes the arguments of `pw.io.fs.read`."""
    return read_files(
        path,
        "json",
        function="pw.io.jsonlines.read",
        schema=schema,
        mode=mode,
        csv_settings=None,
        json_field_paths=json_field_paths,
        object_pattern=object_pattern,
        with_metadata=with_metadata,
        name=name,
        autocommit_duration_ms=autocommit_duration_ms,
        max_backlog_size=max_backlog_size,
        debug_data=debug_data,
        kwargs=kwargs,
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
    """Writes the changes of a table as JSON objects, one per line.

    Takes the arguments of `pw.io.fs.write`.
    """
    write_file(table, filename, "json", name=name, sort_by=sort_by)


__all__ = ["read", "write"]
