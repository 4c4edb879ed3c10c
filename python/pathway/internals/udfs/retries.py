"""What to do when an asynchronous call fails."""

from __future__ import annotations

import random
from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any

from pathway.internals.lazy_import import LazyModule

if TYPE_CHECKING:
    import asyncio
else:
    asyncio = LazyModule("asyncio")


class AsyncRetryStrategy(ABC):
    """How often and when a failed call is repeated."""

    @abstractmethod
    async def invoke(self, func: Callable[..., Awaitable[Any]], /, *args: Any, **kwargs: Any) -> Any:
        """The result of `func(*args, **kwargs)`, tried as often as the strategy says."""


class NoRetryStrategy(AsyncRetryStrategy):
    """One attempt."""

    async def invoke(self, func: Callable[..., Awaitable[Any]], /, *args: Any, **kwargs: Any) -> Any:
        """The result of the only call."""
        return await func(*args, **kwargs)


class ExponentialBackoffRetryStrategy(AsyncRetryStrategy):
    """Repeats after delays that grow by a factor.

    Args:
        max_retries: attempts after the first one.
        initial_delay: milliseconds before the first repetition.
        backoff_factor: growth of the delay.
        jitter_ms: greatest random addition to a delay.
    """

    def __init__(
        self,
        max_retries: int = 3,
        initial_delay: int = 1_000,
        backoff_factor: float = 2,
        jitter_ms: int = 300,
    ) -> None:
        numbers = {
            "max_retries": max_retries,
            "initial_delay": initial_delay,
            "backoff_factor": backoff_factor,
            "jitter_ms": jitter_ms,
        }
        for name, value in numbers.items():
            if not isinstance(value, (int, float)):
                raise TypeError(f"{name}={value!r} of a retry strategy is no number.")
        if max_retries < 0:
            raise ValueError(f"max_retries has to be 0 or more, not {max_retries}.")
        self._max_retries = max_retries
        self._initial_delay = initial_delay / 1000
        self._backoff_factor = backoff_factor
        self._jitter = jitter_ms / 1000

    async def invoke(self, func: Callable[..., Awaitable[Any]], /, *args: Any, **kwargs: Any) -> Any:
        """The result of the first call that succeeds; the last exception if none does."""
        delay = self._initial_delay
        for attempt in range(self._max_retries + 1):
            try:
                return await func(*args, **kwargs)
            except Exception:
                if attempt == self._max_retries:
                    raise
            await asyncio.sleep(delay)
            delay = delay * self._backoff_factor + random.random() * self._jitter
        raise AssertionError("a strategy makes at least one attempt")


class FixedDelayRetryStrategy(ExponentialBackoffRetryStrategy):
    """Repeats after a constant delay."""

    def __init__(self, max_retries: int = 3, delay_ms: int = 1000) -> None:
        super().__init__(max_retries=max_retries, initial_delay=delay_ms, backoff_factor=1, jitter_ms=0)
