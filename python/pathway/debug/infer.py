"""The dtypes that columns of Python values and of data frames suggest."""

from __future__ import annotations

import datetime
from typing import Any

from pathway._engine import DType, Pointer
from pathway.debug.static_data import StaticData
from pathway.internals.json import Json
from pathway.internals.py_object import PyObjectWrapper


def from_data_frame(frame: Any, *, with_schema: bool) -> StaticData:
    """The columns of a pandas data frame, with its index as labels.

    Without a schema, cells of mixed kinds become text.
    """
    columns: dict[str, list[Any]] = {}
    dtypes: dict[str, DType] = {}
    for name in frame.columns:
        values = _values(frame[name])
        dtype = _dtype_of_series(frame[name], values)
        columns[str(name)] = values
        if dtype in (DType.STR, DType.optional(DType.STR)) and not set(map(type, values)) <= {
            str,
            type(None),
        }:
            if with_schema:
                continue
            columns[str(name)] = [_text(value) for value in values]
        dtypes[str(name)] = dtype
    return StaticData(columns, dtypes, frame.index.tolist(), len(frame))


def _values(series: Any) -> list[Any]:
    """The cells, missing ones as None."""
    values: list[Any] = series.tolist()
    missing = series.isna()
    if not missing.any():
        return values
    return [None if is_missing else value for value, is_missing in zip(values, missing, strict=True)]


def _text(value: Any) -> Any:
    is_container = isinstance(value, (tuple, list, dict))
    return value if value is None or is_container or isinstance(value, str) else str(value)


def _dtype_of_series(series: Any, values: list[Any]) -> DType:
    if not values:
        return DType.ANY
    known = [value for value in values if value is not None]
    if not known:
        return DType.NONE
    dtype = _dtype_of_storage(series.dtype) or dtype_of_values(known)
    return dtype if len(known) == len(values) else DType.optional(dtype)


def _dtype_of_storage(storage: Any) -> DType | None:
    """The dtype that the storage of a column decides; None for objects."""
    import pandas.api.types as types

    if types.is_bool_dtype(storage):
        return DType.BOOL
    if types.is_integer_dtype(storage):
        return DType.INT
    if types.is_float_dtype(storage):
        return DType.FLOAT
    if types.is_datetime64_any_dtype(storage):
        return DType.DATE_TIME_NAIVE if getattr(storage, "tz", None) is None else DType.DATE_TIME_UTC
    if types.is_timedelta64_dtype(storage):
        return DType.DURATION
    if types.is_object_dtype(storage) or types.is_string_dtype(storage):
        return None
    return DType.ANY


def dtype_of_values(values: list[Any]) -> DType:
    """The dtype of values none of which is None; mixed ones are text.

    >>> dtype_of_values([(1, "a"), (2, "b")]), dtype_of_values([(1,), (2, 3)]), dtype_of_values([1, "a"])
    (Tuple(INT, STR), List(INT), STR)
    """
    if all(isinstance(value, (dict, Json)) for value in values):
        return DType.JSON
    if all(isinstance(value, (tuple, list)) for value in values):
        return _dtype_of_sequences(values)
    if all(type(value).__name__ == "ndarray" for value in values):
        return _dtype_of_arrays(values)
    for kinds, dtype in _CLASSES:
        if all(isinstance(value, kinds) for value in values):
            return dtype
    if all(isinstance(value, datetime.datetime) for value in values):
        if all(value.tzinfo is None for value in values):
            return DType.DATE_TIME_NAIVE
        if all(value.tzinfo is not None for value in values):
            return DType.DATE_TIME_UTC
    return DType.STR


_CLASSES: tuple[tuple[Any, DType], ...] = (
    (str, DType.STR),
    (bytes, DType.BYTES),
    (bool, DType.BOOL),
    (Pointer, DType.ANY_POINTER),
    (datetime.timedelta, DType.DURATION),
    (PyObjectWrapper, DType.py_object("object")),
)


def _dtype_of_member(values: list[Any]) -> DType:
    known = [value for value in values if value is not None]
    if not known:
        return DType.NONE if values else DType.ANY
    if all(isinstance(value, int) and not isinstance(value, bool) for value in known):
        # As in a column of its own, whole numbers with gaps are floats.
        dtype = DType.INT if len(known) == len(values) else DType.FLOAT
    elif all(isinstance(value, (int, float)) and not isinstance(value, bool) for value in known):
        dtype = DType.FLOAT
    else:
        dtype = dtype_of_values(known)
    return dtype if len(known) == len(values) else DType.optional(dtype)


def _dtype_of_sequences(values: list[Any]) -> DType:
    if len({len(value) for value in values}) == 1:
        return DType.tuple(*(_dtype_of_member(list(members)) for members in zip(*values, strict=True)))
    return DType.list(_dtype_of_member([member for value in values for member in value]))


def _dtype_of_arrays(values: list[Any]) -> DType:
    dimensions = {value.ndim for value in values}
    kinds = {value.dtype.kind for value in values}
    element = DType.ANY
    if kinds <= {"i", "u"}:
        element = DType.INT
    elif kinds == {"f"}:
        element = DType.FLOAT
    return DType.array(dimensions.pop() if len(dimensions) == 1 else None, element)
