"""What tables hold, for tests: runs the program and gives rows, values or changes in a form to compare."""

from __future__ import annotations

from typing import Any

import pathway as pw


def by_id(table: pw.Table, **options: Any) -> dict[Any, tuple[Any, ...]]:
    """The cells of each row, by its id."""
    ids, columns = pw.debug.table_to_dicts(table, **options)
    names = table.column_names()
    return {row_id: tuple(columns[name][row_id] for name in names) for row_id in ids}


def rows(table: pw.Table, **options: Any) -> list[tuple[Any, ...]]:
    """The rows, in the order of their text."""
    return sorted(by_id(table, **options).values(), key=str)


def values(table: pw.Table, **options: Any) -> list[Any]:
    """The cells of a table of one column, in the order of their text."""
    return [value for (value,) in rows(table, **options)]


def updates(table: pw.Table) -> list[tuple[dict[str, Any], int, bool]]:
    """What a subscriber is told, in order: the row, the time, and whether the row is added."""
    found: list[tuple[dict[str, Any], int, bool]] = []
    pw.io.subscribe(
        table, on_change=lambda key, row, time, is_addition: found.append((row, time, is_addition))
    )
    pw.run(monitoring_level=pw.MonitoringLevel.NONE)
    return found
