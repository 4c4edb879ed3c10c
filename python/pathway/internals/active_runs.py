"""The runs that go on in this process, and the threads in which subjects of theirs send rows.

The code of a subject may still run when its run has ended, as after Ctrl-C. It is called back then: what it
sends later would come to the next run that reads the subject.
"""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from pathway._engine import RunHandle

#: Seconds that code of a subject may go on after its run, before another run with the subject gives up.
PATIENCE = 10.0

_lock = threading.Lock()


class _RunIsOver(BaseException):
    """Leaves the code of a subject whose run has ended."""


class ActiveRun:
    """A run that goes on."""

    def __init__(self, outputs: Sequence[int] | None, handle: RunHandle, in_background: bool) -> None:
        self.outputs = outputs
        self.handle = handle
        self.in_background = in_background
        #: Threads of subjects that have begun in it.
        self.threads: list[SubjectThread] = []


#: In the order in which they have begun.
_active: list[ActiveRun] = []


@contextlib.contextmanager
def active_run(
    outputs: Sequence[int] | None, handle: RunHandle, *, in_background: bool = False
) -> Iterator[ActiveRun]:
    """A run, from its beginning to its end.

    Raises:
        RuntimeError: a run in the background computes some of the outputs.
    """
    mine = ActiveRun(outputs, handle, in_background)
    with _lock:
        if any(other.in_background and _meet(outputs, other.outputs) for other in _active):
            raise RuntimeError(
                "a run in the background computes the outputs of this program: wait() for its end or "
                "stop() it before they are computed once more."
            )
        _active.append(mine)
    try:
        yield mine
    finally:
        with _lock:
            _active.remove(mine)
        for thread in mine.threads:
            thread.call_back()


def _meet(some: Sequence[int] | None, others: Sequence[int] | None) -> bool:
    return some is None or others is None or not set(some).isdisjoint(others)


class SubjectThread:
    """The thread in which the code of a subject runs, for one run."""

    def __init__(self, name: str, run: int | None) -> None:
        self._name = name
        self._done = threading.Event()
        self._raised: BaseException | None = None
        self._ident: int | None = None
        #: Another run has begun to read the subject.
        self._taken_over = False
        with _lock:
            self._run = next((other for other in _active if other.handle.run == run), None)
            if self._run is not None:
                self._run.threads.append(self)

    def run(self, start: Callable[[], Any]) -> None:
        """Runs the code and waits for it; raises what it raises."""
        threading.Thread(target=self._main, args=(start,), name=self._name, daemon=True).start()
        self._done.wait()
        if self._raised is not None:
            raise self._raised

    def _main(self, start: Callable[[], Any]) -> None:
        self._ident = threading.get_ident()
        try:
            try:
                start()
            finally:
                self._ident = None
        except BaseException as error:
            self._raised = _taken(self._name) if self._taken_over else error
        finally:
            self._done.set()

    def call_back(self) -> None:
        """The code ends as soon as it executes its next line."""
        import ctypes

        ident = self._ident
        if ident is not None and not self._done.is_set():
            ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(ident), ctypes.py_object(_RunIsOver))

    def make_room(self) -> None:
        """Another run begins to read the subject; the code of this thread has to have ended.

        Raises:
            RuntimeError: it goes on, or its run does. That one fails, too: its rows have nowhere to go.
        """
        if self._done.is_set():
            return
        with _lock:
            self._taken_over = self._run in _active
        self.call_back()
        if self._taken_over:
            raise _taken(self._name)
        if not self._done.wait(PATIENCE):
            raise RuntimeError(
                f"the code of {self._name!r} still runs for an earlier run, which has ended: it has to "
                "return, or to send something now and then, before its rows can be read once more."
            )


def _taken(name: str) -> RuntimeError:
    return RuntimeError(
        f"the subject {name!r} is read by two runs at the same time: it can send its rows to one of them "
        "only. Stop the first one before the second begins, or go on from a live table of the first one."
    )
