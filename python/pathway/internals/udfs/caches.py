"""Caches of user functions, keyed by the arguments."""

from __future__ import annotations

import functools
import hashlib
import inspect
import os
import pickle
import threading
import weakref
from abc import ABC, abstractmethod
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any, TypeVar

from pathway.internals.lazy_import import LazyModule
from pathway.internals.parse_graph import G
from pathway.internals.udfs.event_loop import RunLoop, current_loop

if TYPE_CHECKING:
    import asyncio

    from pathway.internals.udfs.disk_store import DiskStore
else:
    asyncio = LazyModule("asyncio")

_Cache = TypeVar("_Cache", bound="DiskCache")

_MISSING = object()


class CacheStrategy(ABC):
    """How results of a function are kept."""

    @abstractmethod
    def wrap_async(self, func: Callable[..., Awaitable[Any]]) -> Callable[..., Awaitable[Any]]:
        """The coroutine function, with results kept."""

    @abstractmethod
    def wrap_sync(self, func: Callable[..., Any]) -> Callable[..., Any]:
        """The function, with results kept."""


class InMemoryCache(CacheStrategy):
    """Keeps the results of the last `max_size` different calls; the arguments must be hashable."""

    def __init__(self, max_size: int | None = None) -> None:
        self._max_size = max_size

    def wrap_sync(self, func: Callable[..., Any]) -> Callable[..., Any]:
        """The function, with results kept."""
        return functools.lru_cache(maxsize=self._max_size, typed=True)(func)

    def wrap_async(self, func: Callable[..., Awaitable[Any]]) -> Callable[..., Awaitable[Any]]:
        """The coroutine function, with results kept; equal calls at one time share one execution."""
        results: OrderedDict[Any, Any] = OrderedDict()
        running: dict[Any, asyncio.Future[Any]] = {}

        @functools.wraps(func)
        async def cached(*args: Any, **kwargs: Any) -> Any:
            # As for plain functions: 1, 1.0 and True are different arguments.
            types = (*map(type, args), *map(type, kwargs.values()))
            key = (args, tuple(kwargs.items()), types)
            known = results.get(key, _MISSING)
            if known is not _MISSING:
                results.move_to_end(key)
                return known
            waiting = running.get(key)
            if waiting is not None and waiting.get_loop() is asyncio.get_running_loop():
                return await waiting
            future = running[key] = asyncio.get_running_loop().create_future()
            try:
                result = await func(*args, **kwargs)
            except BaseException as error:
                future.set_exception(error)
                future.exception()  # whoever waits gets it; nobody has to
                raise
            finally:
                running.pop(key, None)
            future.set_result(result)
            if self._max_size != 0:
                results[key] = result
                if self._max_size is not None and len(results) > self._max_size:
                    results.popitem(last=False)
            return result

        return cached


class DiskCache(CacheStrategy):
    """Keeps results in files under `PATHWAY_PERSISTENT_STORAGE`, for later runs too.

    Args:
        name: names the cache, of which there can be one; by default it is named after the function.
        size_limit: bytes after which the oldest results are dropped.
    """

    def __init__(self, name: str | None = None, size_limit: int = 2**30) -> None:
        if name is not None:
            G.register_cache(name)
        self._name = name
        self._size_limit = size_limit
        self._lock = threading.Lock()
        self._store: DiskStore | None = None
        self._opened_in: weakref.ref[RunLoop] | None = None

    @classmethod
    def _named(cls: type[_Cache], name: str) -> _Cache:
        """A cache of a name that is not the user's choice, so that it may be used again."""
        cache = cls()
        cache._name = name
        return cache

    def _directory(self) -> str:
        root = os.environ.get("PATHWAY_PERSISTENT_STORAGE")
        if not root:
            raise RuntimeError(
                "a disk cache needs a folder: name it in the environment variable PATHWAY_PERSISTENT_STORAGE."
            )
        return os.path.join(root, "runtime_calls")

    def _opened(self, func: Callable[..., Any]) -> DiskStore:
        run = current_loop()
        with self._lock:
            # Another run may have another folder.
            if self._store is None or self._opened_in is None or self._opened_in() is not run:
                from pathway.internals.udfs.disk_store import DiskStore

                name = self._name or _name_of(func)
                self._store = DiskStore(os.path.join(self._directory(), name), self._size_limit)
                self._opened_in = weakref.ref(run)
            return self._store

    @staticmethod
    def _key(args: tuple[Any, ...], kwargs: dict[str, Any]) -> str:
        return hashlib.sha256(pickle.dumps((args, kwargs), protocol=4)).hexdigest()

    def wrap_sync(self, func: Callable[..., Any]) -> Callable[..., Any]:
        """The function, with results kept."""

        @functools.wraps(func)
        def cached(*args: Any, **kwargs: Any) -> Any:
            store, key = self._opened(func), self._key(args, kwargs)
            found, result = store.get(key)
            if not found:
                result = func(*args, **kwargs)
                store.put(key, result)
            return result

        return cached

    def wrap_async(self, func: Callable[..., Awaitable[Any]]) -> Callable[..., Awaitable[Any]]:
        """The coroutine function, with results kept; equal calls at one time share one execution."""

        async def through_store(key: str, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
            store = self._opened(func)
            found, result = store.get(key)
            if not found:
                result = await func(*args, **kwargs)
                store.put(key, result)
            return result

        running: dict[str, asyncio.Task[Any]] = {}

        @functools.wraps(func)
        async def cached(*args: Any, **kwargs: Any) -> Any:
            key = self._key(args, kwargs)
            task = running.get(key)
            if task is None or task.get_loop() is not asyncio.get_running_loop():
                task = running[key] = asyncio.create_task(through_store(key, args, kwargs))
                task.add_done_callback(lambda _: running.pop(key, None))
            return await task

        return cached


class DefaultCache(DiskCache):
    """[`DiskCache`][] where `PATHWAY_PERSISTENT_STORAGE` is set, otherwise no cache."""

    def wrap_sync(self, func: Callable[..., Any]) -> Callable[..., Any]:
        """The function, with results kept if there is a place for them."""
        cached = super().wrap_sync(func)

        @functools.wraps(func)
        def chosen(*args: Any, **kwargs: Any) -> Any:
            return (cached if _has_storage() else func)(*args, **kwargs)

        return chosen

    def wrap_async(self, func: Callable[..., Awaitable[Any]]) -> Callable[..., Awaitable[Any]]:
        """The coroutine function, with results kept if there is a place for them."""
        cached = super().wrap_async(func)

        @functools.wraps(func)
        async def chosen(*args: Any, **kwargs: Any) -> Any:
            return await (cached if _has_storage() else func)(*args, **kwargs)

        return chosen


def _name_of(func: Callable[..., Any]) -> str:
    """The name of a function, which for one without a name depends on what it does."""
    name = f"{func.__module__}_{func.__qualname__}"
    code = getattr(inspect.unwrap(func), "__code__", None)
    if "<lambda>" in name and code is not None:
        text = repr((code.co_code, code.co_names, [c for c in code.co_consts if not hasattr(c, "co_code")]))
        return f"{name}_{hashlib.sha256(text.encode()).hexdigest()[:16]}"
    return name


def _has_storage() -> bool:
    return bool(os.environ.get("PATHWAY_PERSISTENT_STORAGE"))
