"""Following a stream step by step."""

from __future__ import annotations

import _thread
import threading
from collections.abc import Callable
from typing import Any

import pytest

import pathway as pw

Row = tuple[Any, ...]


class Done(Exception):
    """Raised in a callback to end a run that would go on for ever."""


def follow(table: pw.Table[Any], steps: list[tuple[Callable[[], None], list[Row]]], **options: Any) -> None:
    """Makes one step after another, each as soon as the rows are those expected after the one before."""
    rows: list[Row] = []
    pending = list(steps)
    late = threading.Timer(60, _thread.interrupt_main)
    late.start()

    def on_change(key: Any, row: dict[str, Any], time: int, is_addition: bool) -> None:
        (rows.append if is_addition else rows.remove)(tuple(row.values()))

    def on_time_end(time: int) -> None:
        if sorted(rows) == pending[0][1]:
            pending.pop(0)
            if not pending:
                raise Done
            pending[0][0]()

    pending[0][0]()
    pw.io.subscribe(table, on_change, on_time_end=on_time_end)
    try:
        with pytest.raises(Done):
            pw.run(monitoring_level=pw.MonitoringLevel.NONE, **options)
    except KeyboardInterrupt:
        pytest.fail(f"after a minute the rows are {sorted(rows)}, expected {pending[0][1]}")
    finally:
        late.cancel()


def rows_of(table: pw.Table[Any]) -> list[Row]:
    """The rows of a table of static sources, in order."""
    rows: list[Row] = []

    def on_change(key: Any, row: dict[str, Any], time: int, is_addition: bool) -> None:
        assert is_addition
        rows.append(tuple(row.values()))

    pw.io.subscribe(table, on_change)
    pw.run(monitoring_level=pw.MonitoringLevel.NONE)
    pw.internals.parse_graph.G.clear()
    return sorted(rows, key=repr)
