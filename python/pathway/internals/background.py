"""Runs in the background: the program goes on, and the run can be stopped."""

from __future__ import annotations

import atexit
import functools
import logging
import os
import threading
import time
from collections.abc import Callable, Sequence
from types import TracebackType

from pathway._engine import RunHandle, StopRequested
from pathway.internals.parse_graph import G
from pathway.internals.run import compute, prepare, with_taps
from pathway.internals.run_options import RunOptions, arguments_of
from pathway.internals.runtime_type_check import check_arg_types
from pathway.internals.trace import trace_user_frame

_LOGGER = logging.getLogger("pathway_engine.run")

#: Seconds that the end of the program waits for runs that it stops.
FAREWELL = 5.0
#: How often whoever waits looks for signals, in seconds.
_SIGNALS = 0.1

_lock = threading.Lock()
_active: list[BackgroundRun] = []


class BackgroundRun:
    """A run that goes on while the program does; see [`run_in_background`][]."""

    def __init__(
        self, name: str, handle: RunHandle, work: Callable[[], None], on_over: Callable[[bool], None]
    ) -> None:
        self._name = name
        self._handle = handle
        self._work = work
        self._on_over = on_over
        self._over = threading.Event()
        self._exception: BaseException | None = None
        self._stopped = False
        self._thread = threading.Thread(target=self._main, name=f"pathway:{name}", daemon=True)

    @classmethod
    def _begin(
        cls,
        name: str,
        outputs: Sequence[int],
        options: RunOptions,
        *,
        on_over: Callable[[bool], None] = lambda failed: None,
    ) -> BackgroundRun:
        """Starts a run of outputs; returns when it has begun.

        `on_over` is told whether the run has failed.
        """
        check_one_process(name)
        prepare(options)
        handle = RunHandle()
        numbers = with_taps(outputs, options)
        work = functools.partial(compute, numbers, options, in_background=True, handle=handle)
        run = cls(name, handle, work, on_over)
        with _lock:
            _active.append(run)
        run._thread.start()
        while not (handle.has_begun(_SIGNALS) or run._over.is_set()):
            pass
        if run._exception is not None and not handle.has_begun():
            raise run._exception
        return run

    def _main(self) -> None:
        try:
            self._work()
        except StopRequested:
            self._stopped = True
        except BaseException as error:
            self._exception = error
            if self._handle.has_begun():
                _LOGGER.error("%s has failed", self._name, exc_info=error)
        finally:
            self._on_over(self._exception is not None)
            with _lock:
                _active.remove(self)
            self._over.set()

    @staticmethod
    def going_on() -> list[BackgroundRun]:
        """The runs in the background that have not ended, also those of live tables."""
        with _lock:
            return list(_active)

    @property
    def exception(self) -> BaseException | None:
        """What the run has failed with."""
        return self._exception

    def failed(self) -> bool:
        """True if the run has failed."""
        return self._exception is not None

    def is_over(self) -> bool:
        """True if the run has ended: with its inputs, by a failure, or because it was stopped."""
        return self._over.is_set()

    def stop(self, timeout: float | None = None) -> bool:
        """Ends the run: its sources stop, and what they have read is computed first, for 8 seconds at most.
        Outputs are not told that it has ended.

        A function of the run that does not return holds its end up. Code that the run calls itself, such as a
        function that is told of changes, uses `stop(timeout=0)`: the run does not end before it returns.

        Args:
            timeout: the most seconds to wait for the end.

        Returns:
            True if the run is over.
        """
        self._handle.stop()
        return self._wait(timeout)

    def wait(self, timeout: float | None = None) -> bool:
        """Waits for the end of the run, and raises what it has failed with.

        Args:
            timeout: the most seconds to wait.

        Returns:
            True if the run is over.
        """
        over = self._wait(timeout)
        if over and self._exception is not None:
            raise self._exception
        return over

    def _wait(self, timeout: float | None) -> bool:
        end = None if timeout is None else time.monotonic() + timeout
        while not self._over.is_set():
            left = _SIGNALS if end is None else end - time.monotonic()
            if left <= 0:
                return False
            self._over.wait(min(left, _SIGNALS))
        return True

    def __enter__(self) -> BackgroundRun:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """Stops the run."""
        self.stop()

    def __repr__(self) -> str:
        if not self.is_over():
            state = "goes on"
        elif self._exception is not None:
            state = f"has failed with {self._exception!r}"
        else:
            state = "was stopped" if self._stopped else "has ended"
        return f"<pathway.BackgroundRun: {self._name} {state}>"


def check_one_process(name: str) -> None:
    """NotImplementedError if this is one of several processes of a program."""
    if os.environ.get("PATHWAY_PROCESSES", "1") not in ("", "1"):
        raise NotImplementedError(
            f"{name} has to be in a program of one process, with any number of workers; this one has "
            f"PATHWAY_PROCESSES={os.environ['PATHWAY_PROCESSES']}. Use pw.run() in programs of several."
        )


@trace_user_frame
@check_arg_types
@arguments_of(RunOptions)
def run_in_background(options: RunOptions) -> BackgroundRun:
    """Computes all outputs registered so far while the program goes on, as in a notebook.

    It returns when the run has begun, and raises what it cannot begin for. A run that fails later is logged.
    The program ends its runs when it ends. Takes the arguments of [`run`][].

    Returns:
        The run, which can be waited for and stopped. As a context manager it is stopped at the end.

    >>> import pathway as pw
    >>> t = pw.debug.table_from_markdown('''
    ... a
    ... 1
    ... ''')
    >>> rows = []
    >>> pw.io.subscribe(t, on_change=lambda key, row, time, is_addition: rows.append(row))
    >>> run = pw.run_in_background(monitoring_level=pw.MonitoringLevel.NONE)
    >>> run.wait(), rows
    (True, [{'a': 1}])
    >>> run
    <pathway.BackgroundRun: the run in the background has ended>
    """
    options.leave_terminal()
    return BackgroundRun._begin("the run in the background", G.outputs, options)


def _stop_all() -> None:
    """At the end of the program: a run must not go on in an interpreter that is gone."""
    runs = BackgroundRun.going_on()
    for run in runs:
        run.stop(timeout=0)
    end = time.monotonic() + FAREWELL
    for run in runs:
        run._wait(max(0.0, end - time.monotonic()))


atexit.register(_stop_all)
