"""Tables that are computed while the program goes on, and the Python prompt that shows them."""

from __future__ import annotations

import builtins
import logging
import sys
import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from pathway._engine import CallbackSink, EngineError, SubjectSource
from pathway.internals.background import BackgroundRun
from pathway.internals.exported import Change, Frontier, Row
from pathway.internals.history import History
from pathway.internals.live_input import LiveInput
from pathway.internals.log_format import set_up_logging
from pathway.internals.monitoring import MonitoringLevel
from pathway.internals.monitoring_config import log_format
from pathway.internals.parse_graph import G
from pathway.internals.run_options import RunOptions
from pathway.internals.runtime_type_check import check_arg_types
from pathway.internals.table.table import Table, TSchema
from pathway.internals.trace import current_frame, trace_user_frame, warn

#: How often a run that follows a live table closes its minibatches, in milliseconds.
_AUTOCOMMIT_MS = 100

#: A function that is told of changes, as by `pw.io.subscribe`.
OnChange = Callable[..., Any]


@dataclass(frozen=True)
class LiveTableSnapshot:
    """The rows of a live table by all changes before a frontier, with their ids, in the order of these."""

    frontier: Frontier
    data: list[Row]

    def __str__(self) -> str:
        when = f"snapshot at time {self.frontier}" if isinstance(self.frontier, int) else "final snapshot"
        return f"{when}\n{self.data}"

    def _repr_pretty_(self, printer: Any, cycle: bool) -> None:
        printer.text(str(self))


class LiveTable(Table[TSchema]):
    """A table that is computed in the background, and can be looked at meanwhile; made by `Table.live`.

    What is computed from it takes in all changes that it had so far, at their times, and then follows it.
    """

    _history: History
    _run: BackgroundRun
    _input: LiveInput

    @classmethod
    def _begin(cls, origin: Table) -> LiveTable:
        """Starts the run that computes a table."""
        warn("live tables are an experimental feature: how they are used may change.")
        history, dtypes = History(), origin._dtypes()
        sink = CallbackSink(
            list(dtypes),
            list(dtypes.values()),
            on_change=history.on_change,
            on_time_end=history.on_time_end,
            on_end=history.on_end,
        )
        with G.scoped():
            number = G.engine.output(origin._engine, sink, frame=current_frame())
            live = cls._of(origin, history)

        def on_over(failed: bool) -> None:
            history.on_failure() if failed else history.on_end()

        name = f"the run of {live._input.name}"
        options = RunOptions(monitoring_level=MonitoringLevel.NONE)
        live._run = BackgroundRun._begin(name, [number], options, on_over=on_over)
        return live

    @classmethod
    def _of(cls, origin: Table, history: History) -> LiveTable:
        """The table of what there is in a history."""
        from pathway.io.python.reader import daemon_start

        entry = LiveInput(history, is_bounded=origin._engine.is_bounded)
        subject = _follower(entry, list(origin.keys()))
        append_only = origin.is_append_only
        source = SubjectSource(
            subject,
            [column.to_field() for column in origin.schema.columns().values()],
            session="native",
            deletions=not append_only,
            start=daemon_start(subject, subject.start, is_shared=True),
            finite=subject._is_finite,
            resume=_nothing,
            description=entry.name,
        )
        engine = G.engine.read(
            source,
            name=entry.name,
            autocommit_ms=_AUTOCOMMIT_MS,
            id_dtype=origin._engine.id_dtype,
            append_only=append_only,
            frame=current_frame(),
        )
        live = cls(engine)
        live._history, live._input = history, entry
        G.live.append(entry)
        return live

    # --- looking at it --------------------------------------------------------------------------------

    def snapshot(self) -> LiveTableSnapshot:
        """The rows as they are now."""
        return self.snapshot_at(self.frontier())

    def snapshot_at(self, frontier: Frontier) -> LiveTableSnapshot:
        """The rows by all changes before a frontier, early or late."""
        return LiveTableSnapshot(frontier, self._history.rows_at(frontier))

    def frontier(self) -> Frontier:
        """The least time at which the table may still change, as far as it has changed; DONE at the end.

        DONE is greater than every number.
        """
        return self._history.frontier()

    def failed(self) -> bool:
        """True if the computation has failed; see `background_run.exception`."""
        return self._history.failed()

    def live(self) -> LiveTable[TSchema]:
        """The table itself."""
        return self

    @trace_user_frame
    @check_arg_types
    def subscribe(
        self,
        on_change: OnChange,
        *,
        on_time_end: Callable[[int], Any] | None = None,
        on_end: Callable[[], Any] | None = None,
    ) -> None:
        """Calls functions with all changes of the table: those so far now, others as they come.

        They are called as those of `pw.io.subscribe`, one at a time, by the thread that brings what is new.
        An exception in it ends the computation.
        """
        listener = _Listener(self._history, list(self.keys()), on_change, on_time_end, on_end)
        listener.tell()
        self._history.listen(listener.tell)
        listener.tell()

    # --- its run --------------------------------------------------------------------------------------

    @property
    def background_run(self) -> BackgroundRun:
        """The run that computes the table."""
        return self._run

    def stop(self, timeout: float | None = None) -> bool:
        """Ends the computation; the table stays as it is. See [`BackgroundRun.stop`][].

        Returns:
            True if it has ended.
        """
        return self._run.stop(timeout)

    def wait(self, timeout: float | None = None) -> bool:
        """Waits until the table is complete, and raises what its computation has failed with.

        Returns:
            False if it is not after so many seconds.
        """
        return self._run.wait(timeout)

    def __str__(self) -> str:
        return str(self.snapshot())

    def _repr_pretty_(self, printer: Any, cycle: bool) -> None:
        printer.text(str(self))


def _nothing(state: bytes | None) -> None:
    """A live table does not go on where an earlier run was."""


class _Listener:
    """Functions that are told of the changes in a history, each once and in order."""

    def __init__(
        self,
        history: History,
        names: list[str],
        on_change: OnChange,
        on_time_end: Callable[[int], Any] | None,
        on_end: Callable[[], Any] | None,
    ) -> None:
        self._history = history
        self._names = names
        self._on_change = on_change
        self._on_time_end = on_time_end
        self._on_end = on_end
        self._told = 0
        self._is_over = False
        # One that looks for more while it is told finds nothing.
        self._lock = threading.RLock()

    def tell(self) -> None:
        """Tells what has not been told yet."""
        with self._lock:
            over = self._history.is_over()
            changes = self._history.changes(self._told)
            self._told += len(changes)
            for number, (time, key, values, is_addition) in enumerate(changes):
                row = dict(zip(self._names, values, strict=True))
                self._on_change(key=key, row=row, time=time, is_addition=is_addition)
                last = number + 1 == len(changes) or changes[number + 1][0] != time
                if last and self._on_time_end is not None:
                    self._on_time_end(time)
            if over and not self._is_over:
                self._is_over = True
                if self._on_end is not None and not self._history.failed():
                    self._on_end()


def _follower(entry: LiveInput, names: list[str]) -> Any:
    from pathway.io.python import ConnectorSubject

    class Follower(ConnectorSubject):
        """Sends what happens to a live table after what the run has been given."""

        def run(self) -> None:
            followed_by = entry.run
            try:
                self._follow(entry.given)
            finally:
                entry.has_sent(followed_by)
            if entry.history.failed():
                raise EngineError("computation of imported table failed")

        def _follow(self, position: int) -> None:
            while changes := entry.history.wait_for_more(position):
                position += len(changes)
                for same_time in _by_time(changes):
                    self._disable_commits()
                    for _, key, values, is_addition in same_time:
                        send = self._add_inner if is_addition else self._remove_inner
                        send(key, dict(zip(names, values, strict=True)))
                    self._enable_commits()
                    self.commit()

    return Follower(entry.name)


def _by_time(changes: list[Change]) -> list[list[Change]]:
    groups: list[list[Change]] = []
    for change in changes:
        if not groups or groups[-1][0][0] != change[0]:
            groups.append([])
        groups[-1].append(change)
    return groups


class InteractiveModeController:
    """Makes the Python prompt print live tables and their snapshots by their text."""

    def __init__(self) -> None:
        self._orig_displayhook = sys.displayhook
        sys.displayhook = self._displayhook

    def _displayhook(self, value: object) -> None:
        if isinstance(value, (LiveTable, LiveTableSnapshot)):
            builtins._ = value  # type: ignore[attr-defined]
            print(str(value))
        else:
            self._orig_displayhook(value)

    @staticmethod
    def background_runs() -> list[BackgroundRun]:
        """The runs that go on."""
        return BackgroundRun.going_on()


_controller: InteractiveModeController | None = None


@trace_user_frame
def enable_interactive_mode() -> InteractiveModeController:
    """Lets the Python prompt print live tables by their rows, and logs what runs have to say.

    Returns:
        What controls it: the same each time.

    Raises:
        ValueError: at the first call, if there are tables already.
    """
    global _controller
    warn("interactive mode is experimental: how it is used may change.")
    if _controller is None:
        if not G.is_empty():
            raise ValueError(
                "Cannot enable interactive mode: there are tables already. Call it before they are made."
            )
        set_up_logging(log_format())
        root = logging.getLogger()
        if root.level == logging.NOTSET or root.level > logging.INFO:
            root.setLevel(logging.INFO)
        _controller = InteractiveModeController()
    return _controller


def live(table: Table) -> LiveTable:
    """See `Table.live`."""
    return LiveTable._begin(table)
