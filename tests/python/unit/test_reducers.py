"""Every reducer: its type, its value, what it refuses. Streams: tests/golden and tests/python/property."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import pathway as pw

R = pw.reducers
Reducer = Callable[[Any], Any]


class Row(pw.Schema, append_only=True):
    k: int = pw.column_definition(primary_key=True)
    a: int
    b: float | None
    c: str
    f: bool


ROWS = [(1, 1, 2.5, "x", True), (2, 3, 1.5, "y", False), (3, 3, None, "x", True)]


@pytest.fixture
def t() -> pw.Table:
    return pw.debug.table_from_rows(Row, ROWS)


def value(table: pw.Table, **options: Any) -> Any:
    _, columns = pw.debug.table_to_dicts(table, **options)
    ((result,),) = (column.values() for column in columns.values())
    return result


def array(dtype: Any, *rows: Any) -> Reducer:
    """A column of arrays; `rows` are its values."""
    return lambda t: pw.apply_with_type(lambda k: np.array(rows[k - 1]), dtype, t.k)


INTS = np.ndarray[tuple[int, ...], np.dtype[np.int64]]


@pytest.mark.parametrize(
    ("reducer", "dtype", "expected"),
    [
        (lambda t: R.count(), int, 3),
        (lambda t: R.count(t.b), int, 3),
        (lambda t: R.count(t.a, t.b), int, 3),
        (lambda t: R.sum(t.a), int, 7),
        (lambda t: R.sum(t.a + 1) * 2 + R.count(), int, 23),
        (lambda t: R.sum(pw.coalesce(t.b, 0.0)), float, 4.0),
        (lambda t: R.sum(pw.coalesce(t.b, 0.0), strict=True), float, 4.0),
        (lambda t: R.sum(t.a, strict=True), int, 7),
        (lambda t: R.avg(t.a), float, 7 / 3),
        (lambda t: R.avg(expression=pw.unwrap(pw.coalesce(t.b, 2.0))), float, 2.0),
        (lambda t: R.min(t.a), int, 1),
        (lambda t: R.max(t.a), int, 3),
        (lambda t: R.min(t.b), float | None, None),
        (lambda t: R.max(t.b), float | None, 2.5),
        (lambda t: R.min(t.c), str, "x"),
        (lambda t: R.max(t.f), bool, True),
        (lambda t: R.min(pw.make_tuple(t.c, -t.a)), tuple[str, int], ("x", -3)),
        (lambda t: R.argmin(t.a), pw.Pointer[int], pw.internals.api.ref_scalar(1)),
        (lambda t: R.argmin(t.b, t.c), str, "x"),
        (lambda t: R.argmax(t.a, id=t.c), str, "x"),
        (lambda t: R.argmax(t.c, t.k), int, 2),
        (lambda t: R.unique(t.a * 0), int, 0),
        (lambda t: R.unique(1), int, 1),
        (lambda t: R.any(t.a * 0 + 5), int, 5),
        (lambda t: R.count_distinct(t.a), int, 2),
        (lambda t: R.count_distinct(t.b), int, 3),
        (lambda t: R.count_distinct(t.a, t.c), int, 3),
        (lambda t: R.count_distinct(), int, 1),
        (lambda t: R.count_distinct_approximate(t.c), int, 2),
        (lambda t: R.count_distinct_approximate(t.a, t.c, precision=4), int, 3),
        (lambda t: R.earliest(t.c), str, None),
        (lambda t: R.latest(t.b), float | None, None),
        (lambda t: R.sorted_tuple(t.b), list[float | None], (None, 1.5, 2.5)),
        (lambda t: R.sorted_tuple(t.b, skip_nones=True), list[float], (1.5, 2.5)),
        (lambda t: R.sorted_tuple(t.c), list[str], ("x", "x", "y")),
        (lambda t: R.sum(array(INTS, [1, 2], [3], [[10], [20]])(t)), INTS, [[14, 15], [24, 25]]),
        (lambda t: R.count_distinct(array(INTS, [1, 2], [1, 2], [1])(t)), int, 2),
        (lambda t: R.max(array(INTS, [1, 2], [1, 3], [1])(t)), INTS, [1, 3]),
    ],
)
def test_types_and_values(t: pw.Table, reducer: Reducer, dtype: Any, expected: Any) -> None:
    result = t.reduce(x=reducer(t))
    assert result.schema["x"].dtype == pw.schema_from_types(x=dtype)["x"].dtype
    found = value(result)
    if isinstance(found, np.ndarray):
        assert found.tolist() == expected
    elif expected is not None:
        assert found == expected
        assert type(found) is type(expected)
    else:
        assert found in {row[i] for row in ROWS for i in (2, 3)}


@pytest.mark.parametrize(
    ("reducer", "dtype", "expected"),
    [
        (lambda t: R.tuple(t.b), list[float | None], (None, 2.5, 1.5)),
        (lambda t: R.tuple(t.b, skip_nones=True), list[float], (2.5, 1.5)),
        (lambda t: R.ndarray(t.a), np.ndarray, [3, 1, 3]),
        (lambda t: R.ndarray(t.b, skip_nones=True), np.ndarray, [2.5, 1.5]),
        (lambda t: R.ndarray(expression=pw.make_tuple(t.a, t.k)), np.ndarray, [[3, 3], [1, 1], [3, 2]]),
        (lambda t: R.ndarray(array(INTS, [1, 2], [3, 4], [5, 6])(t)), np.ndarray, [[5, 6], [1, 2], [3, 4]]),
    ],
)
def test_sequences_are_in_the_order_of_the_groupby(
    t: pw.Table, reducer: Reducer, dtype: Any, expected: Any
) -> None:
    t = t.with_columns(order=pw.if_else(t.k == 3, 0, t.k))
    result = t.groupby(sort_by=t.order).reduce(x=reducer(t))
    assert result.schema["x"].dtype == pw.schema_from_types(x=dtype)["x"].dtype
    found = value(result)
    assert (found.tolist() if isinstance(found, np.ndarray) else found) == expected


def test_without_an_order_sequences_are_in_that_of_the_ids(t: pw.Table) -> None:
    ids, columns = pw.debug.table_to_dicts(t)
    assert value(t.reduce(x=R.tuple(t.k))) == tuple(columns["k"][i] for i in sorted(ids))


def as_duration(t: pw.Table) -> Any:
    return pw.apply_with_type(lambda a: pw.Duration(days=a), pw.Duration, t.a)


@pytest.mark.parametrize(
    "reducer",
    [
        lambda t: R.sum(t.b),
        lambda t: R.sum(t.c),
        lambda t: R.sum(t.f),
        lambda t: R.sum(pw.make_tuple(t.a)),
        lambda t: R.sum(pw.apply(lambda a: a, t.a)),
        lambda t: R.sum(as_duration(t)),
        lambda t: R.avg(t.b),
        lambda t: R.avg(t.c),
        lambda t: R.ndarray(t.b),
        lambda t: R.ndarray(t.c),
    ],
)
def test_types_that_a_reducer_has_no_value_for(t: pw.Table, reducer: Reducer) -> None:
    with pytest.raises(TypeError):
        t.reduce(x=reducer(t))


@pytest.mark.parametrize(
    ("reducer", "message"),
    [
        (lambda t: R.sum(R.count()), "reducer"),
        (lambda t: R.count_distinct_approximate(t.a, precision=3), "precision"),
        (lambda t: R.count_distinct_approximate(t.a, precision=19), "precision"),
        (lambda t: t.c, "reduce"),
    ],
)
def test_what_is_refused_when_it_is_built(t: pw.Table, reducer: Reducer, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        t.reduce(x=reducer(t))


def test_different_values_are_no_unique_one(t: pw.Table) -> None:
    with pytest.raises(pw.engine.EngineError, match=r"x.*y"):
        value(t.reduce(x=R.unique(t.c)))


def test_ragged_arrays(t: pw.Table) -> None:
    with pytest.raises(ValueError, match="shape"):
        value(t.reduce(x=R.ndarray(array(np.ndarray, [1], [1, 2], [3])(t))))


def test_empty_tables_have_no_group(t: pw.Table) -> None:
    empty = t.filter(t.a > 5)
    ids, _ = pw.debug.table_to_dicts(empty.reduce(n=R.count(), x=R.tuple(empty.a), y=R.max(empty.a)))
    assert list(ids) == []


def test_reducers_of_the_ids_warn(t: pw.Table) -> None:
    with pytest.warns(UserWarning, match="count"):
        t.reduce(n=R.count(t.id))


@pytest.mark.parametrize("reducer", [R.earliest, R.latest])
def test_first_and_last_rows_need_append_only_input(reducer: Reducer) -> None:
    changing = pw.debug.table_from_rows(
        pw.schema_from_types(a=int), [(1, 2, 1), (2, 2, 1), (1, 4, -1)], is_stream=True
    )
    with pytest.warns(UserWarning, match="append-only"):
        result = changing.reduce(x=reducer(changing.a))
    with pytest.raises(pw.engine.EngineError):
        value(result)
    with pytest.warns(UserWarning, match="terminate_on_error"):
        _, columns = pw.debug.table_to_dicts(result, terminate_on_error=False)
    assert list(map(str, columns["x"].values())) == ["Error"]


# --- custom reducers --------------------------------------------------------------------------------------


class Values(pw.BaseCustomAccumulator):
    def __init__(self, values: list[Any]) -> None:
        self.values = values

    @classmethod
    def from_row(cls, row: list[Any]) -> Values:
        return cls(row)

    def update(self, other: Values) -> None:
        self.values = self.values + other.values

    def compute_result(self) -> int:
        return len(self.values)


def test_types_of_custom_reducers(t: pw.Table) -> None:
    class Unannotated(Values):
        def compute_result(self):  # type: ignore[no-untyped-def]
            return 1

    many, single = R.stateful_many(lambda state, rows: 1), R.stateful_single(lambda state, *row: 1)
    result = t.reduce(
        many=many(t.a),
        single=single(t.a, t.b),
        none=many(),
        typed=R.udf_reducer(Values)(t.a, t.b) + R.count(),
        untyped=R.udf_reducer(Unannotated)(t.a),
    )
    assert result.typehints() == {"many": Any, "single": Any, "none": Any, "typed": int, "untyped": Any}
    _, columns = pw.debug.table_to_dicts(result)
    assert {name: list(column.values()) for name, column in columns.items()} == {
        "many": [1],
        "single": [1],
        "none": [1],
        "typed": [9],
        "untyped": [1],
    }


def test_accumulators_have_to_be_complete() -> None:
    class NoRow(pw.BaseCustomAccumulator):
        def update(self, other: Any) -> None: ...

        def compute_result(self) -> int:
            return 1

    for wrong in (int, NoRow, Values([])):
        with pytest.raises(TypeError):
            R.udf_reducer(wrong)  # type: ignore[arg-type]


@pytest.mark.parametrize("state", [{1, 2}, object(), lambda: 1])
def test_states_are_values(t: pw.Table, state: Any) -> None:
    with pytest.raises(TypeError, match="wrap_py_object"):
        value(t.reduce(x=R.stateful_many(lambda _, rows: state)(t.a)))


def test_states_may_be_wrapped_objects(t: pw.Table) -> None:
    def distinct(state: Any, rows: Any) -> Any:
        members = set() if state is None else state.value
        return pw.wrap_py_object(members | {row[0] for row, _ in rows})

    assert value(t.reduce(x=R.stateful_many(distinct)(t.c))).value == {"x", "y"}


def test_a_group_without_rows_has_no_row() -> None:
    t = pw.debug.table_from_rows(pw.schema_from_types(a=int), [(1, 2, 1), (1, 4, -1)], is_stream=True)

    def total(state: Any, rows: Any) -> Any:
        return (state or 0) + sum(row[0] * count for row, count in rows)

    ids, _ = pw.debug.table_to_dicts(t.reduce(x=R.stateful_many(total)(t.a)))
    assert list(ids) == []


def test_an_exception_on_the_last_removal_ends_the_run() -> None:
    t = pw.debug.table_from_rows(pw.schema_from_types(a=int), [(1, 2, 1), (1, 4, -1)], is_stream=True)

    def grows(state: Any, rows: Any) -> Any:
        if rows[0][1] < 0:
            raise RuntimeError("no way back")
        return 1

    with pytest.raises(RuntimeError, match="no way back"):
        value(t.reduce(x=R.stateful_many(grows)(t.a)))
