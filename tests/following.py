"""Following a stream step by step."""

from __future__ import annotations

import _thread
import threading
from collections.abc import Callable
from typing import Any

import pytest

import pathway as pw

Row = tuple[Any, ...]
#: What is done, and the rows that are there after it.
Step = tuple[Callable[[], None], list[Row]]


class Done(Exception):
    """Raised in a callback to end a run that would go on for ever."""


class Followed:
    """The rows of a table in runs that go on with one another, and the changes of the last one."""

    def __init__(self) -> None:
        self._rows: dict[Any, Row] = {}
        self._is_gone_on_with = False
        self.changes: list[tuple[Row, bool]] = []

    def rows(self) -> list[Row]:
        """The rows, in order."""
        return sorted(self._rows.values())

    def _on_change(self, key: Any, row: dict[str, Any], time: int, is_addition: bool) -> None:
        values = tuple(row.values())
        self.changes.append((values, is_addition))
        if self._is_gone_on_with:
            # Changes since the last checkpoint may come again.
            if is_addition:
                self._rows[key] = values
            elif self._rows.get(key) == values:
                del self._rows[key]
        elif is_addition:
            assert self._rows.setdefault(key, values) == values, f"{key} has a row already"
        else:
            assert self._rows.pop(key) == values, f"{key} has another row"

    def run(self, table: pw.Table[Any], steps: list[Step], **options: Any) -> None:
        """Makes one step after another, each as soon as the rows are those expected after the one before.

        An exception of the run is raised.
        """
        pending = list(steps)
        self.changes.clear()
        late = threading.Timer(60, _thread.interrupt_main)
        late.start()

        def on_time_end(time: int) -> None:
            if self.rows() == pending[0][1]:
                pending.pop(0)
                if not pending:
                    raise Done
                pending[0][0]()

        pending[0][0]()
        pw.io.subscribe(table, self._on_change, on_time_end=on_time_end)
        try:
            pw.run(monitoring_level=pw.MonitoringLevel.NONE, **options)
            pytest.fail(f"the run has ended with the rows {self.rows()}, expected {pending[0][1]}")
        except Done:
            pass
        except KeyboardInterrupt:
            pytest.fail(f"after a minute the rows are {self.rows()}, expected {pending[0][1]}")
        finally:
            late.cancel()
        self._is_gone_on_with = True


def follow(table: pw.Table[Any], steps: list[Step], **options: Any) -> None:
    """As `Followed.run`, in one run."""
    Followed().run(table, steps, **options)


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
