"""Schemas as Python source text."""

from __future__ import annotations

import keyword
import types
import typing
from typing import TYPE_CHECKING, Any

from pathway.internals.schema.column import ColumnSchema, undefined
from pathway.internals.trace import warn

if TYPE_CHECKING:
    from pathway.internals.schema.schema import Schema

_DEFAULTS = ColumnSchema(dtype=None, name="")  # type: ignore[arg-type]
_FIELDS = (
    "primary_key",
    "default_value",
    "append_only",
    "description",
    "example",
    "source_component",
)


def generate_class(schema: type[Schema], class_name: str | None, generate_imports: bool) -> str:
    """The text of a class that equals `schema`."""
    name = schema.__name__ if class_name is None else class_name
    if not name.isidentifier() or keyword.iskeyword(name):
        warn(f"{name} cannot be the name of a class; the class is named CustomSchema instead.")
        name = "CustomSchema"
    lines = [f"class {name}(pw.Schema):"]
    modules: dict[str, None] = {}
    for index, column in enumerate(schema.columns().values()):
        lines.append("    " + _column_line(column, index, modules))
    if not schema.columns():
        lines.append("    pass")
    if not generate_imports:
        return "\n".join(lines)
    imports = [f"import {module}" for module in modules if module not in ("builtins", "pathway")]
    # The first line is empty where nothing else is imported, as programs know it.
    return "\n".join(["\n".join(imports), "import pathway as pw", "", *lines])


def _column_line(column: ColumnSchema, index: int, modules: dict[str, None]) -> str:
    options = []
    attribute = column.name
    if not attribute.isidentifier() or keyword.iskeyword(attribute):
        attribute = f"column_{index}"
        options.append(f"name={column.name!r}")
    for field in _FIELDS:
        value = getattr(column, field)
        default = getattr(_DEFAULTS, field)
        if value is not undefined and (value is not default or field == "default_value") and value != default:
            options.append(f"{field}={value!r}")
    text = f"{attribute}: {_type_text(column.typehint, modules)}"
    return f"{text} = pw.column_definition({','.join(options)})" if options else text


def _type_text(hint: Any, modules: dict[str, None]) -> str:
    if hint is None or hint is type(None):
        return "None"
    if hint is ...:
        return "Ellipsis"
    if hint is Any:
        modules["typing"] = None
        return "typing.Any"
    origin, args = typing.get_origin(hint), typing.get_args(hint)
    if origin is types.UnionType or origin is typing.Union:
        return " | ".join(_type_text(arg, modules) for arg in args)
    if origin is None:
        return _class_text(hint, modules)
    base = _class_text(origin, modules)
    return f"{base}[{', '.join(_type_text(arg, modules) for arg in args) or '()'}]"


def _class_text(cls: Any, modules: dict[str, None]) -> str:
    module = cls.__module__
    if module == "builtins":
        return str(cls.__qualname__)
    modules[module] = None
    return f"{module}.{cls.__qualname__}"
