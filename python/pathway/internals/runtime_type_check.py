"""Checks of argument kinds on public functions: a wrong one is a TypeError at the call."""

from __future__ import annotations

import builtins
import functools
import inspect
import re
import sys
import types
import typing
from collections.abc import Callable, Mapping
from typing import Any, ParamSpec, TypeVar

_P = ParamSpec("_P")
_R = TypeVar("_R")


def check_arg_types(function: Callable[_P, _R]) -> Callable[_P, _R]:
    """Decorates a function so that its arguments are checked against their annotations.

    >>> @check_arg_types
    ... def double(text: str) -> str:
    ...     return text * 2
    >>> double(3)
    Traceback (most recent call last):
    TypeError: double(): parameter text=3 violates type hint <class 'str'>: got a value of type int.
    """
    hints: dict[str, Any] | None = None
    signature: inspect.Signature | None = None

    @functools.wraps(function)
    def checked(*args: _P.args, **kwargs: _P.kwargs) -> _R:
        nonlocal hints, signature
        if hints is None or signature is None:
            hints, signature = _resolve_hints(function), inspect.signature(function)
        try:
            bound = signature.bind(*args, **kwargs)
        except TypeError as error:
            raise TypeError(f"{_public_name(function)}() {error}") from None
        for name, value in bound.arguments.items():
            if name in hints:
                _check(_public_name(function), signature.parameters[name], value, hints[name])
        return function(*args, **kwargs)

    return checked


def _public_name(function: Callable[..., Any]) -> str:
    """The name under which users know a function."""
    owner, _, name = function.__qualname__.rpartition(".")
    if owner.endswith("Operations"):
        return f"Table.{name.lstrip('_')}"
    return function.__qualname__ if owner else name.lstrip("_")


def _resolve_hints(function: Callable[..., Any]) -> dict[str, Any]:
    """Annotations as objects; those that name what is not imported at run time are left out."""
    scope = {**vars(builtins), **vars(typing), **_names(), **getattr(function, "__globals__", {})}
    hints = {}
    for name, annotation in function.__annotations__.items():
        if name == "return":
            continue
        if isinstance(annotation, str):
            try:
                annotation = eval(annotation, scope)
            except (NameError, TypeError, AttributeError):
                continue
        hints[name] = annotation
    return hints


@functools.cache
def _names() -> Mapping[str, Any]:
    """The library's classes that modules import for type checkers only."""
    import pathway.internals as internals

    names: dict[str, Any] = {
        name: value for name, value in vars(internals).items() if isinstance(value, type)
    }
    return names


def _check(function: str, parameter: inspect.Parameter, value: Any, hint: Any) -> None:
    if value is parameter.default:
        return
    if parameter.kind is inspect.Parameter.VAR_POSITIONAL:
        wrong = [item for item in value if not _fits(item, hint)]
    elif parameter.kind is inspect.Parameter.VAR_KEYWORD:
        wrong = [item for item in value.values() if not _fits(item, hint)]
    else:
        wrong = [] if _fits(value, hint) else [value]
    if wrong:
        raise TypeError(
            f"{function}(): parameter {parameter.name}={_short(wrong[0])} violates type hint "
            f"{_public(hint)}: got a value of type {type(wrong[0]).__name__}.{_way_out(wrong[0], hint)}"
        )


def _way_out(value: Any, hint: Any) -> str:
    """What to write where a name stands for a column."""
    named = isinstance(value, str) and value.isidentifier()
    takes_columns = any(
        "Column" in getattr(member, "__name__", "") for member in (hint, *typing.get_args(hint))
    )
    return f" Write pw.this.{value} for the column." if named and takes_columns else ""


def _public(hint: Any) -> str:
    """A hint with the library's classes under the names that users know."""
    return re.sub(r"pathway\.internals\.(\w+\.)*", "pathway.", str(hint))


def _short(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 200 else text[:197] + "..."


def _fits(value: Any, hint: Any) -> bool:
    if hint is Any or hint is object or isinstance(hint, (TypeVar, str)):
        return True
    if hint is None:
        return value is None
    origin = typing.get_origin(hint)
    if origin is None:
        if hint is float:
            return isinstance(value, (float, int)) and not isinstance(value, bool)
        return not isinstance(hint, type) or _is_protocol(hint) or isinstance(value, hint)
    args = typing.get_args(hint)
    if origin is typing.Union or origin is types.UnionType:
        return any(_fits(value, member) for member in args)
    if origin is typing.Literal:
        return any(
            value is member or (isinstance(value, type(member)) and value == member) for member in args
        )
    if origin is type:
        return isinstance(value, type) and (not isinstance(args[0], type) or issubclass(value, args[0]))
    if origin is Callable:
        return callable(value)
    if origin is list:
        if not isinstance(value, list):
            return False
        # One instance of each class does, unless instances differ.
        items = dict(zip(map(type, value), value, strict=True)).values() if _is_by_class(args[0]) else value
        return all(_fits(item, args[0]) for item in items)
    return not isinstance(origin, type) or isinstance(value, origin)


def _is_by_class(hint: Any) -> bool:
    """True if whether a value fits depends on its class alone."""
    origin = typing.get_origin(hint)
    if origin is typing.Union or origin is types.UnionType:
        return all(map(_is_by_class, typing.get_args(hint)))
    return origin not in (list, type, typing.Literal)


def _is_protocol(hint: type) -> bool:
    return bool(getattr(hint, "_is_protocol", False)) and "typing" in sys.modules
