"""Schemas as dicts that JSON can hold."""

from __future__ import annotations

import base64
import json
from typing import TYPE_CHECKING, Any

from pathway._engine import Pointer, unsafe_make_pointer
from pathway.internals.json import Json

if TYPE_CHECKING:
    from pathway.internals.schema.schema import Schema


def schema_to_dict(schema: type[Schema]) -> dict[str, Any]:
    """The dict that `pw.schema_from_dict(**d)` turns back into an equal schema."""
    columns: dict[str, dict[str, Any]] = {}
    for name, column in schema.columns().items():
        entry: dict[str, Any] = {
            "dtype": column.dtype.to_dict(),
            "name": column.name,
            "primary_key": column.primary_key,
            "append_only": column.append_only,
            "description": column.description,
            "source_component": column.source_component,
        }
        if column.has_default_value():
            entry["_serialized_default_value"] = serialize_value(column.default_value)
        if column.example is not None:
            entry["_serialized_example"] = serialize_value(column.example)
        columns[name] = entry
    return {"columns": columns}


def serialize_value(value: Any) -> str:
    """A value as opaque text."""
    return base64.b64encode(json.dumps(_encode(value), separators=(",", ":")).encode()).decode("ascii")


def deserialize_value(text: str) -> Any:
    """The value that [`serialize_value`][] made the text of."""
    return _decode(json.loads(base64.b64decode(text)))


def _encode(value: Any) -> Any:
    import datetime

    if value is None or isinstance(value, (bool, int, str)):
        return value
    if isinstance(value, float):
        return {"float": value.hex()}
    if isinstance(value, bytes):
        return {"bytes": base64.b64encode(value).decode("ascii")}
    if isinstance(value, Json):
        return {"json": value.value}
    if isinstance(value, Pointer):
        return {"pointer": str(int(value))}
    if isinstance(value, (tuple, list)):
        return {"tuple" if isinstance(value, tuple) else "list": [_encode(item) for item in value]}
    if isinstance(value, dict):
        return {"json": value}
    if isinstance(value, datetime.datetime):
        return {"datetime": value.isoformat()}
    if isinstance(value, datetime.timedelta):
        return {"duration": str(value)}
    raise TypeError(f"a schema with the default or example {value!r} cannot be turned into JSON")


def _decode(encoded: Any) -> Any:
    if not isinstance(encoded, dict):
        return encoded
    ((kind, body),) = encoded.items()
    if kind == "float":
        return float.fromhex(body)
    if kind == "bytes":
        return base64.b64decode(body)
    if kind == "json":
        return Json(body)
    if kind == "pointer":
        return unsafe_make_pointer(int(body))
    if kind in ("tuple", "list"):
        members = [_decode(item) for item in body]
        return tuple(members) if kind == "tuple" else members
    import pandas

    return pandas.Timestamp(body) if kind == "datetime" else pandas.Timedelta(body)
