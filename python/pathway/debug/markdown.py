"""Tables written as text: a header line, then one line per row."""

from __future__ import annotations

import math
import re
from typing import Any

from pathway._engine import DType
from pathway.debug.static_data import StaticData

_NULLS = frozenset(("", "None", "NaN", "nan", "NA", "NULL"))
_BOOLS = {"True": True, "TRUE": True, "true": True, "False": False, "FALSE": False, "false": False}
_INTEGER = re.compile(r"[+-]?[0-9]+")
_DASHES = re.compile(r"(\s*:?-+:?\s*\|)*\s*:?-+:?\s*")
_ANY_SEPARATOR = re.compile(r"\s*\|\s*|\s+")
_INT64 = range(-(2**63), 2**63)


def parse_markdown(text: str, *, split_on_whitespace: bool) -> StaticData:
    """Header and cells of a table in text form, with the types that the cells suggest."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    if not lines:
        raise ValueError("the text has no header line, so it describes no table")
    header, *rows = [_cells(line, split_on_whitespace) for line in _plain(lines)]
    extra = max([0, *(len(row) - len(header) for row in rows)])
    label_at = next((i for i, name in enumerate(header) if name in ("", "id")), None)
    labels: list[Any] | None = None
    if extra:
        labels = _joined_labels([row[:extra] for row in rows])
        rows = [row[extra:] for row in rows]
        if label_at is not None:
            del header[label_at]
            rows = [row[:label_at] + row[label_at + 1 :] for row in rows]
    elif label_at is not None:
        del header[label_at]
        labels = infer_labels([row[label_at] if label_at < len(row) else "" for row in rows])
        rows = [row[:label_at] + row[label_at + 1 :] for row in rows]
    columns: dict[str, list[Any]] = {}
    dtypes: dict[str, DType] = {}
    for position, name in enumerate(_distinct(header)):
        cells = [row[position] if position < len(row) else "" for row in rows]
        columns[name], dtypes[name] = infer_cells(cells)
    return StaticData(columns, dtypes, labels, len(rows))


def _cells(line: str, split_on_whitespace: bool) -> list[str]:
    if split_on_whitespace:
        return _ANY_SEPARATOR.split(line)
    return [cell.strip() for cell in line.split("|")]


def _plain(lines: list[str]) -> list[str]:
    """The lines without what only makes them Markdown: outer pipes, and dashes below the header."""
    if all(len(line) > 1 and line.startswith("|") and line.endswith("|") for line in lines):
        lines = [line[1:-1].strip() for line in lines]
    if len(lines) > 1 and "---" in lines[1] and _DASHES.fullmatch(lines[1]):
        return [lines[0], *lines[2:]]
    return lines


def _joined_labels(cells: list[list[str]]) -> list[Any]:
    """The labels of rows whose first cells, beyond the header, make them up: one value, or a tuple."""
    columns = [infer_labels([row[i] if i < len(row) else "" for row in cells]) for i in range(len(cells[0]))]
    return columns[0] if len(columns) == 1 else list(zip(*columns, strict=True))


def _distinct(names: list[str]) -> list[str]:
    seen: dict[str, int] = {}
    result = []
    for name in names:
        number = seen.get(name, 0)
        seen[name] = number + 1
        result.append(name if number == 0 else f"{name}.{number}")
    return result


def infer_cells(cells: list[str]) -> tuple[list[Any], DType]:
    """Values and dtype of a column of texts.

    >>> infer_cells(["1", "", "3"])
    ([1, None, 3], Optional(INT))
    >>> infer_cells(["1", "x"])
    (['1', 'x'], STR)
    """
    if not cells:
        return [], DType.ANY
    known = [cell for cell in cells if cell not in _NULLS]
    if not known:
        return [None] * len(cells), DType.NONE
    values, dtype = _infer_known(known)
    if len(known) == len(cells):
        return values, dtype
    remaining = iter(values)
    return [None if cell in _NULLS else next(remaining) for cell in cells], DType.optional(dtype)


def infer_labels(cells: list[str]) -> list[Any]:
    """The labels of rows: numbers that are not written as integers stay floats, missing ones are nan.

    >>> infer_labels(["1", "2"]), infer_labels(["1.0", "2"]), infer_labels(["", "x"])
    ([1, 2], [1.0, 2.0], [nan, 'x'])
    """
    labels, dtype = infer_cells(cells)
    known = [cell for cell in cells if cell not in _NULLS]
    if known and all(type(label) is int for label in labels if label is not None):
        floats = len(known) < len(cells) or not all(map(_INTEGER.fullmatch, known))
        labels = [label if label is None or not floats else float(label) for label in labels]
    return labels if dtype.kind != "optional" else [math.nan if label is None else label for label in labels]


def _infer_known(cells: list[str]) -> tuple[list[Any], DType]:
    if all(map(_INTEGER.fullmatch, cells)):
        integers = list(map(int, cells))
        return (integers, DType.INT) if all(i in _INT64 for i in integers) else (list(cells), DType.STR)
    if all(cell in _BOOLS for cell in cells):
        return [_BOOLS[cell] for cell in cells], DType.BOOL
    try:
        floats = [float(cell) for cell in cells if cell.isascii() and "_" not in cell]
    except ValueError:
        return list(cells), DType.STR
    if len(floats) < len(cells):
        return list(cells), DType.STR
    if all(number.is_integer() and int(number) in _INT64 for number in floats):
        return list(map(int, floats)), DType.INT
    return list(floats), DType.FLOAT
