"""Following a run time by time: `pw.debug.step`."""

from __future__ import annotations

import queue
import threading
import time as clock
from collections.abc import Iterator
from types import TracebackType
from typing import Any, NamedTuple

from pathway._engine import CallbackSink, Pointer
from pathway.debug.capture import Update
from pathway.debug.options import debug_options
from pathway.internals.background import BackgroundRun
from pathway.internals.parse_graph import G
from pathway.internals.runtime_type_check import check_arg_types
from pathway.internals.table import Table
from pathway.internals.trace import current_frame, trace_user_frame

#: How often whoever waits looks whether the run is over, in seconds.
_PATIENCE = 0.05


class Step(NamedTuple):
    """What happens to a table at one time: removals first, then what is added, both by id."""

    time: int
    changes: list[Update]


class SteppedRun:
    """A run that waits after each time at which the table changes; made by [`step`][]."""

    def __init__(self, table: Table, **kwargs: Any) -> None:
        self._options = debug_options(**kwargs)
        self._table = table
        self._changes: list[Update] = []
        self._steps: queue.SimpleQueue[Step] = queue.SimpleQueue()
        #: Released once for each time that the run may go on from.
        self._permits = threading.Semaphore(0)
        self._waits = False
        self._closed = False
        self._run: BackgroundRun | None = None

    def __enter__(self) -> SteppedRun:
        if self._run is not None:
            raise RuntimeError("a run is stepped through once: call pw.debug.step() for another one.")
        dtypes = self._table._dtypes()
        sink = CallbackSink(
            list(dtypes),
            list(dtypes.values()),
            on_change=self._on_change,
            on_time_end=self._on_time_end,
            on_end=None,
            skip_pending=False,
        )
        engine = self._table._engine
        with G.scoped():
            number = G.engine.output(engine, sink, keep_errors=True, frame=current_frame())
        self._run = BackgroundRun._begin("the stepped run", [number], self._options)
        return self

    def next(self, timeout: float | None = None) -> Step | None:
        """Lets the run go on until the table has changed, and has all changes of that time.

        Args:
            timeout: the most seconds to wait.

        Returns:
            The time and the changes; None if the run has ended without another change.

        Raises:
            TimeoutError: the table has not changed in that time. The run goes on, and may be asked again.
        """
        if self._run is None:
            raise RuntimeError("the run has not begun: write `with pw.debug.step(table) as run:`.")
        if self._waits:
            self._waits = False
            self._permits.release()
        end = None if timeout is None else clock.monotonic() + timeout
        while True:
            over = self._run.is_over()
            try:
                step = self._steps.get(timeout=0 if over else _PATIENCE)
            except queue.Empty:
                if over:
                    # Raises what it has failed with.
                    self._run.wait()
                    return None
                if end is not None and clock.monotonic() >= end:
                    raise TimeoutError(f"the table has not changed for {timeout} seconds.") from None
                continue
            self._waits = True
            return step

    def __iter__(self) -> Iterator[Step]:
        """All steps that are left."""
        while (step := self.next()) is not None:
            yield step

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """Stops the run."""
        self._closed = True
        self._permits.release()
        if self._run is not None:
            self._run.stop()

    def _on_change(self, key: Pointer, row: dict[str, Any], time: int, is_addition: bool) -> None:
        self._changes.append(Update(key, tuple(row.values()), time, 1 if is_addition else -1))

    def _on_time_end(self, time: int) -> None:
        if self._closed:
            return
        changes, self._changes = self._changes, []
        changes.sort(key=lambda change: (change.diff, int(change.key)))
        self._steps.put(Step(time, changes))
        self._permits.acquire()


@trace_user_frame
@check_arg_types
def step(table: Table, **kwargs: Any) -> SteppedRun:
    """A run that can be followed time by time, in tests and to understand a program.

    In the block of a `with` statement, `next()` lets it go on to the next time at which the table changes.
    There the output waits until it is asked for more; what comes before it may have worked ahead, as far as
    rows have been read. At the end of the block the run is stopped.

    Args:
        table: the table whose changes are told; what it needs is computed.
        kwargs: options of the run, as for [`compute_and_print`][].

    >>> import pathway as pw
    >>> t = pw.debug.table_from_markdown('''
    ...   | a | __time__ | __diff__
    ... 1 | 1 | 2        | 1
    ... 2 | 5 | 4        | 1
    ... 1 | 1 | 6        | -1
    ... ''')
    >>> total = t.reduce(total=pw.reducers.sum(t.a))
    >>> with pw.debug.step(total) as run:
    ...     time, changes = run.next()
    ...     print(time, [(change.values, change.diff) for change in changes])
    ...     for time, changes in run:
    ...         print(time, [(change.values, change.diff) for change in changes])
    2 [((1,), 1)]
    4 [((1,), -1), ((6,), 1)]
    6 [((6,), -1), ((5,), 1)]
    """
    return SteppedRun(table, **kwargs)
