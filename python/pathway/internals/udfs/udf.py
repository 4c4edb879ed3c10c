"""`pw.udf` and `pw.UDF`: Python functions on columns."""

from __future__ import annotations

import functools
import inspect
import typing
from collections.abc import Callable
from typing import Any, overload

from pathway._engine import DType
from pathway.internals import dtype as dt
from pathway.internals.expression.expression import ColumnExpression
from pathway.internals.trace import trace_user_frame, warn
from pathway.internals.udfs.annotations import return_annotation
from pathway.internals.udfs.batched import KINDS, element_annotation
from pathway.internals.udfs.caches import CacheStrategy
from pathway.internals.udfs.call import ApplyExpression, CallPlan
from pathway.internals.udfs.executors import AsyncExecutor, AutoExecutor, Executor, FullyAsyncExecutor


class UDF:
    """Base of user functions with options; subclasses define `__wrapped__`.

    Args:
        return_type: the type of the result; by default the return annotation.
        deterministic: the promise that equal arguments give equal results, so that results need not
            be remembered for rows that are deleted later.
        propagate_none: None in an argument gives None without a call.
        executor: how calls are carried out, from `pw.udfs`.
        cache_strategy: how results are kept, from `pw.udfs`.
        max_batch_size: the function takes lists of at most so many values and returns a list.
        batched: the function takes whole columns and returns one, without a call or an object per row:
            `"arrow"` (arrays of pyarrow, or of any library that reads Arrow's PyCapsule interface),
            `"numpy"` (arrays; masked ones where None is possible) or `"polars"` (series). With
            `max_batch_size`, at most so many rows of it at a time.

    >>> import pathway as pw
    >>> class Times(pw.UDF):
    ...     def __init__(self, factor):
    ...         super().__init__(deterministic=True)
    ...         self.factor = factor
    ...     def __wrapped__(self, x: int) -> int:
    ...         return x * self.factor
    >>> t = pw.debug.table_from_markdown('''
    ... a
    ... 4
    ... ''')
    >>> pw.debug.compute_and_print(t.select(b=Times(3)(t.a)), include_id=False)
    b
    12
    """

    _options: dict[str, Any]

    def __init__(
        self,
        *,
        return_type: Any = ...,
        deterministic: bool = False,
        propagate_none: bool = False,
        executor: Executor | None = None,
        cache_strategy: CacheStrategy | None = None,
        max_batch_size: int | None = None,
        batched: str | None = None,
    ) -> None:
        _check_options(
            deterministic=deterministic,
            propagate_none=propagate_none,
            executor=executor,
            cache_strategy=cache_strategy,
            max_batch_size=max_batch_size,
            batched=batched,
        )
        self.return_type = return_type
        self.deterministic = deterministic
        self.propagate_none = propagate_none
        self.cache_strategy = cache_strategy
        self.max_batch_size = max_batch_size
        self.batched = batched
        self.executor = (executor or AutoExecutor()).resolved(self.__wrapped__)
        if max_batch_size is not None and isinstance(self.executor, FullyAsyncExecutor):
            raise ValueError(
                "Batching is not supported for fully asynchronous UDFs: leave max_batch_size out, or use "
                "pw.udfs.async_executor()."
            )
        self._check_batched()

    def _check_batched(self) -> None:
        if self.batched is None:
            return
        if isinstance(self.executor, AsyncExecutor):
            raise ValueError(
                "a function of whole columns (batched=) is called synchronously: it is no coroutine function "
                "and has no asynchronous executor."
            )
        if self.cache_strategy is not None:
            raise ValueError("results of a function of whole columns (batched=) cannot be kept in a cache.")

    def __wrapped__(self, *args: Any, **kwargs: Any) -> Any:
        """The function."""
        raise NotImplementedError(f"{type(self).__name__} has to define __wrapped__, the function itself")

    @functools.cached_property
    def func(self) -> Callable[..., Any]:
        """The function with executor options and cache around it."""
        from pathway.internals.udfs.decorators import async_options, with_cache_strategy

        function = self.__wrapped__
        if isinstance(self.executor, AsyncExecutor):
            executor = self.executor
            return async_options(
                executor.capacity, executor.timeout, executor.retry_strategy, self.cache_strategy
            )(function)
        if self.cache_strategy is not None:
            return with_cache_strategy(_plain(function), self.cache_strategy)
        return function

    @trace_user_frame
    def __call__(self, *args: Any, **kwargs: Any) -> ColumnExpression:
        """The results of the function for each row: an expression."""
        if "executor" not in self.__dict__:
            raise TypeError(f"{type(self).__name__}.__init__() has to call super().__init__().")
        if not args and not kwargs:
            raise AssertionError(
                f"the function {self._name()} was called without arguments; a user function needs one, which "
                "tells for which rows it is called."
            )
        return ApplyExpression(self._plan(), args, kwargs)

    def _name(self) -> str:
        return type(self).__name__

    def _plan(self) -> CallPlan:
        return CallPlan(
            function=self.func,
            name=self._name(),
            return_type=self._return_dtype(),
            deterministic=self.deterministic,
            propagate_none=self.propagate_none,
            is_async=isinstance(self.executor, AsyncExecutor),
            max_batch_size=self.max_batch_size,
            is_later=isinstance(self.executor, FullyAsyncExecutor),
            batched=self.batched,
            original=self.__wrapped__,
        )

    def _return_dtype(self) -> DType:
        annotation = return_annotation(self.__wrapped__)
        if self.batched is not None:
            annotation = self._column_element(annotation)
        elif self.max_batch_size is not None:
            annotation = self._batch_element(annotation)
        if self.return_type is ...:
            return dt.ANY if annotation is ... else dt.wrap(annotation)
        declared = dt.wrap(self.return_type)
        if annotation is not ... and not dt.dtype_issubclass(dt.wrap(annotation), declared):
            warn(
                f"the function {self._name()} is annotated as returning {annotation}, but return_type says "
                f"{self.return_type}."
            )
        return declared

    def _column_element(self, annotation: Any) -> Any:
        element = element_annotation(annotation)
        if element is ... and self.return_type is ...:
            raise TypeError(
                f"the function {self._name()} returns a whole column: say the type of one result, as in "
                f'pw.udf(batched="{self.batched}", return_type=float).'
            )
        return element

    def _batch_element(self, annotation: Any) -> Any:
        args = typing.get_args(annotation)
        if annotation in (list, tuple):
            return ... if self.return_type is not ... else Any
        if typing.get_origin(annotation) is list or args[1:] == (...,):
            return args[0]
        if self.return_type is not ...:
            return ...
        raise ValueError(
            f"A batch function returns a list, but {self._name()} is annotated as returning "
            f"{'nothing' if annotation is ... else annotation}: write list[...] with the type of one result, "
            "or give return_type, the type of one result."
        )


class UDFFunction(UDF):
    """A plain function as a user function: what `pw.udf` makes."""

    def __init__(self, fun: Callable[..., Any], **options: Any) -> None:
        if not callable(fun):
            raise TypeError(f"pw.udf takes a function, found {fun!r}.")
        functools.update_wrapper(self, fun, updated=())
        self.__wrapped__ = fun  # type: ignore[method-assign]
        self._own_options = options
        super().__init__(**options)

    def _name(self) -> str:
        function = self.__wrapped__
        while isinstance(function, functools.partial):
            function = function.func
        return str(getattr(function, "__name__", type(function).__name__))

    def __get__(self, instance: Any, owner: type | None = None) -> UDFFunction:
        """Bound like a method, if the function is one: its first parameter is `self`."""
        if instance is None or not _takes_self(self.__wrapped__):
            return self
        bound = functools.wraps(self.__wrapped__)(functools.partial(self.__wrapped__, instance))
        return UDFFunction(bound, **self._own_options)


def _takes_self(function: Any) -> bool:
    try:
        parameters = list(inspect.signature(function).parameters)
    except (TypeError, ValueError):
        return False
    return parameters[:1] == ["self"]


def _plain(function: Callable[..., Any]) -> Callable[..., Any]:
    """A function that decorators can copy names from (bound methods and callables lack some)."""
    if inspect.isfunction(function):
        return function

    def plain(*args: Any, **kwargs: Any) -> Any:
        return function(*args, **kwargs)

    plain.__module__ = getattr(function, "__module__", None) or type(function).__module__
    plain.__qualname__ = getattr(function, "__qualname__", type(function).__qualname__)
    return plain


_OPTION_TYPES: dict[str, type] = {
    "deterministic": bool,
    "propagate_none": bool,
    "executor": Executor,
    "cache_strategy": CacheStrategy,
    "max_batch_size": int,
    "batched": str,
}
_MAY_BE_NONE = ("executor", "cache_strategy", "max_batch_size", "batched")


def _check_options(**options: Any) -> None:
    for name, value in options.items():
        if name == "return_type" or (value is None and name in _MAY_BE_NONE):
            continue
        expected = _OPTION_TYPES.get(name)
        if expected is None:
            raise TypeError(f"pw.udf() got an unexpected keyword argument {name!r}.")
        if not isinstance(value, expected) or (expected is int and isinstance(value, bool)):
            raise TypeError(
                f"pw.udf(): parameter {name}={value!r} violates type hint {expected}: got {type(value)}."
            )
    if options.get("max_batch_size") is not None and options["max_batch_size"] < 1:
        raise ValueError(f"max_batch_size has to be at least 1, not {options['max_batch_size']}.")
    if options.get("batched") not in (None, *KINDS):
        raise ValueError(f"batched has to be one of {KINDS}, not {options['batched']!r}.")


@overload
def udf(fun: Callable[..., Any], /) -> UDFFunction: ...


@overload
def udf(
    *,
    return_type: Any = ...,
    deterministic: bool = False,
    propagate_none: bool = False,
    executor: Executor | None = None,
    cache_strategy: CacheStrategy | None = None,
    max_batch_size: int | None = None,
    batched: str | None = None,
) -> Callable[[Callable[..., Any]], UDFFunction]: ...


@trace_user_frame
def udf(fun: Any = None, /, **options: Any) -> Any:
    """Makes a function of values one of columns; see [`UDF`][] for the options.

    >>> import numpy as np
    >>> import pathway as pw
    >>> @pw.udf
    ... def shout(text: str) -> str:
    ...     return text.upper() + "!"
    >>> t = pw.debug.table_from_markdown('''
    ... word
    ... tea
    ... ''')
    >>> pw.debug.compute_and_print(t.select(loud=shout(t.word)), include_id=False)
    loud
    TEA!

    A function of whole columns:

    >>> @pw.udf(batched="numpy", return_type=int)
    ... def lengths(words):
    ...     return np.char.str_len(words.astype(str))
    >>> pw.debug.compute_and_print(t.select(n=lengths(t.word)), include_id=False)
    n
    3
    """
    _check_options(**options)
    if fun is None:
        return lambda function: UDFFunction(function, **options)
    return UDFFunction(fun, **options)
