"""Return annotations of user functions."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from typing import Any


def return_annotation(function: Callable[..., Any]) -> Any:
    """What a function says it returns; `...` if it says nothing. A class returns itself.

    >>> def number(text) -> "int":
    ...     return int(text)
    >>> return_annotation(number), return_annotation(str), return_annotation(lambda x: x)
    (<class 'int'>, <class 'str'>, Ellipsis)
    """
    if isinstance(function, type):
        return function
    if isinstance(function, functools.partial):
        return return_annotation(function.func)
    try:
        annotation = inspect.signature(function).return_annotation
    except (TypeError, ValueError):  # no signature: many builtins
        return ...
    if annotation is inspect.Signature.empty:
        return ...
    scope = getattr(inspect.unwrap(function), "__globals__", {})
    while isinstance(annotation, str):  # a quoted one, in a module whose annotations are all texts, is twice
        annotation = eval(annotation, scope)
    return annotation


def is_coroutine_function(function: Any) -> bool:
    """True for `async def`, also behind `functools.partial` and `__call__`."""
    while isinstance(function, functools.partial):
        function = function.func
    if inspect.iscoroutinefunction(function):
        return True
    return not isinstance(function, type) and inspect.iscoroutinefunction(_call_of(function))


def _call_of(function: Any) -> Any:
    """What `function(...)` calls."""
    return inspect.getattr_static(type(function), "__call__", None)
