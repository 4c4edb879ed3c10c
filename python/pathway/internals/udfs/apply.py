"""`pw.apply` and its relatives: user functions without a decorator."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from pathway.internals.expression.expression import ColumnExpression
from pathway.internals.trace import trace_user_frame, warn
from pathway.internals.udfs.executors import async_executor
from pathway.internals.udfs.udf import UDFFunction


def _check_keywords(function: str, kwargs: dict[str, Any]) -> None:
    if kwargs:
        warn(
            f"passing keyword arguments to pw.{function} is deprecated; use pw.udf for the function.",
            DeprecationWarning,
        )


@trace_user_frame
def apply(fun: Callable[..., Any], *args: Any, **kwargs: Any) -> ColumnExpression:
    """The results of a function for each row; its return annotation is the type.

    >>> import pathway as pw
    >>> t = pw.debug.table_from_markdown('''
    ... a | b
    ... 1 | 2
    ... ''')
    >>> pw.debug.compute_and_print(t.select(c=pw.apply(lambda a, b: a * 10 + b, t.a, t.b)), include_id=False)
    c
    12
    """
    _check_keywords("apply", kwargs)
    return UDFFunction(fun)(*args, **kwargs)


@trace_user_frame
def apply_with_type(fun: Callable[..., Any], ret_type: Any, *args: Any, **kwargs: Any) -> ColumnExpression:
    """The results of a function for each row, of type `ret_type`."""
    _check_keywords("apply_with_type", kwargs)
    return UDFFunction(fun, return_type=ret_type)(*args, **kwargs)


@trace_user_frame
def apply_async(fun: Callable[..., Any], *args: Any, **kwargs: Any) -> ColumnExpression:
    """The results of a coroutine function for each row; the calls of one time run concurrently.

    >>> import pathway as pw
    >>> async def double(x: int) -> int:
    ...     return 2 * x
    >>> t = pw.debug.table_from_markdown('''
    ... a
    ... 4
    ... ''')
    >>> pw.debug.compute_and_print(t.select(b=pw.apply_async(double, t.a)), include_id=False)
    b
    8
    """
    _check_keywords("apply_async", kwargs)
    return UDFFunction(fun, executor=async_executor())(*args, **kwargs)
