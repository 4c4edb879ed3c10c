"""Tables and update streams as text, byte for byte as programs expect it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from pathway._engine import Pointer
from pathway.debug.capture import Captured
from pathway.internals.json import Json

_SHORT = 8


def snapshot_text(
    captured: Captured, *, include_id: bool, short_pointers: bool, n_rows: int | None
) -> list[str]:
    """The lines that show the final state of a table."""
    rows = [(key, values) for key, values in captured.final_state().items()]
    rows = _sorted(rows, lambda row: (*_comparable(row[1]), row[0]))
    names = list(captured.table.column_names())
    return _lines(names, rows[:n_rows], include_id, short_pointers)


def stream_text(
    captured: Captured, *, include_id: bool, short_pointers: bool, n_rows: int | None
) -> list[str]:
    """The lines that show all changes of a table."""
    updates = _sorted(
        captured.updates, lambda update: (update[2], update[3], *_comparable(update[1]), update[0])
    )
    rows = [(key, (*values, time, diff)) for key, values, time, diff in updates]
    names = [*captured.table.column_names(), "__time__", "__diff__"]
    return _lines(names, rows[:n_rows], include_id, short_pointers)


def _sorted(rows: list[Any], key: Callable[[Any], Any]) -> list[Any]:
    """Sorted by values; rows whose values cannot be compared stay in the order of their ids."""
    try:
        return sorted(rows, key=key)
    except (TypeError, ValueError):
        return rows


def _comparable(values: Sequence[Any]) -> tuple[tuple[bool, Any], ...]:
    return tuple(
        (value is not None, str(value) if isinstance(value, (dict, Json)) else value) for value in values
    )


def _lines(
    names: list[str], rows: list[tuple[Pointer, tuple[Any, ...]]], include_id: bool, short_pointers: bool
) -> list[str]:
    none = "None" if len(names) == 1 and not include_id else ""

    def text(value: Any) -> str:
        if value is None:
            return none
        if isinstance(value, Pointer):
            pointer = str(value)
            return pointer[:_SHORT] + "..." if short_pointers and len(pointer) > _SHORT else pointer
        return str(value)

    header = list(names)
    cells = [[text(value) for value in values] for _, values in rows]
    if include_id:
        header.insert(0, "" if names else "id")
        for row, (key, _) in zip(cells, rows, strict=True):
            row.insert(0, text(key))
    if not header:
        return []
    table = [header, *cells]
    widths = [max(len(row[i]) for row in table) for i in range(len(header))]
    widths[-1] = 0
    return [
        " | ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in table
    ]
