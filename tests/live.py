"""What programs that go on while a run does wait for, and what their tables hold: a stream of words, or what
a subject is told to send."""

from __future__ import annotations

import queue
import time
from collections.abc import Callable
from typing import Any

import pathway as pw

#: Seconds after which what a test waits for is missed.
PATIENCE = 60


def until(holds: Callable[[], Any]) -> None:
    """Waits until something holds."""
    end = time.monotonic() + PATIENCE
    while not holds():
        assert time.monotonic() < end, "it does not come about"
        time.sleep(0.005)


def stream() -> Any:
    """Words that come at times 2 and 4; one is changed at 6, and the other removed at 8."""
    return pw.debug.table_from_markdown("""
          | word | n | __time__ | __diff__
        1 | a    | 1 | 2        | 1
        2 | b    | 2 | 4        | 1
        1 | a    | 1 | 6        | -1
        1 | a    | 3 | 6        | 1
        2 | b    | 2 | 8        | -1
    """)


class Sender(pw.io.python.ConnectorSubject):
    """Sends what it is told to: each list of rows in a minibatch of its own."""

    def __init__(self) -> None:
        super().__init__()
        #: How often it was begun to be read.
        self.runs = 0
        self._rows: queue.SimpleQueue[list[dict[str, Any]] | BaseException | None] = queue.SimpleQueue()

    def send(self, *rows: dict[str, Any]) -> None:
        """Sends rows at one time."""
        self._rows.put(list(rows))

    def fail(self, error: Exception) -> None:
        """Raises this."""
        self._rows.put(error)

    def finish(self) -> None:
        """Sends no more."""
        self._rows.put(None)

    def run(self) -> None:
        self.runs += 1
        while True:
            try:
                rows = self._rows.get(timeout=0.05)
            except queue.Empty:
                continue
            if rows is None:
                return
            if isinstance(rows, BaseException):
                raise rows
            for row in rows:
                self.next(**row)
            self.commit()


def sent(**types: Any) -> tuple[Sender, Any]:
    """A subject, and the table of its rows."""
    subject = Sender()
    schema = pw.schema_from_types(**types)
    return subject, pw.io.python.read(subject, schema=schema, autocommit_duration_ms=20)
