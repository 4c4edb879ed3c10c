"""User functions: decorators, executors, caches, retries."""

from pathway.internals.udfs import executors, utils
from pathway.internals.udfs.caches import CacheStrategy, DefaultCache, DiskCache, InMemoryCache
from pathway.internals.udfs.decorators import (
    async_options,
    with_cache_strategy,
    with_capacity,
    with_retry_strategy,
    with_timeout,
)
from pathway.internals.udfs.executors import (
    async_executor,
    auto_executor,
    fully_async_executor,
    sync_executor,
)
from pathway.internals.udfs.retries import (
    AsyncRetryStrategy,
    ExponentialBackoffRetryStrategy,
    FixedDelayRetryStrategy,
    NoRetryStrategy,
)
from pathway.internals.udfs.udf import UDF, udf
from pathway.internals.udfs.utils import coerce_async

__all__ = [
    "UDF",
    "AsyncRetryStrategy",
    "CacheStrategy",
    "DefaultCache",
    "DiskCache",
    "ExponentialBackoffRetryStrategy",
    "FixedDelayRetryStrategy",
    "InMemoryCache",
    "NoRetryStrategy",
    "async_executor",
    "async_options",
    "auto_executor",
    "coerce_async",
    "executors",
    "fully_async_executor",
    "sync_executor",
    "udf",
    "utils",
    "with_cache_strategy",
    "with_capacity",
    "with_retry_strategy",
    "with_timeout",
]
