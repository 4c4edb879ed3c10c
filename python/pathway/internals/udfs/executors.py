"""How the calls of a user function are carried out."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from pathway.internals.udfs.annotations import is_coroutine_function
from pathway.internals.udfs.retries import AsyncRetryStrategy


class Executor:
    """How the calls of a user function are carried out."""

    def resolved(self, function: Callable[..., Any]) -> Executor:
        """The executor for a function, checked."""
        return self


class SyncExecutor(Executor):
    """One call after another, in the worker's thread."""

    def resolved(self, function: Callable[..., Any]) -> Executor:
        """The executor; ValueError for a coroutine function."""
        if is_coroutine_function(function):
            raise ValueError(
                "the sync executor cannot call a coroutine function; use pw.udfs.async_executor() or "
                "leave the "
                "executor out."
            )
        return self


class AsyncExecutor(Executor):
    """The calls of one time at once, on an event loop."""

    def __init__(
        self,
        capacity: int | None = None,
        timeout: float | None = None,
        retry_strategy: AsyncRetryStrategy | None = None,
    ) -> None:
        self.capacity = _at_least("capacity", _checked("capacity", capacity, int), 1)
        self.timeout = _at_least("timeout", _checked("timeout", timeout, (int, float)), 0)
        self.retry_strategy = _checked("retry_strategy", retry_strategy, AsyncRetryStrategy)


class FullyAsyncExecutor(AsyncExecutor):
    """The calls of each row as soon as it comes; nothing waits for their results."""

    def __init__(
        self,
        capacity: int | None = None,
        timeout: float | None = None,
        retry_strategy: AsyncRetryStrategy | None = None,
        autocommit_duration_ms: int | None = 1500,
    ) -> None:
        super().__init__(capacity, timeout, retry_strategy)
        self.autocommit_duration_ms = _checked("autocommit_duration_ms", autocommit_duration_ms, int)


class AutoExecutor(Executor):
    """The async executor for coroutine functions, else the sync one."""

    def resolved(self, function: Callable[..., Any]) -> Executor:
        """The executor that fits the function."""
        return AsyncExecutor() if is_coroutine_function(function) else SyncExecutor()


def _checked(name: str, value: Any, expected: Any) -> Any:
    if value is not None and (isinstance(value, bool) or not isinstance(value, expected)):
        raise TypeError(
            f"executor parameter {name}={value!r} violates type hint {expected}: got {type(value)}."
        )
    return value


def _at_least(name: str, value: Any, least: int) -> Any:
    """The value, which makes calls possible at all."""
    if value is not None and value < least:
        raise ValueError(f"executor parameter {name} has to be at least {least}, not {value}.")
    return value


def sync_executor() -> Executor:
    """One call after another, in the worker's thread."""
    return SyncExecutor()


def auto_executor() -> Executor:
    """The async executor for coroutine functions, else the sync one."""
    return AutoExecutor()


def async_executor(
    *,
    capacity: int | None = None,
    timeout: float | None = None,
    retry_strategy: AsyncRetryStrategy | None = None,
) -> Executor:
    """The calls of one time at once, on an event loop; later times wait for them.

    Args:
        capacity: the most calls at one time.
        timeout: seconds for one attempt.
        retry_strategy: what to do when a call fails.
    """
    return AsyncExecutor(capacity, timeout, retry_strategy)


def fully_async_executor(
    *,
    capacity: int | None = None,
    timeout: float | None = None,
    retry_strategy: AsyncRetryStrategy | None = None,
    autocommit_duration_ms: int | None = 1500,
) -> Executor:
    """Calls that nothing waits for: the column is a `Future`, pending until the result is there.

    Args:
        capacity: the most calls at one time.
        timeout: seconds for one attempt.
        retry_strategy: what to do when a call fails.
        autocommit_duration_ms: milliseconds after which a result is committed at the latest; it is
            committed at once.

    >>> import pathway as pw
    >>> @pw.udf(executor=pw.udfs.fully_async_executor())
    ... async def double(x: int) -> int:
    ...     return 2 * x
    >>> t = pw.debug.table_from_markdown('''
    ... a
    ... 4
    ... ''')
    >>> pw.debug.compute_and_print(t.select(b=double(t.a)).await_futures(), include_id=False)
    b
    8
    """
    return FullyAsyncExecutor(capacity, timeout, retry_strategy, autocommit_duration_ms)
