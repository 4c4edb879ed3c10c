"""Where expressions do more than in Pathway 0.33, or something else; `docs/differences.md` lists them."""

from __future__ import annotations

import copy
import datetime
import pathlib
import pickle
import re
import typing
import warnings

import numpy as np
import pandas as pd
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
    arrays = rows({"v": np.ndarray[tuple[int], np.dtype[np.int64]]}, (np.array([1, 2]),), (np.array([5]),))
    assert (
        arrays.eval_type(arrays.v.get(1)) == dt.INT
    )  # as if there were always one: programs compute with it
    assert column(arrays.select(x=arrays.v.get(1))) == [2, None]
    assert arrays.eval_type(arrays.v.get(1, 0.5)) == dt.FLOAT
    assert column(arrays.select(x=arrays.v.get(1, 0.5))) == [2.0, 0.5]
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


@pytest.mark.parametrize(
    ("annotation", "expected"),
    [
        (typing.Union[None, int], "Optional(INT)"),  # noqa: UP007
        (typing.Union[int, float, None], "Optional(FLOAT)"),  # noqa: UP007
        (typing.Annotated[int, "x"], "INT"),
        (typing.Literal["a", "b"], "STR"),
        (np.int8, "INT"),
        (np.bool_, "BOOL"),
        (typing.Callable[[int], str], "Callable((INT), STR)"),
    ],
)
def test_annotations(annotation: typing.Any, expected: str) -> None:
    assert repr(dt.wrap(annotation)) == expected


@pytest.mark.parametrize(
    ("annotation", "advice"),
    [
        (datetime.datetime, "pw.DateTimeNaive"),
        (datetime.date, "pw.DateTimeNaive"),
        (pd.Timestamp, "pw.DateTimeUtc"),
        (datetime.timedelta, "pw.Duration"),
        (pd.Timedelta, "pw.Duration"),
    ],
)
def test_annotations_with_advice(annotation: typing.Any, advice: str) -> None:
    with pytest.raises(TypeError, match=re.escape(advice)):
        dt.wrap(annotation)


def test_schemas(tmp_path: pathlib.Path) -> None:
    class Keyed(pw.Schema, append_only=True):
        a: int = pw.column_definition(primary_key=True)

    class More(Keyed):
        b: int = pw.column_definition(name="b c", default_value=3)

    class Least(More):
        d: str

    class Other(pw.Schema):
        x: int

    both = Least | Other
    assert both.primary_key_columns() == ["a"]
    assert both.default_values() == {"b c": 3}
    assert both["a"].append_only
    with pytest.raises(AssertionError, match="a"):
        Keyed | Keyed
    assert More.with_types(a=str).id_type == pw.Pointer[str]
    assert More.without("a").id_type is pw.Pointer
    assert More.without("b c").id_type == pw.Pointer[int]
    given = {"a": {"dtype": "int"}}
    pw.schema_from_dict(given)
    assert given == {"a": {"dtype": "int"}}
    assert pw.schema_from_dict({"a": {"type": "LIST", "wrapped": {"type": "INT"}}})["a"].dtype == dt.List(
        dt.INT
    )
    with pytest.raises(ValueError, match="nope"):
        pw.schema_from_dict({"a": "nope"})
    scope: dict[str, typing.Any] = {}
    exec(More.generate_class("Again", generate_imports=True), scope)
    assert scope["Again"] == More
    (tmp_path / "x.csv").write_text("a,b\n1,2\n\n3\n")
    assert dict(pw.schema_from_csv(str(tmp_path / "x.csv")).typehints()) == {"a": int, "b": int}


def test_static_tables_tell_what_does_not_fit() -> None:
    with pytest.raises(TypeError, match=r"column a, row 1.*INT.*None"):
        rows({"a": int}, (1,), (None,))
    with pytest.raises(TypeError, match="INT cannot hold 'x'"):
        rows({"a": int}, ("x",))


def test_pointers_can_be_copied() -> None:
    p = pw.engine.ref_scalar(1)
    assert pickle.loads(pickle.dumps(p)) == p
    assert copy.deepcopy(p) == p


@pytest.mark.filterwarnings("ignore:terminate_on_error")
def test_edges_of_numbers() -> None:
    t = rows({"a": int, "b": int}, (-(2**63), -1))
    assert column(t.select(x=t.a // t.b)) == [-(2**63)]
    assert column(t.select(x=t.a % t.b)) == [0]
    big = t.select(x=pw.apply(lambda a: 2**70, t.a))
    assert column(big, terminate_on_error=False) == [pw.engine.ERROR]
    with pytest.raises(TypeError, match="64 bits"):
        pw.engine.ref_scalar(2**70)
    deep = t.b
    for _ in range(2000):
        deep = deep + 1
    assert column(t.select(x=deep)) == [1999]
    assert column(t.select(x=pw.coalesce(None))) == [None]
    with pytest.raises(TypeError, match="number"):
        t.select(x=t.a.num.fill_na(t.b))
    lists = rows({"a": list[int], "b": list[float], "o": list[int]}, ([1], [0.5], [2]))
    assert column(lists.select(x=pw.if_else(lists.o == lists.a, lists.a, lists.b))) == [(0.5,)]
    assert column(lists.select(x=pw.coalesce(lists.a, lists.b))) == [(1.0,)]
    cubes = t.select(m=pw.apply_with_type(lambda a: np.ones((2, 2, 2)), np.ndarray, t.a))
    assert (
        column(cubes.select(x=cubes.m @ cubes.m))[0].tolist()
        == (np.ones((2, 2, 2)) @ np.ones((2, 2, 2))).tolist()
    )
    with pytest.raises(ValueError, match="bool"):
        pw.Json(True).as_int()


@pytest.mark.filterwarnings("ignore:terminate_on_error")
def test_edges_of_time() -> None:
    t = rows({"n": pw.DateTimeNaive}, (pw.DateTimeNaive("2020-01-01"),))
    bad = [t.n.dt.strftime(f) for f in ("%z", "%Z", "%+", "%Q", "%")]
    bad += [t.n.dt.round(pw.Duration(0)), t.n.dt.floor(pw.Duration(-5))]
    for expression in bad:
        assert column(t.select(x=expression), terminate_on_error=False) == [pw.engine.ERROR]
    far = rows({"n": pw.DateTimeNaive}, (pd.Timestamp.max,))
    assert column(far.select(x=far.n.dt.round("1D")), terminate_on_error=False) == [pw.engine.ERROR]
    zones = rows(
        {"s": str}, ("2020-01-01T02:00:00+01",), ("2020-01-01T01:00:00Z",), ("2020-01-01T01:00:00 CET",)
    )
    parsed = zones.select(x=zones.s.dt.strptime("%Y-%m-%dT%H:%M:%S%z"))
    one = pw.DateTimeUtc("2020-01-01T01:00:00Z")
    assert column(parsed, terminate_on_error=False) == [one, one, pw.engine.ERROR]


def stream(text: str) -> pw.Table:
    return pw.debug.table_from_markdown(text)


def test_reducers_do_more() -> None:
    R = pw.reducers
    o = rows(
        {"g": str, "v": int | None, "f": float | None}, ("x", 1, 0.5), ("x", None, None), ("y", None, None)
    )
    t = o.groupby(o.g).reduce(
        o.g,
        s=R.sum(o.v, skip_nones=True),
        a=R.avg(o.v, skip_nones=True),
        b=R.avg(o.f, skip_nones=True),
    )
    _, cells = pw.debug.table_to_dicts(t)
    found = sorted(zip(*(cells[name].values() for name in "gsab"), strict=True))
    assert found == [("x", 1, 1.0, 0.5), ("y", 0, None, None)]
    with pytest.raises(TypeError, match="coalesce"):
        o.reduce(x=R.sum(o.v))

    inf = stream("""
      | v   | __time__ | __diff__
    1 | inf | 2        | 1
    2 | 1.0 | 2        | 1
    1 | inf | 4        | -1
    """)
    assert column(inf.reduce(x=R.sum(inf.v))) == [1.0]

    mixed = rows({"a": int}, (1,), (2,))
    arrays = mixed.select(
        v=pw.apply_with_type(lambda a: np.array([a]) if a == 1 else np.array([0.5]), np.ndarray, mixed.a)
    )
    assert column(arrays.reduce(x=R.sum(arrays.v)))[0].tolist() == [1.5]

    with pytest.raises(pw.engine.EngineError, match="1 and 2"):
        column(mixed.reduce(x=R.unique(mixed.a)))

    gone = stream("""
      | v | __time__ | __diff__
    1 | 5 | 2        | 1
    1 | 5 | 4        | -1
    2 | 6 | 4        | 1
    """)
    with pytest.warns(UserWarning, match="append"):
        results = [gone.reduce(x=R.earliest(gone.v)), gone.reduce(x=R.count_distinct_approximate(gone.v))]
    for removed in results:
        with pytest.raises(pw.engine.EngineError, match="removed"):
            column(removed)
    single = R.stateful_single(lambda state, v: (state or 0) + v)
    with pytest.raises(AssertionError, match="deletions"):
        column(gone.reduce(x=single(gone.v)))


@pytest.mark.filterwarnings("ignore:terminate_on_error")
def test_errors_stay_cells() -> None:
    t = rows({"a": int}, (1,), (0,))
    frame = pw.debug.table_to_pandas(t.select(q=1 // t.a), terminate_on_error=False)
    assert sorted(map(str, frame["q"])) == ["1", "Error"]
    nested = t.select(x=pw.make_tuple(1, pw.make_tuple(1 // t.a, 2)), a=t.a).remove_errors()
    assert pw.debug.table_to_pandas(nested, terminate_on_error=False)["a"].tolist() == [1]


def test_types_of_products_of_matrices() -> None:
    square = np.ndarray[tuple[int, int], np.dtype[np.float64]]
    t = rows({"m": square, "v": np.ndarray[tuple[int], np.dtype[np.float64]]}, (np.eye(2), np.ones(2)))
    assert t.eval_type(t.m @ t.m) == dt.Array(2, dt.FLOAT)
    assert t.eval_type(t.m @ t.v) == dt.Array(1, dt.FLOAT)


def test_ids_of_keyed_schemas_are_relabelled() -> None:
    class Keyed(pw.Schema):
        a: int = pw.column_definition(primary_key=True)

    assert Keyed.with_id_type(pw.Pointer[str]).id_type == pw.Pointer[str]


def test_an_expression_that_is_used_twice_is_computed_once() -> None:
    calls: list[int] = []

    @pw.udf(deterministic=True)
    def once(a: int) -> int:
        calls.append(a)
        return a

    t = rows({"a": int}, (1,), (2,))
    result = once(t.a)
    assert column(t.select(x=result + result * 10)) == [11, 22]
    assert sorted(calls) == [1, 2]


def test_snapshots_of_columns_that_stay() -> None:
    t = stream("""
      | a | b | __time__ | __diff__
    1 | 1 | x | 2        | 1
    1 | 1 | x | 4        | -1
    1 | 1 | y | 4        | 1
    """)
    taken = t.select(t.a).unpack_snapshots()
    assert pw.debug.table_to_pandas(taken)["a"].tolist() == [1]
