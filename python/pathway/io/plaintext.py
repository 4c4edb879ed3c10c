"""`pw.io.plaintext`: files as lines of text."""

from __future__ import annotations

import os
from typing import Any

from pathway.internals.runtime_type_check import check_arg_types
from pathway.internals.table import Table
from pathway.internals.trace import trace_user_frame
from pathway.io._files import read_files
from pathway.io.fs import Mode


@trace_user_frame
@check_arg_types
def read(
    path: str | os.PathLike[str],
    *,
    mode: Mode = "streaming",
    object_pattern: str = "*",
    with_metadata: bool = False,
    autocommit_duration_ms: int | None = 1500,
    name: str | None = None,
    max_backlog_size: int | None = None,
    debug_data: Any = None,
    **kwargs: Any,
) -> Table:
    """Reads the lines of files into the column `data`. Takes the arguments of `pw.io.fs.read`.

    >>> import pathway as pw
    >>> import pathlib, tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     _ = pathlib.Path(folder, "t.txt").write_text("one\\ntwo\\n")
    ...     pw.debug.compute_and_print(pw.io.plaintext.read(folder, mode="static"), include_id=False)
    data
    one
    two
    """
    return read_files(
        path,
        "plaintext",
        function="pw.io.plaintext.read",
        schema=None,
        mode=mode,
        csv_settings=None,
        json_field_paths=None,
        object_pattern=object_pattern,
        with_metadata=with_metadata,
        name=name,
        autocommit_duration_ms=autocommit_duration_ms,
        max_backlog_size=max_backlog_size,
        debug_data=debug_data,
        kwargs=kwargs,
    )


__all__ = ["read"]
