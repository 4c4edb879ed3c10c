"""Annotations of parameters against the types of the columns that are passed."""

from __future__ import annotations

import datetime
import inspect
import types
import typing
from collections.abc import Callable, Sequence
from typing import Any

from pathway._engine import DType
from pathway.internals.udfs.batched import element_annotation

#: Groups of types of which no value of one is a value of another.
_CLASSES: dict[type, str] = {
    bool: "number",
    int: "number",
    float: "number",
    str: "text",
    bytes: "bytes",
    datetime.datetime: "time",
    datetime.timedelta: "duration",
}
_KINDS = {
    "bool": "number",
    "int": "number",
    "float": "number",
    "str": "text",
    "bytes": "bytes",
    "date_time_naive": "time",
    "date_time_utc": "time",
    "duration": "duration",
    "pointer": "pointer",
}


def check_arguments(
    function: Callable[..., Any],
    name: str,
    dtypes: Sequence[DType],
    keywords: tuple[str, ...],
    *,
    is_batch: bool,
) -> None:
    """Raises TypeError if an argument can be no value of its parameter's annotation.

    Only where that is certain: a number for text, say. What a function makes of an int where it is
    annotated with a float, or of a Json value, is its own business.

    >>> def shout(text: str) -> str:
    ...     return text.upper()
    >>> check_arguments(shout, "shout", [DType.STR], (), is_batch=False)
    >>> check_arguments(shout, "shout", [DType.INT], (), is_batch=False)
    Traceback (most recent call last):
    TypeError: the parameter text of the function shout is annotated with str, the argument is of type INT.
    """
    try:
        signature = inspect.signature(function)
        positional = len(dtypes) - len(keywords)
        bound = signature.bind(*dtypes[:positional], **dict(zip(keywords, dtypes[positional:], strict=True)))
    except (TypeError, ValueError):  # no signature, or other parameters: the call itself will tell
        return
    for parameter, given in bound.arguments.items():
        annotation = _annotation(function, signature.parameters[parameter])
        if is_batch:
            annotation = element_annotation(annotation)
        for dtype in _given(given):
            if _contradicts(annotation, dtype):
                raise TypeError(
                    f"the parameter {parameter} of the function {name} is annotated with "
                    f"{_text(annotation)}, the argument is of type {dtype}."
                )


def _given(argument: Any) -> Sequence[DType]:
    """The dtypes that `*args` or `**kwargs` or a plain parameter received."""
    if isinstance(argument, tuple):
        return argument
    return list(argument.values()) if isinstance(argument, dict) else [argument]


def _annotation(function: Callable[..., Any], parameter: inspect.Parameter) -> Any:
    annotation = parameter.annotation
    if annotation is inspect.Parameter.empty:
        return ...
    if isinstance(annotation, str):
        scope = getattr(inspect.unwrap(function), "__globals__", {})
        try:
            return eval(annotation, scope)
        except Exception:  # a name that is not there at run time
            return ...
    return annotation


def _contradicts(annotation: Any, dtype: DType) -> bool:
    wanted = _groups(annotation)
    while dtype.kind in ("optional", "future") and dtype.args:
        dtype = dtype.args[0]
    return wanted is not None and _KINDS.get(dtype.kind, "anything") not in (*wanted, "anything")


def _groups(annotation: Any) -> set[str] | None:
    """The groups of values that an annotation allows; nothing if it may be anything."""
    if typing.get_origin(annotation) in (typing.Union, types.UnionType):
        groups = [_groups(member) for member in typing.get_args(annotation) if member is not type(None)]
        return None if None in groups else {group for part in groups if part for group in part}
    annotation = getattr(annotation, "__pathway_dtype__", annotation)
    if isinstance(annotation, DType):
        group = _KINDS.get(annotation.kind)
        return None if group is None else {group}
    if not isinstance(annotation, type) or typing.get_origin(annotation) is not None:
        return None
    for known, group in _CLASSES.items():
        # A subclass of str, say, is more than text: values of the engine are none of it.
        if annotation is known or (issubclass(annotation, known) and group in ("time", "duration")):
            return {group}
    return None


def _text(annotation: Any) -> str:
    return annotation.__name__ if isinstance(annotation, type) else str(annotation)
