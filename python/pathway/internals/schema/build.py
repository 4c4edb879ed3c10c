"""Schemas made by functions instead of the class syntax."""

from __future__ import annotations

import pydoc
import types as types_module
import typing
from collections.abc import Mapping
from typing import Any

from pathway.internals import dtype as dt
from pathway.internals.schema.column import (
    ColumnDefinition,
    SchemaProperties,
    column_definition,
    column_schema,
)
from pathway.internals.schema.schema import Schema, make_schema
from pathway.internals.trace import trace_user_frame, user_names


@trace_user_frame
def schema_from_types(_name: str | None = None, **kwargs: Any) -> type[Schema]:
    """A schema from keyword arguments: column = type. A text is an annotation where it is called.

    The keyword `id` is the type of the row ids if that is one of pointers, otherwise a column of this name.

    >>> import pathway as pw
    >>> print(pw.schema_from_types(shop=str, cost=float))
    id          | shop | cost
    ANY_POINTER | STR  | FLOAT
    """
    name = f"schema({kwargs})" if _name is None else _name
    if kwargs.get("id", ...) is None:
        del kwargs["id"]
    dtypes = {column: dt.wrap(annotation) for column, annotation in _annotations(kwargs).items()}
    id_dtype = dtypes.pop("id") if "id" in dtypes and dtypes["id"].kind == "pointer" else None
    columns = {
        column: column_schema(dtype, column, ColumnDefinition(), SchemaProperties())
        for column, dtype in dtypes.items()
    }
    return make_schema(name, columns, id_dtype=id_dtype)


def _annotations(types: dict[str, Any]) -> dict[str, Any]:
    """The types, texts among them taken for what they say; NameError for names that are not there."""
    if not any(isinstance(annotation, str) for annotation in types.values()):
        return types
    holder = types_module.SimpleNamespace(__annotations__=types)
    hints = typing.get_type_hints(holder, globalns=user_names(), include_extras=True)
    return {column: hints[column] for column in types}


@trace_user_frame
def schema_builder(
    columns: Mapping[str, ColumnDefinition],
    *,
    name: str | None = None,
    properties: SchemaProperties = SchemaProperties(),  # noqa: B008 (immutable)
    id_type: Any = None,
) -> type[Schema]:
    """A schema from column definitions.

    >>> import pathway as pw
    >>> schema = pw.schema_builder({
    ...     "key": pw.column_definition(dtype=int, primary_key=True),
    ...     "first name": pw.column_definition(dtype=str),
    ... }, name="People")
    >>> schema.column_names(), schema.id_type
    (['key', 'first name'], pathway.engine.Pointer[int])
    """
    if not isinstance(columns, Mapping):
        raise AttributeError(f"schema_builder() takes column definitions by name, not {columns!r}.")
    if not isinstance(name, str | None):
        raise TypeError(f"schema_builder(): name={name!r} is no name of a class.")
    built = {}
    for attribute, definition in columns.items():
        if not isinstance(definition, ColumnDefinition):
            raise ValueError(
                f"column {attribute} is given {definition!r}, which is no column definition; make one with "
                "pw.column_definition(dtype=...)."
            )
        dtype = dt.ANY if definition.dtype is None else definition.dtype
        column = column_schema(dtype, attribute, definition, properties)
        built[column.name] = column
    id_dtype = None if id_type is None else dt.wrap(id_type)
    if id_dtype is dt.ANY_POINTER:
        id_dtype = None
    return make_schema(
        f"custom_schema({list(columns)})" if name is None else name,
        built,
        properties=properties,
        id_dtype=id_dtype,
    )


@trace_user_frame
def schema_from_dict(
    columns: Mapping[str, Any],
    *,
    name: str | None = None,
    properties: Mapping[str, Any] | SchemaProperties = SchemaProperties(),  # noqa: B008 (immutable)
) -> type[Schema]:
    """A schema from a dict: column -> type, name of a type, or keyword arguments of a definition.

    >>> import pathway as pw
    >>> print(pw.schema_from_dict({"key": {"dtype": "int", "primary_key": True}, "sum": "float"}))
    id           | key | sum
    Pointer(INT) | INT | FLOAT
    """
    if not isinstance(properties, SchemaProperties):
        properties = SchemaProperties(**properties)
    definitions = {column: _definition(column, entry) for column, entry in columns.items()}
    return schema_builder(definitions, name=name, properties=properties)


def _definition(column: str, entry: Any) -> ColumnDefinition:
    if isinstance(entry, Mapping) and "type" not in entry:
        options = dict(entry)
        dtype = _located_type(column, options.pop("dtype", Any))
        definition: ColumnDefinition = column_definition(dtype=dtype, **options)
        return definition
    return ColumnDefinition(dtype=_located_type(column, entry))


def _located_type(column: str, annotation: Any) -> dt.DType:
    if isinstance(annotation, Mapping):
        return dt.parse_dtype_from_dict(annotation)
    if isinstance(annotation, str):
        located = None if annotation == "None" else pydoc.locate(annotation)
        if located is None and annotation != "None":
            raise ValueError(
                f"column {column}: there is no type named {annotation!r}; write a built-in type or a full "
                'path such as "int", "typing.Any", "pathway.Json".'
            )
        annotation = located
    return dt.wrap(annotation)
