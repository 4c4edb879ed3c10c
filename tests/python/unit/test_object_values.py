"""Arrays, wrapped objects, tuples and Json as values: results of functions, arguments, keys, text."""

from __future__ import annotations

import json
import pickle
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

import pathway as pw
from contents import rows, values
from pathway.internals.api import ref_scalar

Numbers = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]
Row = np.ndarray[tuple[int], np.dtype[np.int64]]
Matrix = np.ndarray[tuple[int, int], np.dtype[np.float64]]

SQUARE = np.arange(6).reshape(2, 3)


@pytest.fixture
def one() -> pw.Table:
    return pw.debug.table_from_rows(pw.schema_from_types(a=int), [(1,)])


@pytest.fixture
def t() -> pw.Table:
    return pw.debug.table_from_rows(pw.schema_from_types(a=int), [(1,), (3,), (5,)])


def returned(one: pw.Table, dtype: Any, value: Any) -> Any:
    (result,) = values(one.select(x=pw.apply_with_type(lambda _: value, dtype, one.a)))
    return result


@pytest.mark.parametrize(
    "kind",
    ["int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64", ">i4", "float16", ">f8"],
)
@pytest.mark.parametrize("dtype", [np.ndarray, Numbers, Floats, Row])
def test_numbers_of_every_width(one: pw.Table, kind: str, dtype: Any) -> None:
    array = np.array([1, 2], dtype=kind)
    is_float = array.dtype.kind == "f"
    if is_float and dtype in (Numbers, Row):
        with pytest.raises(TypeError, match="floats"):
            returned(one, dtype, array)
        return
    result = returned(one, dtype, array)
    assert result.tolist() == [1, 2]
    assert result.dtype == (np.float64 if is_float or dtype is Floats else np.int64)


@pytest.mark.parametrize(
    "array",
    [
        SQUARE.T,
        SQUARE[:, ::2],
        SQUARE[::-1],
        np.asfortranarray(SQUARE),
        np.broadcast_to(np.array([1, 2]), (3, 2)),
        np.zeros((0, 3)),
        np.zeros((2, 0), dtype=int),
        np.array(3),
        np.array(2.5),
        np.arange(24).reshape(2, 3, 4).transpose(2, 0, 1),
        np.array([np.nan, np.inf, -np.inf]),
    ],
    ids=lambda array: f"{array.shape}",
)
def test_layouts_and_shapes(one: pw.Table, array: Any) -> None:
    result = returned(one, np.ndarray, array)
    assert result.shape == array.shape
    assert result.dtype == array.dtype
    np.testing.assert_array_equal(result, np.asarray(array))


@pytest.mark.parametrize(
    ("dtype", "array"),
    [
        (np.ndarray, np.array([True])),
        (np.ndarray, np.array(["x"])),
        (np.ndarray, np.array([1, None], dtype=object)),
        (np.ndarray, np.array([1j])),
        (np.ndarray, np.array(["2020-01-01"], dtype="M8[ns]")),
        (np.ndarray, np.array([2**63], dtype=np.uint64)),
        (Row, np.array([[1]])),
        (Matrix, np.array([1.0])),
        (Numbers, np.array([1.5])),
        (np.ndarray, [1, 2]),
    ],
    ids=str,
)
def test_arrays_that_are_no_values_of_the_type(one: pw.Table, dtype: Any, array: Any) -> None:
    with pytest.raises(TypeError):
        returned(one, dtype, array)


def test_functions_get_arrays_of_their_own(one: pw.Table) -> None:
    @pw.udf
    def changed(array: np.ndarray) -> np.ndarray:
        assert array.flags.writeable
        assert array.flags.c_contiguous
        array += 1
        return array

    arrays = one.select(x=pw.apply_with_type(lambda a: SQUARE, np.ndarray, one.a))
    ((before, after),) = rows(arrays.select(arrays.x, y=changed(arrays.x)))
    assert before.tolist() == SQUARE.tolist()
    assert after.tolist() == (SQUARE + 1).tolist()


def test_arrays_are_keys(t: pw.Table) -> None:
    arrays = t.select(t.a, k=pw.apply_with_type(lambda a: np.array([a // 3, 1.5]), np.ndarray, t.a))
    grouped = arrays.groupby(arrays.k).reduce(n=pw.reducers.count(), s=pw.reducers.sum(arrays.a))
    assert rows(grouped) == [(1, 1), (2, 8)]
    other = arrays.copy()
    joined = arrays.join(other, arrays.k == other.k).select(arrays.a, b=other.a)
    assert rows(joined) == [(1, 1), (3, 3), (3, 5), (5, 3), (5, 5)]


# --- wrapped objects --------------------------------------------------------------------------------------


class AsText:
    @staticmethod
    def dumps(value: Any) -> bytes:
        return json.dumps(value).encode()

    @staticmethod
    def loads(data: bytes) -> Any:
        return json.loads(data)


class AsTextWithState:
    def dumps(self, value: Any) -> bytes:
        return AsText.dumps(value)

    def loads(self, data: bytes) -> Any:
        return AsText.loads(data)


class Point:
    def __init__(self, x: int) -> None:
        self.x = x

    def __str__(self) -> str:
        return f"at {self.x}"


@pytest.mark.parametrize(
    "serializer",
    [None, pickle, json, AsText, AsTextWithState()],
    ids=["default", "pickle", "json", "class", "object"],
)
def test_serializers(t: pw.Table, serializer: Any) -> None:
    @pw.udf(deterministic=True)
    def wrapped(a: int) -> pw.PyObjectWrapper:
        return pw.wrap_py_object({"k": a // 3}, serializer=serializer)

    objects = t.select(t.a, x=wrapped(t.a))
    assert rows(objects.select(objects.a, text=objects.x.to_string())) == [
        (1, "PyObjectWrapper({'k': 0})"),
        (3, "PyObjectWrapper({'k': 1})"),
        (5, "PyObjectWrapper({'k': 1})"),
    ]
    grouped = objects.groupby(objects.x).reduce(objects.x, n=pw.reducers.count())
    assert sorted((x.value["k"], n) for x, n in rows(grouped)) == [(0, 1), (1, 2)]
    assert values(objects.reduce(n=pw.reducers.count_distinct(objects.x))) == [2]
    other = objects.copy()
    assert len(rows(objects.join(other, objects.x == other.x).select(objects.a))) == 5
    assert values(objects.select(k=pw.apply_with_type(lambda x: x.value["k"], int, objects.x))) == [0, 1, 1]


def test_serializers_do_not_change_ids(t: pw.Table) -> None:
    """The ids of rows are made of what serializers give, whichever these are."""
    serializers = (json, AsText, AsTextWithState())
    texts = [pw.wrap_py_object({"k": 1}, serializer=serializer) for serializer in serializers]
    pickled = [pw.wrap_py_object(1), pw.wrap_py_object(1, serializer=pickle)]
    assert len({str(ref_scalar(wrapped)) for wrapped in texts}) == 1
    assert {str(ref_scalar(wrapped)) for wrapped in pickled} == {"^XD34DVN6SBQJZPRZYWQDNXFWXG"}


def test_types_of_wrapped_objects(t: pw.Table) -> None:
    @pw.udf
    def point(a: int) -> pw.PyObjectWrapper[Point]:
        return pw.PyObjectWrapper(Point(a))

    @pw.udf
    def wrapped_by_the_engine(a: int) -> pw.PyObjectWrapper[Point]:
        return Point(a)  # type: ignore[return-value]

    @pw.udf
    def x_of(point: pw.PyObjectWrapper[Point]) -> int:
        return point.value.x

    points = t.select(p=point(t.a), q=wrapped_by_the_engine(t.a))
    assert points.typehints() == {"p": pw.PyObjectWrapper[Point], "q": pw.PyObjectWrapper[Point]}
    assert rows(points.select(p=x_of(points.p), q=x_of(points.q))) == [(1, 1), (3, 3), (5, 5)]
    assert values(points.select(t=pw.make_tuple(points.p, 1).to_string()))[0] == "(PyObjectWrapper(at 1), 1)"


def test_objects_that_cannot_be_pickled_stay_in_the_process(t: pw.Table) -> None:
    functions = t.select(
        f=pw.apply_with_type(lambda a: pw.PyObjectWrapper(lambda: a), pw.PyObjectWrapper, t.a)
    )
    called = functions.select(x=pw.apply_with_type(lambda f: f.value(), int, functions.f))
    assert values(called) == [1, 3, 5]


def test_wrapped_objects_in_tuples_options_and_constants(t: pw.Table) -> None:
    pairs = t.select(
        x=pw.apply_with_type(lambda a: (a, pw.PyObjectWrapper({a})), tuple[int, pw.PyObjectWrapper], t.a)
    )
    assert values(pairs.select(n=pairs.x[0])) == [1, 3, 5]
    assert sorted(x.value for x in values(pairs.select(y=pairs.x[1]))) == [{1}, {3}, {5}]
    maybe = t.select(
        x=pw.apply_with_type(
            lambda a: None if a == 1 else pw.PyObjectWrapper(a), pw.PyObjectWrapper | None, t.a
        )
    )
    assert values(maybe.select(n=maybe.x.is_none())) == [False, False, True]
    assert [x.value for x in values(t.select(x=pw.wrap_py_object({"c": 1})))] == [{"c": 1}] * 3


def test_static_rows_with_wrapped_objects() -> None:
    schema = pw.schema_from_types(x=pw.PyObjectWrapper)
    objects = pw.debug.table_from_rows(schema, [(pw.PyObjectWrapper({1}),), (pw.PyObjectWrapper([2]),)])
    assert sorted(str(x) for x in values(objects.with_id_from(objects.x))) == [
        "PyObjectWrapper([2])",
        "PyObjectWrapper({1})",
    ]


# --- tuples and Json --------------------------------------------------------------------------------------


def test_typed_tuples(t: pw.Table) -> None:
    nested = t.select(
        x=pw.apply_with_type(lambda a: (a, str(a), None), tuple[int, str, float | None], t.a),
        n=pw.apply_with_type(lambda a: ((a, (a,)),), tuple[tuple[int, tuple[int]]], t.a),
        m=pw.apply_with_type(lambda a: [a, None], list[int | None], t.a),
        l=pw.apply_with_type(lambda a: [[a], []], list[list[int]], t.a),
    )
    parts = nested.select(
        a=nested.x[0], b=nested.x[1], c=nested.x[2], d=nested.n[0][1][0], e=nested.m.get(5), f=nested.l[0]
    )
    assert parts.typehints() == {
        "a": int,
        "b": str,
        "c": float | None,
        "d": int,
        "e": int | None,
        "f": list[int],
    }
    assert rows(parts) == [(a, str(a), None, a, None, (a,)) for a in (1, 3, 5)]
    assert values(nested.groupby(*nested).reduce(n=pw.reducers.count())) == [1, 1, 1]


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, "null"),
        (True, "true"),
        (2**60, "1152921504606846976"),
        (2**70, "1180591620717411303424"),
        (1.0, "1.0"),
        (-0.0, "-0.0"),
        (1e16, "1e+16"),
        ('ż"\\\n', '"ż\\"\\\\\\n"'),
        ({"b": 1, "a": [{}, None]}, '{"b":1,"a":[{},null]}'),
        (pw.Json({"a": pw.Json(1)}), '{"a":1}'),
        ((1,), "[1]"),
    ],
)
def test_json_goes_in_and_comes_out(one: pw.Table, value: Any, text: str) -> None:
    t = one.select(x=pw.apply_with_type(lambda _: value, pw.Json, one.a))
    (found,) = values(t)
    assert json.loads(str(found)) == json.loads(text)
    assert values(t.select(s=t.x.to_string())) == [text]
