"""Dtypes: what the cells of a column can hold, and how annotations name them.

The dtypes themselves, their equality, subtyping and text are the engine's ([`DType`][]); here are
the constants and constructors that Python code uses, [`wrap`][] from an annotation to a dtype, and
[`typehint`][] back. Equal dtypes are the same object:

>>> from pathway.internals import dtype as dt
>>> dt.wrap(int | None) is dt.Optional(dt.INT)
True
"""

from __future__ import annotations

from collections.abc import Mapping
from types import EllipsisType
from typing import Any as _Any

from pathway._engine import DType
from pathway.internals.dtype_annotation import class_of_py_object, name_of_py_object, typehint, wrap
from pathway.internals.dtype_value import is_value_compatible, of_constant

INT = DType.INT
FLOAT = DType.FLOAT
BOOL = DType.BOOL
STR = DType.STR
BYTES = DType.BYTES
NONE = DType.NONE
ANY = DType.ANY
JSON = DType.JSON
DATE_TIME_NAIVE = DType.DATE_TIME_NAIVE
DATE_TIME_UTC = DType.DATE_TIME_UTC
DURATION = DType.DURATION
ANY_POINTER = DType.ANY_POINTER


def Optional(wrapped: DType) -> DType:
    """None or a value of `wrapped`.

    >>> Optional(Optional(INT)), Optional(ANY)
    (Optional(INT), ANY)
    """
    return DType.optional(wrapped)


def Future(wrapped: DType) -> DType:
    """A value of `wrapped`, or a result that is still to come."""
    return DType.future(wrapped)


def Pointer(*args: DType) -> DType:
    """Row ids made from values of these dtypes; without arguments those of a table with one row.

    >>> Pointer(INT, STR)
    Pointer(INT, STR)
    """
    return DType.pointer(*args)


def Tuple(*members: _Any) -> DType:
    """Tuples of exactly these members; `Tuple(T, ...)` is `List(T)`.

    >>> Tuple(INT, STR), Tuple(INT, ...)
    (Tuple(INT, STR), List(INT))
    """
    if len(members) == 2 and members[1] is ...:
        return DType.list(members[0])
    return DType.tuple(*members)


def List(member: DType) -> DType:
    """Sequences of any length."""
    return DType.list(member)


def Array(n_dim: int | None = None, wrapped: DType = ANY) -> DType:
    """Numeric arrays, with the number of dimensions and the element type where they are known.

    >>> Array(), Array(2), Array(wrapped=FLOAT), Array(2, INT)
    (Array, Array(2), Array(FLOAT), Array(2, INT))
    """
    return DType.array(n_dim, wrapped)


def PyObjectWrapper(wrapped: type) -> DType:
    """Python objects of the class `wrapped`."""
    return DType.py_object(name_of_py_object(wrapped))


def Callable(args: tuple[DType, ...] | EllipsisType | None, result: DType) -> DType:
    """Methods of class transformers; `args` is None where they are unknown."""
    return DType.callable(None if isinstance(args, EllipsisType) else args, result)


ANY_TUPLE = List(ANY)
ANY_ARRAY = Array()
INT_ARRAY = Array(wrapped=INT)
FLOAT_ARRAY = Array(wrapped=FLOAT)
ANY_ARRAY_1D, ANY_ARRAY_2D = Array(1), Array(2)
INT_ARRAY_1D, INT_ARRAY_2D = Array(1, INT), Array(2, INT)
FLOAT_ARRAY_1D, FLOAT_ARRAY_2D = Array(1, FLOAT), Array(2, FLOAT)
ANY_PY_OBJECT_WRAPPER = PyObjectWrapper(object)


def unoptionalize(dtype: DType) -> DType:
    """The dtype without its Optional.

    >>> unoptionalize(Optional(INT)), unoptionalize(STR)
    (INT, STR)
    """
    return dtype.args[0] if dtype.kind == "optional" and dtype.args else dtype


def is_optional(dtype: DType) -> bool:
    """True if None is a value of the dtype: Optional, NONE or ANY."""
    return dtype.kind in ("optional", "none", "any")


def dtype_issubclass(left: DType, right: DType, *, int_float_compatible: bool = True) -> bool:
    """True if every value of `left` can stand where `right` is expected.

    >>> dtype_issubclass(INT, FLOAT), dtype_issubclass(BOOL, INT), dtype_issubclass(INT, Optional(INT))
    (True, False, True)
    """
    return left.is_subtype_of(right, int_float_compatible)


def dtype_equivalence(left: DType, right: DType) -> bool:
    """True if each is a subtype of the other."""
    return dtype_issubclass(left, right) and dtype_issubclass(right, left)


def types_lca(left: DType, right: DType, *, raising: bool) -> DType:
    """The smallest dtype that holds the values of both; without one a TypeError, or ANY.

    >>> types_lca(INT, FLOAT, raising=True), types_lca(INT, STR, raising=False)
    (FLOAT, ANY)
    """
    return DType.common_type(left, right) if raising else DType.common_type_or_any(left, right)


def parse_dtype_from_dict(notation: Mapping[str, _Any]) -> DType:
    """The dtype that `to_dict()` of a dtype describes.

    >>> parse_dtype_from_dict({"type": "LIST", "wrapped": {"type": "INT"}})
    List(INT)
    """
    return DType.from_dict(notation)


__all__ = [
    "ANY",
    "ANY_ARRAY",
    "ANY_ARRAY_1D",
    "ANY_ARRAY_2D",
    "ANY_POINTER",
    "ANY_PY_OBJECT_WRAPPER",
    "ANY_TUPLE",
    "BOOL",
    "BYTES",
    "DATE_TIME_NAIVE",
    "DATE_TIME_UTC",
    "DURATION",
    "FLOAT",
    "FLOAT_ARRAY",
    "FLOAT_ARRAY_1D",
    "FLOAT_ARRAY_2D",
    "INT",
    "INT_ARRAY",
    "INT_ARRAY_1D",
    "INT_ARRAY_2D",
    "JSON",
    "NONE",
    "STR",
    "Array",
    "Callable",
    "DType",
    "Future",
    "List",
    "Optional",
    "Pointer",
    "PyObjectWrapper",
    "Tuple",
    "class_of_py_object",
    "dtype_equivalence",
    "dtype_issubclass",
    "is_optional",
    "is_value_compatible",
    "of_constant",
    "parse_dtype_from_dict",
    "typehint",
    "types_lca",
    "unoptionalize",
    "wrap",
]
