"""Helpers around asynchronous functions."""

from __future__ import annotations

import functools
import threading
from collections.abc import Awaitable, Callable, Coroutine
from typing import TYPE_CHECKING, Any, TypeVar

from pathway.internals.lazy_import import LazyModule
from pathway.internals.udfs.annotations import is_coroutine_function

if TYPE_CHECKING:
    import asyncio
else:
    asyncio = LazyModule("asyncio")

_T = TypeVar("_T")
AsyncFunction = Callable[..., Awaitable[Any]]


def coerce_async(func: Callable[..., Any]) -> AsyncFunction:
    """A coroutine function: the function itself, or one that calls it in a thread.

    >>> import asyncio
    >>> asyncio.run(coerce_async(len)("abc"))
    3
    """
    if is_coroutine_function(func):
        return func

    @functools.wraps(func)
    async def in_thread(*args: Any, **kwargs: Any) -> Any:
        return await asyncio.to_thread(func, *args, **kwargs)

    return in_thread


def _run_async(coroutine: Coroutine[Any, Any, _T]) -> _T:
    """The result of a coroutine, from code that is not asynchronous, in a running loop or not."""
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return asyncio.run(coroutine)
    results: list[_T] = []
    errors: list[BaseException] = []

    def target() -> None:
        try:
            results.append(asyncio.run(coroutine))
        except BaseException as error:
            errors.append(error)

    thread = threading.Thread(target=target)
    thread.start()
    thread.join()
    if errors:
        raise errors[0]
    return results[0]
