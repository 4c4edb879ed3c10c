"""Dtypes of Python values: of constants in expressions, and whether a value fits a dtype."""

from __future__ import annotations

import datetime
import sys
from typing import Any

from pathway._engine import PENDING, DType, Pointer
from pathway.internals.dtype_annotation import class_of_py_object, wrap


def of_constant(value: Any) -> DType:
    """The dtype of a constant in an expression.

    >>> of_constant(1), of_constant(None), of_constant({"a": 1}), of_constant([1, 2])
    (INT, NONE, Json, List(ANY))
    """
    if isinstance(value, datetime.datetime):
        return DType.DATE_TIME_NAIVE if value.tzinfo is None else DType.DATE_TIME_UTC
    if isinstance(value, datetime.timedelta):
        return DType.DURATION
    try:
        return wrap(type(value))
    except TypeError as error:
        raise TypeError(f"{error}{_advice(value)}") from None


def _advice(value: Any) -> str:
    """What to write instead of something that is no value of a column."""
    from pathway.internals.joinable import Joinable
    from pathway.internals.thisclass import Placeholder, Unpacked

    if isinstance(value, Unpacked):
        return f" {value!r} stands for columns in operations of tables only; here, write *table."
    if isinstance(value, (Joinable, Placeholder)):
        return " A table is no value; take one of its columns, or pw.make_tuple(*table) for all of them."
    if callable(value):
        return " A function is called with pw.apply(function, columns) or made one of columns by pw.udf."
    return ""


def is_value_compatible(dtype: DType, value: Any) -> bool:
    """True if a value that Python code received or returned is of the dtype.

    >>> is_value_compatible(DType.optional(DType.FLOAT), 1), is_value_compatible(DType.INT, "1")
    (True, False)
    """
    kind, args = dtype.kind, dtype.args or ()
    if kind == "any":
        return True
    if kind == "optional":
        return value is None or is_value_compatible(args[0], value)
    if kind == "future":
        return value is PENDING or is_value_compatible(args[0], value)
    if kind == "none":
        return value is None or value is getattr(sys.modules.get("pandas"), "NA", None)
    if kind in ("tuple", "list"):
        return _is_sequence_compatible(kind, args, value)
    if kind == "array":
        return _is_array_compatible(dtype, args[0], value)
    if kind == "py_object":
        from pathway.internals.py_object import PyObjectWrapper

        return isinstance(value, PyObjectWrapper) and isinstance(value.value, class_of_py_object(dtype))
    return _is_scalar_compatible(kind, value)


def _is_scalar_compatible(kind: str, value: Any) -> bool:
    if kind == "pointer":
        return isinstance(value, Pointer)
    if kind == "date_time_naive":
        return isinstance(value, datetime.datetime) and value.tzinfo is None
    if kind == "date_time_utc":
        return isinstance(value, datetime.datetime) and value.tzinfo is not None
    if kind == "duration":
        return isinstance(value, datetime.timedelta)
    if kind == "json":
        from pathway.internals.json import Json

        return isinstance(value, Json)
    if kind == "callable":
        return callable(value)
    if isinstance(value, bool) and kind != "bool":
        return False
    numpy = sys.modules.get("numpy")
    integers = (int,) if numpy is None else (int, numpy.integer)
    accepted: dict[str, tuple[type, ...]] = {
        "int": integers,
        "float": (*integers, float) if numpy is None else (*integers, float, numpy.floating),
        "bool": (bool,) if numpy is None else (bool, numpy.bool_),
        "str": (str,),
        "bytes": (bytes, str),
    }
    return isinstance(value, accepted[kind])


def _is_sequence_compatible(kind: str, args: tuple[DType, ...], value: Any) -> bool:
    if not isinstance(value, (tuple, list)):
        return False
    if kind == "list":
        return all(is_value_compatible(args[0], member) for member in value)
    return len(value) == len(args) and all(map(is_value_compatible, args, value))


def _is_array_compatible(dtype: DType, element: DType, value: Any) -> bool:
    numpy = sys.modules.get("numpy")
    if numpy is None or not isinstance(value, numpy.ndarray):
        return False
    if dtype.n_dim is not None and value.ndim != dtype.n_dim:
        return False
    if element.kind == "any":
        return True
    kinds = "iu" if element.kind == "int" else "iuf"
    return value.dtype.kind in kinds or all(is_value_compatible(element, item) for item in value.flat)


DType.is_value_compatible = is_value_compatible  # type: ignore[method-assign, assignment]
