"""Calls whose results nobody waits for: coroutines on the event loop of a run."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Sequence
from typing import TYPE_CHECKING, Any

from pathway._engine import Answers
from pathway.internals.lazy_import import LazyModule
from pathway.internals.udfs.event_loop import RunLoop

if TYPE_CHECKING:
    import asyncio
else:
    asyncio = LazyModule("asyncio")

_LOGGER = logging.getLogger("pathway_engine.async")


class Session:
    """The calls of one function in one run.

    Args:
        function: gives the values of the results.
        title: what logs call it.
        loop: where the calls are executed.
        on_close: called when no more calls will be made.
    """

    def __init__(
        self,
        function: Callable[..., Awaitable[tuple[Any, ...]]],
        title: str,
        loop: RunLoop,
        on_close: Callable[[], None] | None = None,
    ) -> None:
        self._function = function
        self._title = title
        self._loop = loop
        self._on_close = on_close
        self._tasks: set[asyncio.Task[None]] = set()
        self._closed = False

    def start(self, answers: Answers, first: int, columns: Sequence[list[Any]]) -> None:
        """Starts one call per row, numbered from `first`."""
        self._loop.call_soon(self._launch, answers, first, columns)

    def close(self) -> None:
        """Abandons the calls that are under way, if there are any."""
        self._closed = True
        if self._tasks:
            self._loop.call_soon(self._cancel)
        if self._on_close is not None:
            self._on_close()

    def _launch(self, answers: Answers, first: int, columns: Sequence[list[Any]]) -> None:
        loop = asyncio.get_running_loop()
        for number, row in enumerate(zip(*columns, strict=True), first):
            task = loop.create_task(self._call(answers, number, row))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    def _cancel(self) -> None:
        for task in self._tasks:
            task.cancel()

    async def _call(self, answers: Answers, number: int, row: tuple[Any, ...]) -> None:
        try:
            answers.done(number, await self._function(*row))
        except BaseException as error:
            if self._closed:
                raise
            _LOGGER.error("Exception in %s:", self._title, exc_info=error)
            answers.failed(number, error)
