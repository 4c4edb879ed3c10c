"""Functions that take whole columns: `pw.udf(batched="arrow")`, `"numpy"` or `"polars"`."""

from __future__ import annotations

import typing
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from pathway._engine import ArrowColumn, DType
from pathway.internals import dtype as dt
from pathway.internals.lazy_import import LazyModule

if TYPE_CHECKING:
    import numpy as np
else:
    np = LazyModule("numpy")

#: The forms of columns that functions can take.
KINDS = ("arrow", "numpy", "polars")

#: dtypes whose values numpy sees without a copy.
_VIEWS = ("int", "float", "date_time_naive", "date_time_utc", "duration")


def takes_columns(
    function: Callable[..., Any], kind: str, name: str, return_type: DType
) -> Callable[..., Any]:
    """The function as the engine calls it, with an [`ArrowColumn`][] per argument."""
    if kind == "numpy":

        def with_arrays(*columns: ArrowColumn) -> Any:
            result = function(*map(to_numpy, columns))
            return from_numpy(result, name, return_type)

        return with_arrays
    if kind == "polars":
        series = _polars_series(name)
        return lambda *columns: function(*map(series, columns))
    array = _pyarrow_array()
    return lambda *columns: function(*map(array, columns))


def _polars_series(name: str) -> Callable[[ArrowColumn], Any]:
    try:
        import polars
    except ImportError:
        raise ImportError(
            f"the function {name} takes polars series, but polars is not installed: pip install polars."
        ) from None
    return lambda column: polars.Series(column)


def _pyarrow_array() -> Callable[[ArrowColumn], Any]:
    """Arrays of pyarrow where it is there; otherwise the columns, which any library for Arrow can read."""
    try:
        import pyarrow
    except ImportError:
        return lambda column: column
    return lambda column: pyarrow.array(column)


def to_numpy(column: ArrowColumn) -> np.ndarray:
    """A column as an array: read-only and without a copy for numbers and times. Where the type admits
    None, the array is a masked one; anything but numbers, booleans and times comes as objects."""
    dtype = dt.unoptionalize(column.dtype)
    optional = dtype is not column.dtype
    if dtype.kind in _VIEWS:
        values = np.asarray(column)
    elif dtype.kind == "bool":
        values = np.frombuffer(column.flags(), dtype=np.bool_)
    else:
        objects = column.to_list()
        return np.fromiter(objects, dtype=object, count=len(objects))
    if not optional:
        return values
    nulls = column.nulls()
    mask = np.ma.nomask if nulls is None else np.frombuffer(nulls, dtype=np.bool_)
    return np.ma.MaskedArray(values, mask=mask)


def from_numpy(result: Any, name: str, return_type: DType) -> ArrowColumn | list[Any]:
    """What a function of arrays returned, as the engine takes it."""
    if isinstance(result, (list, tuple)):
        return list(result)
    array = result if isinstance(result, np.ndarray) else np.asarray(result)
    if array.ndim == 0:
        raise ValueError(
            f"the function {name} has to return an array with one result per row, it returned {result!r}."
        )
    target = dt.unoptionalize(return_type).kind
    plain = None if array.ndim > 1 else _plain(np.ma.getdata(array), target)
    if plain is None:
        return typing.cast("list[Any]", array.tolist()) if array.ndim == 1 else list(array)
    kind, values = plain
    mask = np.ma.getmaskarray(array) if isinstance(array, np.ma.MaskedArray) else None
    if kind.startswith(("M8", "m8")):
        missing = np.isnat(values)
        mask = missing if mask is None else mask | missing
    nulls = mask.tobytes() if mask is not None and mask.any() else None
    return ArrowColumn.plain(kind, values.tobytes(), nulls)


def _plain(values: np.ndarray, target: str) -> tuple[str, np.ndarray] | None:
    """The values as the engine stores them, if they are plain and the result can be."""
    kind = values.dtype.kind
    if kind == "b" and target == "bool":
        return "b1", values
    if kind in "iub" and target in ("int", "float"):
        if kind == "u" and values.dtype.itemsize == 8 and (values > np.iinfo(np.int64).max).any():
            raise ValueError("integers of more than 63 bits and a sign do not fit a column of type INT.")
        return "i8", values.astype(np.int64, copy=False)
    if kind == "f" and target in ("int", "float"):
        return "f8", values.astype(np.float64, copy=False)
    if kind == "M" and target in ("date_time_naive", "date_time_utc"):
        zone = ", UTC" if target == "date_time_utc" else ""
        return f"M8[ns{zone}]", values.astype("M8[ns]", copy=False)
    if kind == "m" and target == "duration":
        return "m8[ns]", values.astype("m8[ns]", copy=False)
    return None


def element_annotation(annotation: Any) -> Any:
    """The type of one result by the annotation of a function of columns; `...` if it does not say.

    >>> import numpy.typing as npt
    >>> element_annotation(list[str]), element_annotation(npt.NDArray[np.float64])
    (<class 'str'>, FLOAT)
    """
    if typing.get_origin(annotation) is list:
        return typing.get_args(annotation)[0]
    try:
        dtype = dt.wrap(annotation)
    except TypeError:
        return ...
    if dtype.kind == "array" and dtype.args and dtype.args[0].kind in ("int", "float"):
        return dtype.args[0]
    return ...


def has_arrow_form(dtype: DType) -> bool:
    """True if values of the type look in Arrow like what they are."""
    if dtype.kind in ("any", "callable"):
        return False
    return all(map(has_arrow_form, dtype.args or ()))
