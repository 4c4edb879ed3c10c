"""Decorators of functions: capacity, time-out, retries, caches."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

from pathway.internals.lazy_import import LazyModule
from pathway.internals.udfs.annotations import is_coroutine_function
from pathway.internals.udfs.caches import CacheStrategy
from pathway.internals.udfs.retries import AsyncRetryStrategy
from pathway.internals.udfs.utils import AsyncFunction, coerce_async

if TYPE_CHECKING:
    import asyncio
else:
    asyncio = LazyModule("asyncio")


def with_capacity(func: Callable[..., Any], capacity: int) -> AsyncFunction:
    """A coroutine function of which at most `capacity` calls are executed at one time."""
    coroutine = coerce_async(func)
    # A semaphore belongs to a loop; each run may have its own.
    semaphores: WeakKeyDictionary[asyncio.AbstractEventLoop, asyncio.Semaphore] = WeakKeyDictionary()

    @functools.wraps(func)
    async def limited(*args: Any, **kwargs: Any) -> Any:
        loop = asyncio.get_running_loop()
        semaphore = semaphores.get(loop)
        if semaphore is None:
            semaphore = semaphores[loop] = asyncio.Semaphore(capacity)
        async with semaphore:
            return await coroutine(*args, **kwargs)

    return limited


def with_timeout(func: Callable[..., Any], timeout: float) -> AsyncFunction:
    """A coroutine function that raises TimeoutError after `timeout` seconds."""
    coroutine = coerce_async(func)

    @functools.wraps(func)
    async def timed(*args: Any, **kwargs: Any) -> Any:
        try:
            return await asyncio.wait_for(coroutine(*args, **kwargs), timeout=timeout)
        except asyncio.TimeoutError:
            name = getattr(func, "__name__", repr(func))
            raise TimeoutError(f"{name} did not finish within {timeout} seconds") from None

    return timed


def with_retry_strategy(func: Callable[..., Any], retry_strategy: AsyncRetryStrategy) -> AsyncFunction:
    """A coroutine function whose failed calls are repeated."""
    coroutine = coerce_async(func)

    @functools.wraps(func)
    async def retried(*args: Any, **kwargs: Any) -> Any:
        return await retry_strategy.invoke(coroutine, *args, **kwargs)

    return retried


def with_cache_strategy(func: Callable[..., Any], cache_strategy: CacheStrategy) -> Callable[..., Any]:
    """The function with results kept; a coroutine function stays one."""
    if is_coroutine_function(func):
        return cache_strategy.wrap_async(func)
    return cache_strategy.wrap_sync(func)


def async_options(
    capacity: int | None = None,
    timeout: float | None = None,
    retry_strategy: AsyncRetryStrategy | None = None,
    cache_strategy: CacheStrategy | None = None,
) -> Callable[[Callable[..., Any]], AsyncFunction]:
    """A decorator that combines the others: time-out inside, then retries, capacity, cache.

    >>> import asyncio
    >>> @async_options(capacity=2, timeout=1.0)
    ... async def double(x):
    ...     return 2 * x
    >>> asyncio.run(double(4))
    8
    """

    def decorate(func: Callable[..., Any]) -> AsyncFunction:
        result = coerce_async(func)
        if timeout is not None:
            result = with_timeout(result, timeout)
        if retry_strategy is not None:
            result = with_retry_strategy(result, retry_strategy)
        if capacity is not None:
            result = with_capacity(result, capacity)
        if cache_strategy is not None:
            result = cache_strategy.wrap_async(result)
        return result

    return decorate
