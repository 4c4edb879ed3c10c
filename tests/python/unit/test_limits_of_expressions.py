"""Where expressions do more than in Pathway 0.33, or something else; `docs/differences.md` lists them."""

from __future__ import annotations

import datetime
import typing
import warnings

import numpy as np
import pytest

import pathway as pw
from pathway.internals import dtype as dt


def rows(types: dict[str, typing.Any], *cells: tuple[typing.Any, ...]) -> pw.Table:
    return pw.debug.table_from_rows(pw.schema_from_types(**types), list(cells))


def column(table: pw.Table, **options: typing.Any) -> list[typing.Any]:
    """The cells of the one column of a table, in the order of the rows."""
    keys, columns = pw.debug.table_to_dicts(table, **options)
    (cells,) = columns.values()
    order = {pw.engine.ref_scalar(i): i for i in range(100)}
    return [cells[key] for key in sorted(keys, key=lambda key: order.get(key, 0))]


def test_none_beside_an_optional_column_stays_possible() -> None:
    t = rows({"n": None, "a": int | None}, (None, None), (None, 1))
    assert t.eval_type(pw.coalesce(t.n, t.a)) == dt.Optional(dt.INT)
    assert column(t.select(x=pw.coalesce(t.n, t.a))) == [None, 1]
    assert t.eval_type(t.pointer_from(t.n, optional=True)) == dt.Optional(dt.Pointer(dt.NONE))
    assert column(t.select(x=t.pointer_from(t.n, optional=True))) == [None, None]


def test_branches_may_both_be_any() -> None:
    t = rows({"a": typing.Any, "b": typing.Any}, (1, "x"), (2.5, "y"))
    assert column(t.select(x=pw.if_else(t.b == t.b, t.a, t.b))) == [1, 2.5]


@pytest.mark.parametrize(
    ("source", "target", "cells", "expected"),
    [
        (int | None, str | None, (2, None), ["2", None]),
        (float | None, str | None, (2.5, None), ["2.5", None]),
        (str | None, int | None, ("3", None), [3, None]),
        (str | None, float | None, ("3.5", None), [3.5, None]),
        (bool | None, int | None, (True, None), [1, None]),
    ],
)
def test_optional_casts(
    source: typing.Any, target: typing.Any, cells: typing.Any, expected: typing.Any
) -> None:
    t = rows({"a": source}, *[(cell,) for cell in cells])
    assert column(t.select(x=pw.cast(target, t.a))) == expected


def test_a_declared_float_counts_as_one() -> None:
    t = rows({"a": int}, (1,), (2,))
    assert column(t.select(x=pw.declare_type(float, t.a) + 1.5)) == [2.5, 3.5]


def test_numpy_values() -> None:
    t = rows({"a": int}, (1,))
    assert column(t.select(x=np.bool_(True))) == [True]
    small = t.select(x=pw.apply_with_type(lambda a: np.array([a, 2], dtype=np.int8), np.ndarray, t.a))
    assert column(small)[0].tolist() == [1, 2]
    assert column(small)[0].dtype == np.int64


def test_durations_inside_json() -> None:
    day = datetime.timedelta(days=1)
    assert pw.Json.dumps([day]) == "[86400000000000]"
    t = rows({"a": int}, (1,))
    assert column(t.select(x=pw.apply_with_type(lambda _: {"d": day}, pw.Json, t.a))) == [
        pw.Json({"d": 86400000000000})
    ]


def test_the_default_of_get_has_a_say_in_the_type() -> None:
    t = rows({"a": list[int]}, ([1],), ([],))
    assert t.eval_type(t.a.get(0, 7)) == dt.INT
    assert t.eval_type(t.a.get(0)) == dt.Optional(dt.INT)
    assert t.eval_type(t.a.get(0, 0.5)) == dt.FLOAT
    assert t.eval_type(t.a.get(0, "x")) == dt.ANY
    assert column(t.select(x=t.a.get(0, 7) + 1)) == [2, 8]
    assert column(t.select(x=t.a.get(0, 0.5))) == [1.0, 0.5]
    j = rows({"d": pw.Json}, ({"a": 1},), ({},))
    defaults = column(j.select(x=j.d["a"].as_float(default=2)))
    assert defaults == [1.0, 2.0]
    assert [type(cell) for cell in defaults] == [float, float]


def test_get_beyond_a_tuple_warns() -> None:
    t = rows({"a": tuple[int, str]}, ((1, "x"),))
    with pytest.warns(UserWarning, match="always the default"):
        result = t.select(x=t.a.get(2, 0.5))
    assert column(result) == [0.5]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        t.select(x=t.a.get(-2, 5))


def test_a_group_of_errors_has_a_row() -> None:
    t = rows({"g": str, "a": int}, ("x", 1), ("y", 0))
    q = t.select(t.g, q=6 // t.a)
    totals = q.groupby(q.g).reduce(q.g, n=pw.reducers.count(), s=pw.fill_error(pw.reducers.sum(q.q), -1))
    with pytest.warns(UserWarning, match="experimental"):
        _, columns = pw.debug.table_to_dicts(totals, terminate_on_error=False)
    assert sorted(zip(columns["g"].values(), columns["n"].values(), columns["s"].values(), strict=True)) == [
        ("x", 1, 6),
        ("y", 1, -1),
    ]


def test_errors_are_filled_by_what_fits_members() -> None:
    t = rows({"a": int, "b": str}, (1, "x"), (0, "y"))
    pair = pw.make_tuple(6 // t.a, t.a)
    filled = pw.fill_error(pair, pw.make_tuple(t.a, t.b))
    assert t.eval_type(filled) == dt.Tuple(dt.INT, dt.ANY)
    assert column(t.select(x=filled)) == [(6, 1), (0, "y")]
