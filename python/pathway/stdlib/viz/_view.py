"""What views of tables share: the rows as they are now, and when a view is drawn again."""

from __future__ import annotations

import os
import sys
import threading
import time
from collections.abc import Callable
from typing import Any

from pathway._engine import Pointer
from pathway.debug.capture import Update, capture
from pathway.internals.interactive import LiveTable
from pathway.internals.lazy_import import optional_module
from pathway.internals.table import Table
from pathway.io import subscribe

#: Seconds between two drawings of a view.
INTERVAL = 0.1
#: Seconds after a run at which what it left is drawn again in notebooks.
RECONNECT = (1.0, 5.0)


def panel(what: str) -> Any:
    """The module panel, with what notebooks need loaded, unless PATHWAY_INTERACTIVE=0."""
    module = optional_module("panel", what, "viz")
    if os.environ.get("PATHWAY_INTERACTIVE") != "0" and not getattr(module.extension, "_loaded", False):
        module.extension("tabulator")
    return module


def kind(table: Table) -> str:
    """How a view of a table comes to its rows."""
    if isinstance(table, LiveTable):
        return "Live table"
    return "Static preview" if table._engine.is_bounded else "Streaming mode"


class Rows:
    """The rows of a table, and its changes if they are wanted."""

    def __init__(self, names: list[str], changes: bool = False) -> None:
        self.names = names
        self.present: dict[Pointer, list[tuple[Any, ...]]] = {}
        self.changes: list[Update] | None = [] if changes else None

    def apply(self, change: Update) -> None:
        """Takes in a change; several rows may have one id."""
        if self.changes is not None:
            self.changes.append(change)
            return
        rows = self.present.setdefault(change.key, [])
        if change.diff > 0:
            rows.append(change.values)
            return
        text = repr(change.values)
        at = next((at for at, row in enumerate(rows) if repr(row) == text), None)
        if at is not None:
            del rows[at]
        if not rows:
            del self.present[change.key]

    def in_order(self, sorting: Callable[[dict[str, Any]], Any] | None = None) -> list[tuple[Any, ...]]:
        """Ids and cells, by a key of the cells, or by id."""
        rows = [(key, *row) for key in sorted(self.present) for row in self.present[key]]
        if sorting is not None:
            rows.sort(key=lambda row: sorting(dict(zip(self.names, row[1:], strict=True))))
        return rows


class View:
    """Draws the rows of a table: once if they come to an end by themselves, else whenever they change.

    `draw` is called by one thread at a time, no more often than the eye can follow, and once at the end.
    """

    def __init__(self, table: Table, rows: Rows, draw: Callable[[Rows], None]) -> None:
        self._rows = rows
        self._draw = draw
        self._lock = threading.Lock()
        self._timer: threading.Timer | None = None
        self._last = 0.0
        if table._engine.is_bounded:
            (captured,) = capture(table)
            for change in captured.updates:
                rows.apply(change)
            draw(rows)
        elif isinstance(table, LiveTable):
            table.subscribe(self._changed, on_time_end=self._time_ended, on_end=self._ended)
        else:
            subscribe(table, self._changed, on_end=self._ended, on_time_end=self._time_ended)

    def _changed(self, key: Pointer, row: dict[str, Any], time: int, is_addition: bool) -> None:
        with self._lock:
            self._rows.apply(Update(key, tuple(row.values()), time, 1 if is_addition else -1))

    def _time_ended(self, _time: int) -> None:
        with self._lock:
            if self._timer is not None:
                return
            wait = self._last + INTERVAL - time.monotonic()
            if wait <= 0:
                self._redraw()
            else:
                self._timer = threading.Timer(wait, self._late)
                self._timer.daemon = True
                self._timer.start()

    def _late(self) -> None:
        with self._lock:
            self._timer = None
            self._redraw()

    def _ended(self) -> None:
        with self._lock:
            if self._timer is not None:
                self._timer.cancel()
                self._timer = None
            self._redraw()
        if "ipykernel" in sys.modules:
            # A notebook whose cells are run all at once connects to its views when the last cell is over.
            for wait in RECONNECT:
                timer = threading.Timer(wait, self._late)
                timer.daemon = True
                timer.start()

    def _redraw(self) -> None:
        self._draw(self._rows)
        self._last = time.monotonic()
