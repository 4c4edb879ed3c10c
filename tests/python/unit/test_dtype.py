"""Annotations to dtypes and back."""

from __future__ import annotations

import asyncio
import datetime
import enum
import typing

import numpy as np
import numpy.typing as npt
import pytest

import pathway as pw
from pathway.internals import dtype as dt


class Color(enum.Enum):
    RED = 1


class Keyed(pw.Schema):
    a: int = pw.column_definition(primary_key=True)


ANNOTATIONS: list[tuple[object, dt.DType]] = [
    (int, dt.INT),
    (np.int64, dt.INT),
    (np.float32, dt.FLOAT),
    (None, dt.NONE),
    (typing.Any, dt.ANY),
    (Color, dt.ANY),
    (int | None, dt.Optional(dt.INT)),
    (typing.Optional[str], dt.Optional(dt.STR)),  # noqa: UP045
    (None | int, dt.Optional(dt.INT)),
    (int | float | None, dt.Optional(dt.FLOAT)),
    (typing.Annotated[int, "note"], dt.INT),
    (typing.Literal["a", "b"], dt.STR),
    (pw.Pointer, dt.ANY_POINTER),
    (pw.Pointer[int, str], dt.Pointer(dt.INT, dt.STR)),
    (pw.Pointer[Keyed], dt.Pointer(dt.INT)),
    (tuple[int, str], dt.Tuple(dt.INT, dt.STR)),
    (tuple[int, ...], dt.List(dt.INT)),
    (list, dt.ANY_TUPLE),
    (tuple, dt.ANY_TUPLE),
    (dict[str, int], dt.JSON),
    (pw.Json, dt.JSON),
    (np.ndarray, dt.ANY_ARRAY),
    (npt.NDArray[np.float64], dt.FLOAT_ARRAY),
    (np.ndarray[tuple[int, int], np.dtype[np.int64]], dt.INT_ARRAY_2D),
    (np.ndarray[None, int], dt.Array(0, dt.INT)),
    (pw.DateTimeNaive, dt.DATE_TIME_NAIVE),
    (pw.DateTimeUtc, dt.DATE_TIME_UTC),
    (pw.Duration, dt.DURATION),
    (pw.PyObjectWrapper, dt.ANY_PY_OBJECT_WRAPPER),
    (pw.PyObjectWrapper[Color], dt.PyObjectWrapper(Color)),
    (asyncio.Future[int], dt.Future(dt.INT)),
    (typing.Callable, dt.Callable(None, dt.ANY)),
    (typing.Callable[[int], str], dt.Callable((dt.INT,), dt.STR)),
    (Keyed["a"], dt.INT),
    (pw.Type.optional(pw.Type.BYTES), dt.Optional(dt.BYTES)),
]


@pytest.mark.parametrize(("annotation", "dtype"), ANNOTATIONS, ids=lambda value: str(value)[:40])
def test_wrap(annotation: object, dtype: dt.DType) -> None:
    assert dt.wrap(annotation) is dtype


@pytest.mark.parametrize(
    "annotation", [set, complex, object, datetime.datetime, datetime.timedelta, int | str, any]
)
def test_wrap_refuses(annotation: object) -> None:
    with pytest.raises(TypeError, match="Unsupported type"):
        dt.wrap(annotation)


@pytest.mark.parametrize(
    "dtype", [dtype for _, dtype in ANNOTATIONS if dtype.kind not in ("array", "callable")]
)
def test_typehint_is_the_way_back(dtype: dt.DType) -> None:
    assert dt.wrap(dtype.typehint) is dtype


@pytest.mark.parametrize(
    "make",
    [
        lambda: pw.Type.array(1, int),
        lambda: pw.Type.tuple(pw.Type.INT, str),
        lambda: pw.Type.list(1),
        lambda: pw.Type.optional("x"),
        lambda: pw.Type.future(dt.INT),
    ],
)
def test_types_of_the_engine_are_made_of_such(make: typing.Callable[[], object]) -> None:
    with pytest.raises(TypeError, match=r"pw\.Type\.INT"):
        make()


def test_text() -> None:
    assert repr(dt.Array()) == "Array"
    assert repr(dt.Array(2, dt.INT)) == "Array(2, INT)"
    assert repr(dt.ANY_POINTER) == "ANY_POINTER"
    assert repr(dt.Optional(dt.Tuple(dt.INT, dt.JSON))) == "Optional(Tuple(INT, Json))"


@pytest.mark.parametrize(
    "dtype", [dt.INT, dt.Optional(dt.List(dt.STR)), dt.Array(2, dt.FLOAT), dt.Future(dt.BOOL)]
)
def test_dict_form(dtype: dt.DType) -> None:
    assert dt.parse_dtype_from_dict(dtype.to_dict()) is dtype


def test_unknown_dict_form() -> None:
    with pytest.raises(ValueError, match="dtype"):
        dt.parse_dtype_from_dict({"type": "NUMBER"})


def test_values() -> None:
    assert dt.is_value_compatible(dt.FLOAT, 1)
    assert not dt.is_value_compatible(dt.INT, 1.0)
    assert not dt.is_value_compatible(dt.INT, True)
    assert dt.Optional(dt.BOOL).is_value_compatible(np.bool_(True))
    assert dt.is_value_compatible(dt.Tuple(dt.INT, dt.Optional(dt.STR)), (1, None))
    assert not dt.is_value_compatible(dt.Tuple(dt.INT), (1, 2))
    assert dt.is_value_compatible(dt.Array(1, dt.FLOAT), np.array([1.5]))
    assert not dt.is_value_compatible(dt.Array(2, dt.FLOAT), np.array([1.5]))
    assert dt.is_value_compatible(dt.JSON, pw.Json(1))
    assert not dt.is_value_compatible(dt.DATE_TIME_UTC, datetime.datetime(2020, 1, 1))


def test_common_types() -> None:
    assert dt.types_lca(dt.INT, dt.NONE, raising=True) is dt.Optional(dt.INT)
    assert dt.types_lca(dt.BOOL, dt.INT, raising=False) is dt.ANY
    with pytest.raises(TypeError):
        dt.types_lca(dt.BOOL, dt.INT, raising=True)
