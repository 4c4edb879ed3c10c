"""Values between Python and the engine: which objects each dtype takes, and what comes back."""

from __future__ import annotations

import collections
import dataclasses
import datetime
import decimal
import enum
import functools
import json
import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pytest

from pathway._engine import ERROR, PENDING, DType, _round_trip, unsafe_make_pointer
from pathway.internals.json import Json
from pathway.internals.py_object import PyObjectWrapper, wrap_py_object

UTC = datetime.timezone.utc
WARSAW = pd.Timestamp("2020-01-01", tz="Europe/Warsaw")
Pair = collections.namedtuple("Pair", "a b")
REFUSED = object()
DEEP = Json(functools.reduce(lambda inner, _: [inner], range(150), "deep"))
JSON: Any = json  # dumps to text, not bytes, which is taken all the same


class IntColor(enum.IntEnum):
    RED = 5


class StrColor(str, enum.Enum):
    RED = "red"


class PlainColor(enum.Enum):
    RED = 1


class HasFloat:
    def __float__(self) -> float:
        return 2.5


class HasIndex:
    def __index__(self) -> int:
        return 7


@dataclasses.dataclass
class Point:
    x: int = 1


def same(got: Any, expected: Any) -> bool:
    if isinstance(expected, np.ndarray):
        return isinstance(got, np.ndarray) and got.dtype == expected.dtype and np.array_equal(got, expected)
    if isinstance(expected, PyObjectWrapper):
        return isinstance(got, PyObjectWrapper) and got.value == expected.value
    if isinstance(expected, float) and math.isnan(expected):
        return isinstance(got, float) and math.isnan(got)
    if isinstance(expected, tuple):
        return isinstance(got, tuple) and len(got) == len(expected) and all(map(same, got, expected))
    return type(got) is type(expected) and bool(got == expected)


def ints(*values: int) -> np.ndarray[Any, Any]:
    return np.array(values, dtype=np.int64)


CASES: dict[str, tuple[DType, list[tuple[Any, Any]]]] = {
    "int": (
        DType.INT,
        [
            (3, 3),
            (True, 1),
            (IntColor.RED, 5),
            (np.int8(-3), -3),
            (np.uint64(2**63 - 1), 2**63 - 1),
            (np.array(4), 4),
            (HasIndex(), 7),
            (Json(3), 3),
            (-(2**63), -(2**63)),
            (2**63, REFUSED),
            (np.uint64(2**63), REFUSED),
            (1.0, REFUSED),
            (np.bool_(True), REFUSED),
            ("1", REFUSED),
            (None, REFUSED),
            (decimal.Decimal(1), REFUSED),
            (ints(1, 2), REFUSED),
        ],
    ),
    "float": (
        DType.FLOAT,
        [
            (1.5, 1.5),
            (float("nan"), float("nan")),
            (3, 3.0),
            (2**70, float(2**70)),
            (True, 1.0),
            (np.bool_(True), 1.0),
            (np.float32(1.5), 1.5),
            (np.int8(3), 3.0),
            (np.array(2.5), 2.5),
            (decimal.Decimal("1.5"), 1.5),
            (HasFloat(), 2.5),
            (10**400, REFUSED),
            ("1.5", REFUSED),
            (None, REFUSED),
            (datetime.timedelta(1), REFUSED),
            (pd.Timedelta(1), REFUSED),
            (Json("1"), REFUSED),
        ],
    ),
    "bool": (
        DType.BOOL,
        [(True, True), (False, False), (np.bool_(True), True), (1, REFUSED), (0, REFUSED), (None, REFUSED)],
    ),
    "str": (
        DType.STR,
        [
            ("", ""),
            ("zażółć", "zażółć"),
            (np.str_("q"), "q"),
            (StrColor.RED, "red"),
            ("\ud800", REFUSED),
            (b"a", REFUSED),
            (1, REFUSED),
            (Json("s"), REFUSED),
        ],
    ),
    "bytes": (
        DType.BYTES,
        [
            (b"", b""),
            (b"a\x00\xff", b"a\x00\xff"),
            (bytearray(b"a"), REFUSED),
            (memoryview(b"a"), REFUSED),
            ("a", REFUSED),
        ],
    ),
    "none": (DType.NONE, [(None, None), (1, REFUSED)]),
    "optional int": (DType.optional(DType.INT), [(None, None), (1, 1), ("a", REFUSED)]),
    "pointer": (
        DType.ANY_POINTER,
        [
            (unsafe_make_pointer(2**128 - 1), unsafe_make_pointer(2**128 - 1)),
            (1, REFUSED),
            ("^", REFUSED),
            (None, REFUSED),
        ],
    ),
    "naive": (
        DType.DATE_TIME_NAIVE,
        [
            (datetime.datetime(2020, 1, 2, 3, 4, 5, 6), pd.Timestamp("2020-01-02 03:04:05.000006")),
            (datetime.datetime(1969, 12, 31, 23, 59, 59), pd.Timestamp("1969-12-31 23:59:59")),
            (pd.Timestamp("2020-01-01 00:00:00.123456789"), pd.Timestamp("2020-01-01 00:00:00.123456789")),
            (pd.Timestamp("2020-01-01").as_unit("s"), pd.Timestamp("2020-01-01")),
            (datetime.datetime(1600, 1, 1), REFUSED),
            (datetime.datetime(2020, 1, 1, tzinfo=UTC), REFUSED),
            (datetime.date(2020, 1, 1), REFUSED),
            (pd.NaT, REFUSED),
            (np.datetime64("2020-01-01"), REFUSED),
            ("2020-01-01", REFUSED),
        ],
    ),
    "utc": (
        DType.DATE_TIME_UTC,
        [
            (WARSAW, pd.Timestamp("2019-12-31 23:00:00", tz="UTC")),
            (datetime.datetime(2020, 1, 1, tzinfo=UTC), pd.Timestamp("2020-01-01", tz="UTC")),
            (
                datetime.datetime(2020, 1, 1, tzinfo=datetime.timezone(datetime.timedelta(hours=-2))),
                pd.Timestamp("2020-01-01 02:00:00", tz="UTC"),
            ),
            (datetime.datetime(2020, 1, 1), REFUSED),
            (5, REFUSED),
        ],
    ),
    "duration": (
        DType.DURATION,
        [
            (datetime.timedelta(days=-1, microseconds=3), pd.Timedelta(days=-1, microseconds=3)),
            (pd.Timedelta(5), pd.Timedelta(5)),
            (datetime.timedelta(days=200_000), REFUSED),
            (np.timedelta64(5, "s"), REFUSED),
            (pd.NaT, REFUSED),
            (5, REFUSED),
        ],
    ),
    "json": (
        DType.JSON,
        [
            (None, Json(None)),
            (True, Json(True)),
            (2**70, Json(2**70)),
            (-(2**63) - 1, Json(-(2**63) - 1)),
            (2**64 - 1, Json(2**64 - 1)),
            ("9" * 30, Json("9" * 30)),
            (1e300, Json(1e300)),
            (5e-324, Json(5e-324)),
            (0.1 + 0.2, Json(0.1 + 0.2)),
            (functools.reduce(lambda inner, _: [inner], range(150), "deep"), DEEP),
            (1.0, Json(1.0)),
            ('"ż\n\x01', Json('"ż\n\x01')),
            ({"b": [1, {"a": (2, None)}]}, Json({"b": [1, {"a": [2, None]}]})),
            ({1: 2, None: 3, 1.5: 4}, Json({"1": 2, "null": 3, "1.5": 4})),
            (Json([1, Json(2)]), Json([1, 2])),
            (Pair(1, 2), Json([1, 2])),
            (IntColor.RED, Json(5)),
            (StrColor.RED, Json("red")),
            (datetime.datetime(2020, 1, 2, 3, 4, 5, 6), Json("2020-01-02T03:04:05.000006000")),
            (WARSAW, Json("2020-01-01T00:00:00.000000000+01:00")),
            (pd.Timedelta(5), Json(5)),
            (float("nan"), REFUSED),
            (float("inf"), REFUSED),
            ({(1, 2): 3}, REFUSED),
            ({1}, REFUSED),
            (b"a", REFUSED),
            (np.int8(3), REFUSED),
            (ints(1), REFUSED),
            (range(2), REFUSED),
            (PlainColor.RED, REFUSED),
            (Point(), REFUSED),
        ],
    ),
    "optional json": (DType.optional(DType.JSON), [(None, None), (Json(None), Json(None)), (1, Json(1))]),
    "tuple": (
        DType.tuple(DType.INT, DType.INT),
        [
            ((1, 2), (1, 2)),
            ([1, 2], (1, 2)),
            (Pair(1, 2), (1, 2)),
            (range(2), (0, 1)),
            (ints(1, 2), (1, 2)),
            (collections.deque([1, 2]), (1, 2)),
            (Json([1, 2]), (1, 2)),
            ((1,), REFUSED),
            ((1, "a"), REFUSED),
            ("ab", REFUSED),
            ({1: 1, 2: 2}, REFUSED),
            ({1, 2}, REFUSED),
            (1, REFUSED),
        ],
    ),
    "empty tuple": (DType.tuple(), [((), ()), ([], ()), ((1,), REFUSED)]),
    "tuple with optional": (
        DType.tuple(DType.optional(DType.INT), DType.STR),
        [((None, "a"), (None, "a")), ((1, None), REFUSED)],
    ),
    "list": (
        DType.list(DType.INT),
        [
            ([], ()),
            ((1, 2, 3), (1, 2, 3)),
            (b"ab", (97, 98)),
            (pd.Series([1, 2]), (1, 2)),
            (ints(3), (3,)),
            ([1, None], REFUSED),
            ("ab", REFUSED),
        ],
    ),
    "list of lists": (
        DType.list(DType.list(DType.STR)),
        [([["a"], [], ["b", "c"]], (("a",), (), ("b", "c"))), ([], ()), ([1], REFUSED)],
    ),
    "any list": (
        DType.list(DType.ANY),
        [([1, "a", None, (2.5,)], (1, "a", None, (2.5,))), (np.array([True, False]), (True, False))],
    ),
    "array": (
        DType.array(None, DType.ANY),
        [
            (ints(1, 2), ints(1, 2)),
            (np.array([[1.5], [2.0]]), np.array([[1.5], [2.0]])),
            (np.array(3), np.array(3)),
            (np.array([1, 2], dtype=np.uint8), ints(1, 2)),
            (np.array([1, 2], dtype=np.float32), np.array([1.0, 2.0])),
            (np.array([[1, 2], [3, 4]])[:, 0], ints(1, 3)),
            (np.array([], dtype=np.int64), ints()),
            (np.array([2**63], dtype=np.uint64), REFUSED),
            (np.array([True]), REFUSED),
            (np.array(["a"]), REFUSED),
            ([1, 2], REFUSED),
        ],
    ),
    "int array": (DType.array(None, DType.INT), [(ints(1), ints(1)), (np.array([1.0]), REFUSED)]),
    "float array": (
        DType.array(None, DType.FLOAT),
        [(np.array([1.5]), np.array([1.5])), (ints(1), np.array([1.0]))],
    ),
    "1-d array": (DType.array(1, DType.INT), [(ints(1), ints(1)), (np.array([[1]]), REFUSED)]),
    "py_object": (
        DType.py_object("object"),
        [
            (PyObjectWrapper([1]), PyObjectWrapper([1])),
            ({1, 2}, PyObjectWrapper({1, 2})),
            (None, PyObjectWrapper(None)),
            (wrap_py_object({"a": 1}, serializer=JSON), PyObjectWrapper({"a": 1})),
        ],
    ),
    "any": (
        DType.ANY,
        [
            (None, None),
            (True, True),
            (1, 1),
            (1.5, 1.5),
            ("a", "a"),
            (b"a", b"a"),
            (np.int8(3), 3),
            (np.float32(1.5), 1.5),
            (np.bool_(True), True),
            (np.str_("q"), "q"),
            (IntColor.RED, 5),
            (StrColor.RED, "red"),
            (decimal.Decimal("1.5"), 1.5),
            ([1, [2]], (1, (2,))),
            (range(2), (0, 1)),
            (bytearray(b"ab"), (97, 98)),
            (pd.Series([1, 2]), (1, 2)),
            (np.array([True]), (True,)),
            (np.array(["a"]), ("a",)),
            (np.array([1], dtype=np.uint8), (1,)),
            (ints(1, 2), ints(1, 2)),
            (np.array([1.5]), np.array([1.5])),
            ({"a": 1}, Json({"a": 1})),
            (Json(1), Json(1)),
            (datetime.datetime(2020, 1, 1), pd.Timestamp("2020-01-01")),
            (WARSAW, pd.Timestamp("2019-12-31 23:00:00", tz="UTC")),
            (pd.Timedelta(3), pd.Timedelta(3)),
            (unsafe_make_pointer(3), unsafe_make_pointer(3)),
            (PyObjectWrapper([1]), PyObjectWrapper([1])),
            (HasFloat(), 2.5),
            (HasIndex(), 7),
            (PENDING, PENDING),
            (2**63, REFUSED),
            ({1}, REFUSED),
            (datetime.date(2020, 1, 1), REFUSED),
            (np.datetime64("2020-01-01"), REFUSED),
            (np.timedelta64(1, "s"), REFUSED),
            (pd.NaT, REFUSED),
            (pd.NA, REFUSED),
            (PlainColor.RED, REFUSED),
            (Point(), REFUSED),
            (len, REFUSED),
            (1 + 2j, REFUSED),
        ],
    ),
    "future": (
        DType.future(DType.optional(DType.INT)),
        [(PENDING, PENDING), (None, None), (1, 1), ("a", REFUSED)],
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_each_value_of_a_dtype(name: str) -> None:
    dtype, cases = CASES[name]
    values = [value for value, _ in cases]
    column, refused = _round_trip(values, dtype)
    for value, expected, got, error in zip(values, (e for _, e in cases), column, refused, strict=True):
        if expected is REFUSED:
            assert got is ERROR, value
            assert isinstance(error, TypeError | ValueError), value
            assert not dtype.accepts(value)
        else:
            assert error is None, (value, error)
            assert same(got, expected), (value, got)
            assert dtype.accepts(value)


@pytest.mark.parametrize("name", [n for n in CASES if not n.startswith(("optional", "future"))])
def test_none_and_errors_between_values(name: str) -> None:
    """Optional columns of every layout, with gaps at both ends and in the middle."""
    dtype, cases = CASES[name]
    fits = [(value, expected) for value, expected in cases if expected is not REFUSED]
    good = [(value, expected) for value, expected in fits if value is not None][:3] or [(None, None)]
    values = [None, good[0][0], ERROR, *(value for value, _ in good[1:]), None]
    expected = [None, good[0][1], ERROR, *(value for _, value in good[1:]), None]
    column, refused = _round_trip(values, DType.optional(dtype))
    assert refused == [None] * len(values)
    for got, wanted in zip(column, expected, strict=True):
        assert got is wanted or same(got, wanted), (got, wanted)


@pytest.mark.parametrize(
    ("dtype", "value", "error", "hints"),
    [
        (DType.INT, None, TypeError, ["INT", "None", "Optional(INT)"]),
        (DType.INT, 2**64, TypeError, ["INT", "64 bits"]),
        (DType.tuple(DType.INT), (1, 2), TypeError, ["Tuple(INT)", "2 members"]),
        (DType.DATE_TIME_NAIVE, WARSAW, ValueError, ["time zone", "DATE_TIME_UTC"]),
        (DType.DATE_TIME_UTC, pd.Timestamp("2020-01-01"), ValueError, ["zone", "DATE_TIME_NAIVE"]),
        (DType.DATE_TIME_NAIVE, 5, ValueError, ["datetime.datetime"]),
        (DType.DURATION, 5, TypeError, ["datetime.timedelta"]),
        (DType.JSON, {(1,): 2}, TypeError, ["key", "(1,)"]),
        (DType.ANY, {1}, TypeError, ["set", "wrap_py_object"]),
    ],
)
def test_refusals_say_what_and_why(
    dtype: DType, value: Any, error: type[Exception], hints: list[str]
) -> None:
    _, [refused] = _round_trip([value], dtype)
    assert type(refused) is error
    for hint in hints:
        assert hint in str(refused)


def test_values_that_contain_themselves_are_refused() -> None:
    knot: list[Any] = []
    knot.append(knot)
    for dtype in (DType.ANY, DType.JSON, DType.list(DType.ANY)):
        _, [refused] = _round_trip([knot], dtype)
        assert isinstance(refused, ValueError)
        assert "nest" in str(refused)


def test_arrays_come_back_writeable() -> None:
    [array], _ = _round_trip([np.array([[1, 2], [3, 4]])], DType.array(2, DType.INT))
    array[0, 0] = 9
    assert array.tolist() == [[9, 2], [3, 4]]


def test_utc_values_have_the_zone_of_dateutil() -> None:
    [moment], _ = _round_trip([WARSAW], DType.DATE_TIME_UTC)
    assert repr(moment.tz) == "tzutc()"
    assert str(moment) == "2019-12-31 23:00:00+00:00"


def test_an_object_that_cannot_be_pickled_stays_in_the_process() -> None:
    function: Callable[[], int] = lambda: 3  # noqa: E731
    [wrapped], [refused] = _round_trip([PyObjectWrapper(function)], DType.py_object("object"))
    assert refused is None
    assert wrapped.value is function


def test_a_serializer_travels_with_its_object() -> None:
    [wrapped], _ = _round_trip([wrap_py_object([1, 2], serializer=JSON)], DType.py_object("object"))
    assert wrapped.value == [1, 2]
    assert wrapped._serializer is json


def test_user_code_that_raises_while_it_is_converted() -> None:
    class Broken:
        def __index__(self) -> int:
            raise RuntimeError("no")

        def __repr__(self) -> str:
            raise RuntimeError("no repr either")

    _, [refused] = _round_trip([Broken()], DType.INT)
    assert isinstance(refused, TypeError)
    assert "Broken" in str(refused)
