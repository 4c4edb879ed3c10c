"""`pw.io.subscribe`: calls Python functions with the changes of a table."""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Iterable
from typing import Any, Protocol

from pathway._engine import CallbackSink, Pointer
from pathway.internals.expression.column import ColumnReference
from pathway.internals.runtime_type_check import check_arg_types
from pathway.internals.table import Table
from pathway.internals.trace import trace_user_frame
from pathway.internals.udfs.annotations import is_coroutine_function
from pathway.internals.udfs.event_loop import current_loop
from pathway.io._files import register_output


class OnChangeCallback(Protocol):
    """A function that is called with each change of a table."""

    def __call__(self, key: Pointer, row: dict[str, Any], time: int, is_addition: bool) -> None:
        """`row` was added or removed at `time`."""


class OnChangeCallbackAsync(Protocol):
    """A coroutine function that is called with each change of a table."""

    async def __call__(self, key: Pointer, row: dict[str, Any], time: int, is_addition: bool) -> None:
        """`row` was added or removed at `time`."""


class OnFinishCallback(Protocol):
    """A function that is called at the end of the input."""

    def __call__(self) -> None:
        """There are no more changes."""


def _nothing() -> None:
    """The default at the end."""


def _nothing_at(time: int) -> None:
    """The default at the end of a time."""


@trace_user_frame
@check_arg_types
def subscribe(
    table: Table,
    on_change: Callable[..., Any],
    on_end: Callable[[], Any] | None = _nothing,
    on_time_end: Callable[[int], Any] | None = _nothing_at,
    *,
    name: str | None = None,
    sort_by: Iterable[ColumnReference] | None = None,
) -> None:
    """Calls a function with every change of a table.

    Args:
        table: whose changes.
        on_change: called with the keywords `key`, `row`, `time`, `is_addition`; an update is a removal
            and an addition at the same time. A coroutine function is called concurrently for all
            changes of a time.
        on_end: called when the input has ended.
        on_time_end: called after the changes of each time.
        name: a unique name, for logs.
        sort_by: columns of the table that order the changes of one time.

    >>> import pathway as pw
    >>> t = pw.debug.table_from_markdown('''
    ... a | __time__ | __diff__
    ... 5 | 0        | 1
    ... 5 | 4        | -1
    ... ''', id_from=["a"])
    >>> def on_change(key, row, time, is_addition):
    ...     print(row, time, is_addition)
    >>> pw.io.subscribe(t, on_change, on_end=lambda: print("end"))
    >>> pw.run(monitoring_level=pw.MonitoringLevel.NONE)
    {'a': 5} 0 True
    {'a': 5} 4 False
    end
    """
    on_end, on_time_end = on_end or _nothing, on_time_end or _nothing_at
    is_async = is_coroutine_function(on_change)
    if is_async and sort_by is not None:
        raise ValueError("the calls of a coroutine function run concurrently, so sort_by has no meaning.")
    time_end = None if on_time_end is _nothing_at else on_time_end
    if is_async:
        calls = _ConcurrentCalls(on_change, on_time_end)
        on_change, time_end = calls.on_change, calls.on_time_end
    dtypes = table._dtypes()
    sink = CallbackSink(
        list(dtypes),
        list(dtypes.values()),
        on_change=on_change,
        on_time_end=time_end,
        on_end=None if on_end is _nothing else on_end,
    )
    register_output(table, sink, name, sort_by)


class _ConcurrentCalls:
    """The calls of a coroutine function for the changes of one time, awaited at its end."""

    def __init__(self, on_change: Callable[..., Any], on_time_end: Callable[[int], Any]) -> None:
        self._on_change = on_change
        self._on_time_end = on_time_end
        self._waiting: list[Coroutine[Any, Any, Any]] = []

    def on_change(self, key: Pointer, row: dict[str, Any], time: int, is_addition: bool) -> None:
        """Notes a call."""
        self._waiting.append(self._on_change(key=key, row=row, time=time, is_addition=is_addition))

    def on_time_end(self, time: int) -> None:
        """Awaits the calls; the first exception ends the run."""
        import asyncio

        calls, self._waiting = self._waiting, []

        async def gathered() -> list[Any]:
            return await asyncio.gather(*calls, return_exceptions=True)

        for result in current_loop().run(gathered()):
            if isinstance(result, BaseException):
                raise result
        self._on_time_end(time)
