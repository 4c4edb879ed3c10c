"""A schema from the header and the cells of a CSV file."""

from __future__ import annotations

import csv
import os
from collections.abc import Callable, Iterator
from typing import Any

from pathway.internals import dtype as dt
from pathway.internals.schema.build import schema_builder
from pathway.internals.schema.column import ColumnDefinition, SchemaProperties
from pathway.internals.schema.schema import Schema
from pathway.internals.trace import trace_user_frame


@trace_user_frame
def schema_from_csv(
    path: str | os.PathLike[str],
    *,
    name: str | None = None,
    properties: SchemaProperties = SchemaProperties(),  # noqa: B008 (immutable)
    delimiter: str = ",",
    quote: str = '"',
    comment_character: str | None = None,
    escape: str | None = None,
    double_quote_escapes: bool = True,
    num_parsed_rows: int | None = None,
) -> type[Schema]:
    """A schema whose columns are those of a CSV file, with types that fit its first rows.

    Args:
        path: the file.
        num_parsed_rows: how many rows to look at; all of them by default.
    """
    with open(path, encoding="utf-8-sig", newline="") as file:
        lines = file if comment_character is None else _without_comments(file, comment_character)
        reader = csv.reader(
            lines,
            delimiter=delimiter,
            quotechar=quote,
            escapechar=escape,
            doublequote=double_quote_escapes,
        )
        header = next((row for row in reader if row), None)
        if header is None:
            raise ValueError(f"cannot make a schema of {os.fspath(path)!r}: the CSV file is empty")
        columns: list[list[str]] = [[] for _ in header]
        parsed = 0
        for row in reader:
            if parsed == num_parsed_rows:
                break
            if not row:
                continue
            parsed += 1
            for cells, cell in zip(columns, row, strict=False):
                cells.append(cell)
    definitions = {
        column: ColumnDefinition(dtype=_dtype_of_cells(cells))
        for column, cells in zip(header, columns, strict=True)
    }
    return schema_builder(definitions, name=name, properties=properties)


def _without_comments(lines: Any, character: str) -> Iterator[str]:
    return (line for line in lines if not line.lstrip().startswith(character))


def _dtype_of_cells(cells: list[str]) -> dt.DType:
    if not cells:
        return dt.ANY
    if _all_parse(cells, int):
        return dt.INT
    return dt.FLOAT if _all_parse(cells, float) else dt.STR


def _all_parse(cells: list[str], parse: Callable[[str], Any]) -> bool:
    try:
        for cell in cells:
            parse(cell)
    except ValueError:
        return False
    return True
