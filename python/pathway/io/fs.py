"""`pw.io.fs`: files in any of the formats."""

from __future__ import annotations

import os
from collections.abc import Iterable
from typing import Any, Literal, cast

from pathway.internals.expression.column import ColumnReference
from pathway.internals.runtime_type_check import check_arg_types
from pathway.internals.schema import Schema
from pathway.internals.table import Table
from pathway.internals.trace import trace_user_frame
from pathway.io._files import CsvParserSettings, read_files, write_file

#: `static` reads what is there; `streaming` keeps watching.
Mode = Literal["streaming", "static"]
#: What the files hold.
Format = Literal["csv", "json", "plaintext", "plaintext_by_file", "binary", "only_metadata"]


@trace_user_frame
@check_arg_types
def read(
    path: str | os.PathLike[str],
    format: Format | None = None,
    *,
    schema: type[Schema] | None = None,
    mode: Mode = "streaming",
    csv_settings: CsvParserSettings | None = None,
    json_field_paths: dict[str, str] | None = None,
    object_pattern: str = "*",
    with_metadata: bool = False,
    name: str | None = None,
    autocommit_duration_ms: int | None = 1500,
    max_backlog_size: int | None = None,
    debug_data: Any = None,
    **kwargs: Any,
) -> Table:
    """Reads files.

    Args:
        path: a file, a folder (read with all below it) or a pattern.
        format: `csv` and `json` (one object per line) give the columns of the schema; `plaintext`
            (one row per line), `plaintext_by_file` and `binary` the column `data`; `only_metadata`
            just `_metadata`. By default it follows from the ending of the path.
        schema: the columns of `csv` and `json`.
        mode: `streaming` keeps watching for new, changed and deleted files; `static` reads what is there.
        csv_settings: how CSV is taken apart.
        json_field_paths: for columns the JSON pointers to their values.
        object_pattern: a pattern for file names; deprecated.
        with_metadata: adds the column `_metadata` with path, size and times of the file.
        name: a unique name, for logs and persistence.
        autocommit_duration_ms: the longest time between two commits.
        max_backlog_size: the most rows in flight.
    """
    if format is None:
        from pathway.handbook import format_of

        format = cast("Format", format_of(path, schema))
    return read_files(
        path,
        format,
        function="pw.io.fs.read",
        schema=schema,
        mode=mode,
        csv_settings=csv_settings,
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
    format: Literal["json", "csv"],
    *,
    name: str | None = None,
    sort_by: Iterable[ColumnReference] | None = None,
) -> None:
    """Writes the changes of a table to a file, with the columns `time` and `diff`.

    Args:
        table: what to write.
        filename: the file; it is created or emptied when the run starts.
        format: `json` (one object per line) or `csv`.
        name: a unique name, for logs.
        sort_by: columns of the table that order the changes of one time.

    >>> import pathway as pw
    >>> import pathlib, tempfile
    >>> t = pw.debug.table_from_markdown('''
    ... a | b
    ... 1 | x
    ... ''')
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     pw.io.fs.write(t, folder + "/t.jsonl", "json")
    ...     pw.run(monitoring_level=pw.MonitoringLevel.NONE)
    ...     print(pathlib.Path(folder, "t.jsonl").read_text(), end="")
    {"a":1,"b":"x","diff":1,"time":0}
    """
    write_file(table, filename, format, name=name, sort_by=sort_by)


__all__ = ["read", "write"]
