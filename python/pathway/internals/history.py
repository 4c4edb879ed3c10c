"""All that has happened to a table in a run, for those who look at it and those who go on from it."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

from pathway._engine import Pointer
from pathway.internals.exported import DONE, Change, Frontier, Row, Rows, add_up, in_order

#: Seconds after which whoever waits looks whether it has been called back.
PATIENCE = 0.05


class History:
    """The changes of a table, in the order of times. Takes as much memory as they do.

    Written by one run, read by any thread. Nobody sees a part of a time.
    """

    def __init__(self) -> None:
        self._condition = threading.Condition()
        self._changes: list[Change] = []
        #: How many of these are of times that are complete.
        self._complete = 0
        self._frontier: Frontier = 0
        self._failed = False
        self._over = False
        self._listeners: list[Callable[[], None]] = []

    # --- what the run tells -------------------------------------------------------------------------

    def on_change(self, key: Pointer, row: dict[str, Any], time: int, is_addition: bool) -> None:
        """A change of the table."""
        if not self._over:
            self._changes.append((time, key, list(row.values()), is_addition))

    def on_time_end(self, time: int) -> None:
        """All changes of a time have been told."""
        with self._condition:
            if self._over:
                return
            self._complete = len(self._changes)
            self._frontier = time + 1
        self._tell()

    def on_end(self) -> None:
        """The table changes no more."""
        self._end(failed=False)

    def on_failure(self) -> None:
        """The run has failed."""
        self._end(failed=True)

    def _end(self, *, failed: bool) -> None:
        with self._condition:
            if self._over:
                return
            self._over, self._failed = True, failed
            if not failed:
                self._frontier = DONE
        self._tell()

    def _tell(self) -> None:
        with self._condition:
            self._condition.notify_all()
            listeners = list(self._listeners)
        for listener in listeners:
            listener()

    # --- what others see ----------------------------------------------------------------------------

    def frontier(self) -> Frontier:
        """The least time that may still change, as far as the table has changed; DONE at the end."""
        with self._condition:
            return self._frontier

    def failed(self) -> bool:
        """True if the run has failed."""
        with self._condition:
            return self._failed

    def is_over(self) -> bool:
        """True if nothing more comes."""
        with self._condition:
            return self._over

    def rows_at(self, frontier: Frontier) -> list[Row]:
        """The rows by all changes before a frontier, by id."""
        rows: Rows = {}
        add_up(rows, self.changes(), frontier)
        return in_order(rows)

    def changes(self, begin: int = 0) -> list[Change]:
        """The changes from the one with this number on."""
        with self._condition:
            return self._changes[begin : self._complete]

    def listen(self, listener: Callable[[], None]) -> None:
        """Calls a function whenever there is something new, in the thread that brings it."""
        with self._condition:
            self._listeners.append(listener)

    def wait_for_more(self, begin: int) -> list[Change]:
        """The changes from the one with this number on, when there are some; none if nothing more comes."""
        with self._condition:
            while self._complete <= begin and not self._over:
                self._condition.wait(PATIENCE)
            return self._changes[begin : self._complete]

    def wait_for_end(self) -> None:
        """Waits until nothing more comes."""
        with self._condition:
            while not self._over:
                self._condition.wait(PATIENCE)
