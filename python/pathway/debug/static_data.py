"""Rows that are part of a program, on their way to a table."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable, Sequence
from typing import Any

from pathway._engine import DType, Keys, Pointer, Universe, ref_scalar, unsafe_make_pointer
from pathway.internals import dtype as dt
from pathway.internals.errors import no_such_column
from pathway.internals.parse_graph import G
from pathway.internals.schema import ColumnSchema, Schema, make_schema
from pathway.internals.table import Table
from pathway.internals.trace import current_frame, warn

_TIME, _DIFF, _SHARD = "__time__", "__diff__", "__shard__"


@dataclasses.dataclass
class StaticData:
    """Columns of values with the dtypes they suggest, and labels of the rows."""

    columns: dict[str, list[Any]]
    dtypes: dict[str, DType]
    labels: list[Any] | None
    length: int

    def special(self, name: str, default: int) -> list[int] | None:
        """Takes out a special column; None if it is not there."""
        values = self.columns.pop(name, None)
        self.dtypes.pop(name, None)
        if values is None:
            return None
        if not set(map(type, values)) <= {int} and not all(map(_is_integer, values)):
            raise ValueError(f"the column {name} holds integers; there is something else in it.")
        return values


def static_table(
    data: StaticData,
    schema: type[Schema] | None,
    *,
    id_from: Sequence[str] | None = None,
    unsafe_trusted_ids: bool = False,
    new_universe: bool = False,
    ids_by_label: bool = False,
    known_at_start: bool = False,
) -> Table:
    """The table of some rows.

    With `ids_by_label` the labels give the ids even if the schema has a primary key; those that are
    pointers are the ids themselves. With `known_at_start` outputs are not told of rows at time 0.
    """
    times = _times(data)
    diffs = _diffs(data)
    shards = data.special(_SHARD, 0)
    if schema is None:
        schema = _inferred_schema(data, id_from or ())
    elif id_from is not None:
        raise ValueError("give schema or id_from, not both: a schema tells the primary key itself.")
    if set(schema.column_names()) != set(data.columns):
        raise ValueError(
            f"the schema has the columns {schema.column_names()}, but the data has {list(data.columns)}."
        )
    schema = schema.update_properties(append_only=-1 not in (diffs or ()))
    columns = {
        name: data.columns[name]
        if data.dtypes.get(name) is column.dtype and dt.unoptionalize(column.dtype) is not dt.STR
        else _converted(data.columns[name], column.dtype)
        for name, column in schema.columns().items()
    }
    primary_key = [] if ids_by_label else schema.primary_key_columns() or []
    keys = _keys(
        data, [columns[name] for name in primary_key], unsafe_trusted_ids, unsafe_trusted_ids or ids_by_label
    )
    universe_key = _identity(schema, keys, times, diffs, shards, unsafe_trusted_ids)
    universe: Universe | None = None if new_universe else G.static_universes.get(universe_key)
    engine = G.engine.static_table(
        [column.to_field() for column in schema.columns().values()],
        keys,
        list(columns.values()),
        times=times,
        diffs=diffs,
        shards=shards,
        universe=universe,
        id_dtype=schema.__pathway_id_dtype__,
        known_at_start=known_at_start,
        frame=current_frame(),
    )
    if universe is None and not new_universe:
        G.static_universes[universe_key] = engine.universe
    return Table(engine, schema)


def _times(data: StaticData) -> list[int] | None:
    times = data.special(_TIME, 0)
    if times is None:
        return None
    if times and min(times) < 0:
        raise ValueError(f"the times in the column {_TIME} have to be 0 or more.")
    if any(time % 2 for time in times):
        warn(f"times are even numbers; as there are odd ones in {_TIME}, all are doubled")
        return [time * 2 for time in times]
    return times


def _diffs(data: StaticData) -> list[int] | None:
    diffs = data.special(_DIFF, 1)
    if diffs is not None and not set(diffs) <= {1, -1}:
        raise ValueError(f"the column {_DIFF} holds 1 (a row is added) or -1 (it is removed).")
    return diffs


def _inferred_schema(data: StaticData, id_from: Sequence[str]) -> type[Schema]:
    if isinstance(id_from, str):
        raise TypeError(f"id_from has to be a list of column names, not the string {id_from!r}.")
    for name in id_from:
        if name not in data.columns:
            raise KeyError(no_such_column(name, data.columns, "the data"))
    columns = {
        name: ColumnSchema(dtype=dtype, name=name, primary_key=name in id_from)
        for name, dtype in data.dtypes.items()
    }
    return make_schema(f"schema_from_values({list(columns)})", columns)


def _keys(
    data: StaticData, primary_key: list[list[Any]], unsafe_trusted_ids: bool, trust_pointers: bool
) -> Keys:
    if primary_key:
        return Keys.of_columns(primary_key)
    labels = list(range(data.length)) if data.labels is None else data.labels
    has_pointers = trust_pointers and Pointer in set(map(type, labels))
    if not unsafe_trusted_ids and not has_pointers:
        return Keys.of_columns([labels])
    make: Callable[[Any], Pointer] = unsafe_make_pointer if unsafe_trusted_ids else ref_scalar
    return Keys([label if isinstance(label, Pointer) else make(label) for label in labels])


def _identity(
    schema: type[Schema],
    keys: Keys,
    times: list[int] | None,
    diffs: list[int] | None,
    shards: list[int] | None,
    unsafe_trusted_ids: bool,
) -> tuple[Any, ...]:
    """Equal for tables whose rows have the same ids by the same columns, and the same history."""
    primary_key = tuple(schema.primary_key_columns() or ())
    return primary_key, unsafe_trusted_ids, len(keys), keys.digest(times, diffs, shards)


def _converted(values: list[Any], dtype: DType) -> list[Any]:
    kind = dt.unoptionalize(dtype).kind
    plain = {_PLAIN.get(kind, type(None)), type(None) if dtype.kind == "optional" else _PLAIN.get(kind)}
    if set(map(type, values)) <= plain:
        return values
    convert = _CONVERSIONS.get(kind)
    missing_as_none = dtype.kind != "float"
    result: list[Any] = []
    for value in values:
        if value is None or (missing_as_none and _is_missing(value)):
            result.append(None)
        else:
            result.append(value if convert is None else convert(value))
    return result


def _is_integer(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _is_missing(value: Any) -> bool:
    """True for nan, NaT and pandas' NA."""
    if isinstance(value, float):
        return math.isnan(value)
    return type(value).__name__ in ("NaTType", "NAType")


def _to_str(value: Any) -> Any:
    is_scalar = (
        isinstance(value, (int, float, bytes)) or hasattr(value, "dtype") or hasattr(value, "isoformat")
    )
    return str(value) if not isinstance(value, str) and is_scalar else value


def _to_float(value: Any) -> Any:
    return float(value) if isinstance(value, int) else value


def _to_int(value: Any) -> Any:
    return int(value) if isinstance(value, float) and value.is_integer() else value


def _to_bytes(value: Any) -> Any:
    return value.encode() if isinstance(value, str) else value


#: Classes whose instances need no look, by kind of dtype.
_PLAIN: dict[str, type] = {"int": int, "bool": bool, "str": str, "bytes": bytes}

_CONVERSIONS: dict[str, Callable[[Any], Any]] = {
    "str": _to_str,
    "float": _to_float,
    "int": _to_int,
    "bytes": _to_bytes,
}
