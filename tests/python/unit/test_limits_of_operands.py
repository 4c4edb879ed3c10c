"""Operands that Pathway 0.33 refuses: Optional ones, Any, Json, arrays; and other limits of values.

`docs/differences.md` lists them, and the limits that stay.
"""

from __future__ import annotations

import typing
import warnings

import numpy as np
import numpy.typing as npt
import pandas as pd
import pytest

import pathway as pw
from pathway.debug.capture import capture
from pathway.internals import dtype as dt

ERROR = pw.engine.ERROR
J, R = pw.Json, pw.reducers


def rows(types: dict[str, typing.Any], *cells: tuple[typing.Any, ...]) -> pw.Table:
    """A table whose rows are known by `row`."""
    numbered = [(row, *values) for row, values in enumerate(cells)]
    return pw.debug.table_from_rows(pw.schema_from_types(row=int, **types), numbered)


def column(table: pw.Table, expression: typing.Any) -> list[typing.Any]:
    """The values of an expression, row by row."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "terminate_on_error")
        _, found = pw.debug.table_to_dicts(table.select(table.row, x=expression), terminate_on_error=False)
    return [found["x"][key] for key in sorted(found["row"], key=found["row"].__getitem__)]


def test_arithmetic_and_order_of_optional_operands() -> None:
    t = rows({"a": int | None, "b": int, "f": float | None}, (7, 2, 0.5), (None, 2, None), (1, 0, None))
    assert t.eval_type(t.a + t.b) == dt.Optional(dt.INT)
    assert column(t, t.a + t.b) == [9, None, 1]
    assert column(t, t.a // t.b) == [3, None, ERROR]
    assert column(t, t.a * t.f) == [3.5, None, None]
    assert column(t, -t.a) == [-7, None, -1]
    assert t.eval_type(t.a > t.b) == dt.Optional(dt.BOOL)
    assert column(t, t.a > t.b) == [True, None, True]
    assert column(t, (t.a > 1) & (t.b > 0)) == [True, None, False]
    assert column(t, (t.a > 1) | (t.b > 0)) == [True, True, False]
    assert column(t, ~(t.a > 1)) == [False, None, True]
    pairs = rows({"p": tuple[int, int] | None}, ((1, 2),), (None,))
    assert column(pairs, pairs.p < (1, 3)) == [True, None]


def test_a_filter_says_how_to_deal_with_none() -> None:
    t = rows({"a": int | None}, (7,), (None,))
    with pytest.raises(TypeError, match="coalesce"):
        t.filter(t.a > 1)
    with pytest.raises(TypeError, match="coalesce"):
        t.select(x=pw.if_else(t.a > 1, 1, 2))
    assert column(t.filter(pw.coalesce(t.a > 1, False)), pw.this.a) == [7]


def test_functions_are_not_called_beside_none() -> None:
    calls: list[int] = []

    @pw.udf
    def noted(b: int) -> int:
        calls.append(b)
        return b

    t = rows({"a": int | None, "b": int}, (1, 10), (None, 20))
    assert column(t, t.a + noted(t.b)) == [11, None]
    assert calls == [10]


def test_arithmetic_and_order_of_any() -> None:
    t = rows({"a": typing.Any}, (7,), (0.5,), ("x",), (None,), ([1],))
    assert t.eval_type(t.a + 1) == dt.ANY
    assert column(t, t.a + 1) == [8, 1.5, ERROR, None, ERROR]
    assert column(t, t.a * 2) == [14, 1.0, "xx", None, ERROR]
    assert column(t, -t.a) == [-7, -0.5, ERROR, None, ERROR]
    assert t.eval_type(t.a < 1) == dt.Optional(dt.BOOL)
    assert column(t, t.a < 1) == [False, True, ERROR, None, ERROR]


def test_what_any_does_not_take_is_named() -> None:
    t = rows({"a": typing.Any}, ("x",))
    with pytest.raises(TypeError, match=r"add.*str.*int"):
        pw.debug.table_to_dicts(t.select(x=t.a + 1))
    with pytest.raises(TypeError, match="declare_type"):
        t.select(x=t.a << 1)
    with pytest.raises(AttributeError, match="declare_type"):
        t.select(x=t.a.str.len())


def test_arithmetic_and_order_of_json() -> None:
    t = rows({"j": J}, ({"n": 7, "s": "ab"},), ({"n": 2.5, "s": None},), ({"s": "c"},))
    n, s = t.j["n"], t.j["s"]
    assert t.eval_type(n * 2) == dt.JSON
    assert column(t, n * 2 + 1) == [J(15), J(6.0), J(None)]
    assert column(t, (n * 2 + 1).as_float()) == [15.0, 6.0, None]
    assert column(t, s + "!") == [J("ab!"), J(None), J("c!")]
    assert column(t, -n) == [J(-7), J(-2.5), J(None)]
    assert column(t, n > 3) == [True, False, None]
    assert column(t, n + s) == [ERROR, J(None), J(None)]
    assert column(t, t.j < 1) == [ERROR] * 3


def test_json_and_arrays_are_ordered_by_what_they_hold() -> None:
    j = rows({"j": J}, ([2],), ([1, 5],), (3,), ("a",))
    _, found = pw.debug.table_to_dicts(j.reduce(x=R.sorted_tuple(j.j)))
    (values,) = found["x"].values()
    assert list(values).index(J([1, 5])) < list(values).index(J([2]))
    v = rows({"v": np.ndarray}, (np.array([2, 1]),), (np.array([1, 5]),), (np.array([1]),))
    _, found = pw.debug.table_to_dicts(v.reduce(x=R.max(v.v), y=R.min(v.v)))
    assert [next(iter(found[name].values())).tolist() for name in "xy"] == [[2, 1], [1]]


def test_negative_indices_of_json() -> None:
    t = rows({"j": J}, ([1, 2, 3],), ([],), ({"a": 1},))
    assert column(t, t.j[-1]) == [J(3), J(None), J(None)]
    assert column(t, t.j.get(-3)) == [J(1), None, None]


def test_receivers_that_may_be_none() -> None:
    t = rows(
        {"s": str | None, "n": int | None, "d": pw.DateTimeNaive | None, "u": pw.Duration | None},
        ("Ab", -3, pw.DateTimeNaive("2024-02-29 12:30"), pw.Duration("90s")),
        (None, None, None, None),
    )
    assert t.eval_type(t.s.str.len()) == dt.Optional(dt.INT)
    assert column(t, t.s.str.lower()) == ["ab", None]
    assert column(t, t.s.str.find("b")) == [1, None]
    assert column(t, t.s.str.replace("A", "x")) == ["xb", None]
    assert column(t, t.n.num.abs()) == [3, None]
    assert column(t, abs(t.n)) == [3, None]
    assert column(t, t.d.dt.year()) == [2024, None]
    assert column(t, t.d.dt.strftime("%H:%M")) == ["12:30", None]
    assert column(t, t.d.dt.round("1h")) == [pw.DateTimeNaive("2024-02-29 13:00"), None]
    assert column(t, t.u.dt.minutes()) == [1, None]
    assert column(t, t.s.str.parse_int(optional=True)) == [None, None]


def test_arithmetic_of_arrays() -> None:
    t = rows({"v": np.ndarray, "w": npt.NDArray[np.float64]}, (np.array([7, -7]), np.array([0.5, 2.0])))

    def elements(expression: typing.Any) -> list[typing.Any]:
        (value,) = column(t, expression)
        return list(value.tolist())

    assert elements(-t.v) == [-7, 7]
    assert elements(t.v // 2) == [3, -4]
    assert elements(t.v % 4) == [3, 1]
    assert elements(t.v**2) == [49, 49]
    assert elements(t.w**t.v) == [0.5**7, 2.0**-7]
    assert column(t, t.v // 0) == [ERROR]
    with pytest.raises(ValueError, match="negative exponents"):
        pw.debug.table_to_dicts(t.select(x=t.v**-1))
    with pytest.raises(ValueError, match="shapes"):
        pw.debug.table_to_dicts(t.select(x=t.v + np.array([1, 2, 3])))


def test_the_product_of_two_vectors_is_a_number() -> None:
    vector = np.ndarray[tuple[int], np.dtype[np.float64]]
    t = rows({"v": vector, "o": np.ndarray}, (np.array([1.0, 2.0]), np.array([1.0, 2.0])))
    assert t.eval_type(t.v @ t.v) == dt.FLOAT
    assert column(t, (t.v @ t.v) ** 0.5) == [5.0**0.5]
    assert column(t, t.o @ t.o)[0].shape == ()  # whether these are vectors only the values tell


def test_averages_of_arrays() -> None:
    t = pw.debug.table_from_rows(
        pw.schema_from_types(row=int, g=str, v=np.ndarray),
        [
            (0, "a", np.array([1, 2]), 2, 1),
            (1, "a", np.array([2, 5]), 2, 1),
            (0, "a", np.array([1, 2]), 4, -1),
        ],
        is_stream=True,
    )
    means = t.groupby(t.g).reduce(t.g, m=R.avg(t.v))
    assert means.schema["m"].dtype == dt.Array(None, dt.FLOAT)
    _, found = pw.debug.table_to_dicts(means)
    assert [value.tolist() for value in found["m"].values()] == [[2.0, 5.0]]
    (seen,) = capture(means)
    emitted = [(update.values[1].tolist(), update.diff) for update in seen.updates]
    assert emitted == [([1.5, 3.5], 1), ([1.5, 3.5], -1), ([2.0, 5.0], 1)]


def test_reducers_of_numbers_that_may_be_none_offer_to_skip_them() -> None:
    t = rows({"v": int | None}, (1,), (None,))
    with pytest.raises(TypeError, match="skip_nones"):
        t.reduce(x=R.ndarray(t.v))
    _, found = pw.debug.table_to_dicts(t.reduce(x=R.ndarray(t.v, skip_nones=True)))
    assert [value.tolist() for value in found["x"].values()] == [[1]]


class Cat:
    pass


class Kitten(Cat):
    pass


class Dog:
    pass


def test_classes_of_wrapped_objects_are_checked() -> None:
    def some(row):  # type: ignore[no-untyped-def]
        return [Kitten(), pw.PyObjectWrapper(Cat()), Dog(), pw.PyObjectWrapper(Dog()), None][row]

    t = rows({}, (), (), (), (), ())
    found = column(t, pw.apply_with_type(some, pw.PyObjectWrapper[Cat], t.row))
    assert [type(value.value) for value in found[:2]] == [Kitten, Cat]
    assert found[2:] == [ERROR] * 3
    with pytest.raises(TypeError, match="Cat"):
        pw.debug.table_to_dicts(t.select(x=pw.apply_with_type(some, pw.PyObjectWrapper[Cat], t.row)))
    anything = column(t, pw.apply_with_type(some, pw.PyObjectWrapper, t.row))
    assert [type(value.value) for value in anything] == [Kitten, Cat, Dog, Dog, type(None)]
    cats = dt.wrap(pw.PyObjectWrapper[Cat])
    assert cats.is_value_compatible(pw.PyObjectWrapper(Kitten()))
    assert not cats.is_value_compatible(pw.PyObjectWrapper(Dog()))


def test_hints_of_arrays_keep_the_dimensions() -> None:
    for dtype in (dt.Array(2, dt.INT), dt.Array(1, dt.FLOAT), dt.Array(0, dt.FLOAT), dt.Array(None, dt.INT)):
        assert dt.wrap(dtype.typehint) == dtype
    schema = pw.schema_from_types(v=np.ndarray[tuple[int, int], np.dtype[np.float64]])
    assert pw.schema_from_types(**schema.typehints()) == schema


def test_a_subclass_changes_the_type_of_a_column() -> None:
    class Numbers(pw.Schema):
        a: int = pw.column_definition(primary_key=True)
        b: int = pw.column_definition(default_value=3, description="a number")

    class Texts(Numbers):
        a: str
        b: float

    assert Texts.column_names() == ["a", "b"]
    assert Texts.typehints() == {"a": str, "b": float}
    assert Texts.primary_key_columns() == ["a"]
    assert Texts.default_values() == {"b": 3}
    assert Texts["b"].description == "a number"
    assert Texts.id_type == pw.Pointer[str]
    assert Numbers.typehints() == {"a": int, "b": int}


def test_short_rows_below_the_header_of_a_csv_file(tmp_path: typing.Any) -> None:
    path = tmp_path / "short.csv"
    path.write_text("a,b\n1\n2,3.5\n")
    assert dict(pw.schema_from_csv(str(path)).typehints()) == {"a": int, "b": float}


def test_texts_as_annotations_warn() -> None:
    with pytest.warns(UserWarning, match="'int'.*any value"):
        assert dt.wrap("int") == dt.ANY


def test_text_as_truth_value_warns() -> None:
    t = rows({"s": str}, ("False",), ("",))
    with pytest.warns(UserWarning, match="parse_bool"):
        truth = t.select(t.row, x=pw.cast(bool, t.s))
    assert column(truth, truth.x) == [True, False]


def test_moments_are_instances_of_their_classes() -> None:
    moment = pw.DateTimeNaive("2024-01-01")
    assert isinstance(moment, pw.DateTimeNaive)
    assert not isinstance(moment, pw.DateTimeUtc)
    assert isinstance(pd.Timestamp("2024-01-01", tz="UTC"), pw.DateTimeUtc)
    assert isinstance(pw.Duration(1), pw.Duration)


def test_impossible_casts_are_refused_when_they_are_built() -> None:
    t = rows({"j": J, "a": int, "p": tuple[typing.Any, int]}, ({}, 1, (1, 2)))
    for target, operand in ((int, t.j), (bytes, t.a), (pw.Duration, t.a)):
        with pytest.raises(TypeError, match="cast"):
            t.select(x=pw.cast(target, operand))
    with pytest.raises(TypeError, match="not defined"):
        t.select(x=pw.make_tuple(t.a, None) < (1, 2))
    with pytest.raises(ValueError, match="reduce"):
        t.select(x=R.sum(t.a))


def test_texts_of_none_tests_and_of_no_time_at_all() -> None:
    t = rows({"a": int | None, "d": pw.Duration}, (1, pw.Duration(0)))
    assert repr(t.a.is_none()) == "<table1>.a.is_none()"
    assert repr(t.a.is_not_none()) == "<table1>.a.is_not_none()"
    assert column(t, t.d.to_string()) == ["0ns"]


def test_incomplete_dates_and_names_of_zones() -> None:
    t = rows({}, ())

    def parsed(text: str, form: str) -> typing.Any:
        texts = t.select(t.row, s=text)
        return column(texts, texts.s.dt.strptime(form))[0]

    assert parsed("2024-05-06 07", "%Y-%m-%d %H") == pw.DateTimeNaive("2024-05-06 07:00")
    assert parsed("2024-05", "%Y-%m") == pw.DateTimeNaive("2024-05-01")
    assert parsed("2024", "%Y") == pw.DateTimeNaive("2024-01-01")
    assert parsed("3 May", "%d %B") == pw.DateTimeNaive("1900-05-03")
    assert parsed("Monday", "%A") is ERROR
    assert parsed("2024-07-01 12:00 CET", "%Y-%m-%d %H:%M %Z") == pw.DateTimeUtc("2024-07-01T10:00Z")
    assert parsed("2024-07-01 12:00 XYZ", "%Y-%m-%d %H:%M %Z") is ERROR


def test_errors_of_outputs_name_the_line() -> None:
    t = rows({"a": int}, (0,))
    log = pw.global_error_log()
    found: list[dict[str, typing.Any]] = []
    pw.io.subscribe(log, lambda key, row, time, is_addition: found.append(row))
    pw.io.subscribe(t.select(q=1 // t.a), lambda key, row, time, is_addition: None)
    with pytest.warns(UserWarning, match="experimental"):
        pw.run(terminate_on_error=False)
    (output,) = [row for row in found if "output" in row["message"]]
    assert "pw.io.subscribe(t.select" in output["trace"]
    assert __file__ in output["trace"]


def test_minus_zero_in_a_column_of_any_is_zero() -> None:
    t = rows({"a": typing.Any, "f": float}, (-0.0, -0.0))
    assert [str(value) for value in column(t, t.a) + column(t, t.f)] == ["0.0", "-0.0"]
