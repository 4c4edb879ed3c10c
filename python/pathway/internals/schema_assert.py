"""`pw.assert_table_has_schema` and `pw.table_transformer`: schemas of tables, checked."""

from __future__ import annotations

import functools
import inspect
import typing
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from pathway.internals.joinable import Joinable
from pathway.internals.schema import Schema
from pathway.internals.schema.schema import SchemaMetaclass
from pathway.internals.table import Table
from pathway.internals.trace import trace_user_frame

_F = TypeVar("_F", bound=Callable[..., Any])


@trace_user_frame
def assert_table_has_schema(
    table: Table,
    schema: type[Schema],
    *,
    allow_superset: bool = True,
    ignore_primary_keys: bool = True,
    allow_subtype: bool = True,
) -> None:
    """Raises AssertionError unless the table has the columns of a schema.

    >>> import pathway as pw
    >>> t = pw.debug.table_from_markdown('''
    ... a | b
    ... 1 | x
    ... ''')
    >>> pw.assert_table_has_schema(t, pw.schema_from_types(a=int))
    """
    if not isinstance(table, Joinable):
        raise AttributeError(f"a table is asserted to have a schema; {table!r} is none.")
    if not isinstance(schema, SchemaMetaclass):
        raise AttributeError(f"{schema!r} is no schema, which a table could be asserted to have.")
    table.schema.assert_matches_schema(
        schema,
        allow_superset=allow_superset,
        ignore_primary_keys=ignore_primary_keys,
        allow_subtype=allow_subtype,
    )


@typing.overload
def table_transformer(func: _F) -> _F: ...


@typing.overload
def table_transformer(
    *,
    allow_superset: bool | Mapping[str, bool] = True,
    ignore_primary_keys: bool | Mapping[str, bool] = True,
    allow_subtype: bool | Mapping[str, bool] = True,
    locals: dict[str, Any] | None = None,
) -> Callable[[_F], _F]: ...


def table_transformer(
    func: Any = None,
    *,
    allow_superset: bool | Mapping[str, bool] = True,
    ignore_primary_keys: bool | Mapping[str, bool] = True,
    allow_subtype: bool | Mapping[str, bool] = True,
    locals: dict[str, Any] | None = None,
) -> Any:
    """Decorates a function: tables annotated `pw.Table[S]` are checked against the schema S at each call.

    >>> import pathway as pw
    >>> class In(pw.Schema):
    ...     a: int
    >>> class Out(pw.Schema):
    ...     b: int
    >>> @pw.table_transformer
    ... def double(t: pw.Table[In]) -> pw.Table[Out]:
    ...     return t.select(b=t.a * 2)
    >>> t = pw.debug.table_from_markdown('''
    ... a
    ... 4
    ... ''')
    >>> pw.debug.compute_and_print(double(t), include_id=False)
    b
    8
    """

    def decorate(function: Callable[..., Any]) -> Callable[..., Any]:
        signature = inspect.signature(function)
        hints = typing.get_type_hints(function, localns=locals)

        def check(name: str, value: Any) -> None:
            schema = _schema_of(hints.get(name))
            if schema is None:
                return
            try:
                assert_table_has_schema(
                    value,
                    schema,
                    allow_superset=_flag(allow_superset, name),
                    ignore_primary_keys=_flag(ignore_primary_keys, name),
                    allow_subtype=_flag(allow_subtype, name),
                )
            except AssertionError as error:
                what = "return value" if name == "return" else f"argument {name}"
                raise AssertionError(f"the {what} of {function.__name__} does not fit: {error}") from error

        @functools.wraps(function)
        @trace_user_frame
        def checked(*args: Any, **kwargs: Any) -> Any:
            try:
                bound = signature.bind(*args, **kwargs)
            except TypeError as error:
                raise TypeError(f"{function.__name__}() {error}") from None
            for name, value in bound.arguments.items():
                check(name, value)
            result = function(*args, **kwargs)
            check("return", result)
            return result

        return checked

    return decorate if func is None else decorate(func)


def _schema_of(hint: Any) -> type[Schema] | None:
    if typing.get_origin(hint) is not Table:
        return None
    (argument,) = typing.get_args(hint)
    return argument if isinstance(argument, type) and issubclass(argument, Schema) else None


def _flag(value: bool | Mapping[str, bool], name: str) -> bool:
    return value.get(name, True) if isinstance(value, Mapping) else value
