"""The event loop on which asynchronous functions of a run are executed."""

from __future__ import annotations

import contextlib
import threading
from collections import Counter
from collections.abc import Callable, Coroutine, Iterator
from typing import TYPE_CHECKING, Any, TypeVar

from pathway.internals.lazy_import import LazyModule

if TYPE_CHECKING:
    import asyncio
    from concurrent.futures import Future
else:
    asyncio = LazyModule("asyncio")

_T = TypeVar("_T")


class RunLoop:
    """A loop that others await on: the user's, or one in a thread of its own, started when first needed."""

    def __init__(self, loop: asyncio.AbstractEventLoop | None = None) -> None:
        self._loop = loop
        self._thread: threading.Thread | None = None
        self._lock = threading.Lock()
        self._uses: Counter[str] = Counter()
        self._waited_for: set[Future[Any]] = set()
        self._given_up = False

    def _get(self) -> asyncio.AbstractEventLoop:
        with self._lock:
            if self._loop is None:
                loop = asyncio.new_event_loop()
                self._thread = threading.Thread(target=loop.run_forever, name="pathway-async", daemon=True)
                self._thread.start()
                self._loop = loop
            return self._loop

    def unique_name(self, name: str) -> str:
        """The name, with a number if it was asked for before in this run."""
        with self._lock:
            self._uses[name] += 1
            number = self._uses[name]
        return name if number == 1 else f"{name}_{number}"

    def run(self, coroutine: Coroutine[Any, Any, _T]) -> _T:
        """The result of a coroutine; called from a thread other than the loop's."""
        future = asyncio.run_coroutine_threadsafe(coroutine, self._get())
        with self._lock:
            self._waited_for.add(future)
            given_up = self._given_up
        try:
            if given_up:
                future.cancel()
            return future.result()
        finally:
            with self._lock:
                self._waited_for.discard(future)

    def call_soon(self, callback: Callable[..., Any], *args: Any) -> None:
        """Lets the loop call a function; returns at once."""
        self._get().call_soon_threadsafe(callback, *args)

    def give_up(self) -> None:
        """The run is interrupted: whoever waits for a result gets CancelledError."""
        with self._lock:
            self._given_up = True
            waited_for = list(self._waited_for)
        for future in waited_for:
            future.cancel()

    def close(self) -> None:
        """Ends the thread, if there is one. Does not wait for functions in threads after `give_up`."""
        with self._lock:
            if self._thread is None or self._loop is None:
                return
            loop, thread = self._loop, self._thread
            self._loop = self._thread = None
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.run_until_complete(_finish(wait_for_threads=not self._given_up))
        loop.close()


async def _finish(*, wait_for_threads: bool) -> None:
    """Ends what is left on the running loop."""
    loop = asyncio.get_running_loop()
    others = asyncio.all_tasks(loop) - {asyncio.current_task()}
    for task in others:
        task.cancel()
    await asyncio.gather(*others, return_exceptions=True)
    await loop.shutdown_asyncgens()
    if wait_for_threads:
        await loop.shutdown_default_executor()


#: The loops of the runs that go on, and how many runs use each: runs at the same time share one.
_active: list[RunLoop] = []
_users: Counter[int] = Counter()
_lock = threading.Lock()


@contextlib.contextmanager
def run_loop(loop: asyncio.AbstractEventLoop | None) -> Iterator[RunLoop]:
    """The loop of a run. One that brings none of its own has that of a run which goes on already."""
    with _lock:
        if loop is None and _active:
            mine = _active[-1]
        else:
            mine = RunLoop(loop)
            _active.append(mine)
        _users[id(mine)] += 1
    try:
        yield mine
    finally:
        with _lock:
            _users[id(mine)] -= 1
            last = _users[id(mine)] == 0
            if last:
                del _users[id(mine)]
                _active.remove(mine)
        if last:
            mine.close()


def give_up(loop: RunLoop) -> None:
    """A run is interrupted: nobody waits for what is computed on its loop, unless another run does."""
    with _lock:
        alone = _users[id(loop)] < 2
    if alone:
        loop.give_up()


def current_loop() -> RunLoop:
    """The loop of the run that is going on."""
    with _lock:
        if not _active:
            raise RuntimeError("an asynchronous function was called outside of a run")
        return _active[-1]
