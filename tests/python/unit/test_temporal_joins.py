"""Joins in which times matter: what they refuse, and what they say about their results."""

from __future__ import annotations

from typing import Any

import pytest

import pathway as pw

Table = pw.Table[Any]


def table(**columns: Any) -> Table:
    return pw.debug.table_from_rows(
        pw.schema_from_types(**{k: type(v) for k, v in columns.items()}), [tuple(columns.values())]
    )


@pytest.fixture
def left() -> Table:
    return table(k=1, t=1, a="x")


@pytest.fixture
def right() -> Table:
    return table(k=1, t=2, b="y")


NEAR = pw.temporal.interval(0, 1)


def test_arguments_of_interval_join(left: Table, right: Table) -> None:
    times = (left.t, right.t)
    with pytest.raises(TypeError, match="Interval"):
        left.interval_join(right, *times, 3)
    with pytest.raises(TypeError, match="column expressions"):
        left.interval_join(right, 3, right.t, NEAR)
    with pytest.raises(ValueError, match="string"):
        left.interval_join(right, *times, NEAR, how="left")
    with pytest.raises(ValueError, match="takes no id"):
        left.interval_join(right, *times, NEAR, id=left.id)
    with pytest.raises(ValueError, match="takes no how"):
        left.interval_join_left(right, *times, NEAR, how=pw.JoinMode.LEFT)
    with pytest.raises(ValueError, match="no parameters x"):
        left.interval_join(right, *times, NEAR, x=left.t)
    with pytest.raises(ValueError, match="go together"):
        left.interval_join(right, *times, NEAR, left_instance=left.k)
    with pytest.raises(ValueError, match="comes first"):
        left.interval_join(right, *times, NEAR, right.k == left.k)
    with pytest.raises(ValueError, match=r"left\.column == right\.column"):
        left.interval_join(right, *times, NEAR, left.k < right.k)
    with pytest.raises(ValueError, match="copy"):
        left.interval_join(left, left.t, left.t, NEAR)


def test_types_of_times(left: Table, right: Table) -> None:
    with pytest.raises(TypeError) as refused:
        left.interval_join(right, left.a, right.t, NEAR)
    assert str(refused.value).startswith(
        "Arguments (self_time_expression, other_time_expression, lower_bound, upper_bound) have to be of "
        "types (INT, INT, INT, INT) or (FLOAT, FLOAT, FLOAT, FLOAT) or (DATE_TIME_NAIVE, DATE_TIME_NAIVE, "
        "DURATION, DURATION) or (DATE_TIME_UTC, DATE_TIME_UTC, DURATION, DURATION) but are of types (STR, "
        "INT, INT, INT)."
    )
    maybe = left.select(t=pw.if_else(left.k > 0, left.t, None))
    with pytest.raises(TypeError, match="Optional"):
        maybe.interval_join(right, maybe.t, right.t, NEAR)


def test_what_is_chosen_from_both_sides_is_there(left: Table, right: Table) -> None:
    joined = left.interval_join_outer(right, left.t, right.t, NEAR)
    numbers = joined.select(
        v=pw.coalesce(left.t, right.t),
        nested=pw.coalesce(pw.require(left.t + right.t, left.id, right.id), pw.right.t, pw.left.t) + 1,
        ids=pw.coalesce(left.id, right.id),
        one_side=pw.coalesce(left.t, left.k),
    )
    kinds = {name: str(column.dtype) for name, column in numbers.schema.columns().items()}
    assert kinds == {"v": "INT", "nested": "INT", "ids": "ANY_POINTER", "one_side": "Optional(INT)"}
    _, total = pw.debug.table_to_dicts(numbers.reduce(total=pw.reducers.sum(pw.this.v)))
    assert list(total["total"].values()) == [1]


def test_what_may_be_none_on_its_side_stays_optional(left: Table, right: Table) -> None:
    maybe = left.select(left.t, v=pw.if_else(left.k > 1, left.k, None))
    chosen = maybe.interval_join_outer(right, maybe.t, right.t, NEAR).select(
        v=pw.coalesce(maybe.v, right.k), w=pw.coalesce(maybe.v, maybe.t, right.k)
    )
    kinds = {name: str(column.dtype) for name, column in chosen.schema.columns().items()}
    assert kinds == {"v": "Optional(INT)", "w": "INT"}


def test_intervals_are_not_checked_before_they_are_used() -> None:
    assert pw.temporal.interval(3, 1) == pw.temporal.Interval(lower_bound=3, upper_bound=1)
    with pytest.raises(TypeError, match="lower_bound"):
        pw.temporal.interval("1", 2)  # type: ignore[arg-type]


def test_functions_and_methods_are_the_same(left: Table, right: Table) -> None:
    for how in ("inner", "left", "right", "outer"):
        function = getattr(pw.temporal, f"interval_join_{how}")
        method = getattr(left, f"interval_join_{how}")
        by_mode = pw.temporal.interval_join(left, right, left.t, right.t, NEAR, how=pw.JoinMode[how.upper()])
        results = [
            joined.select(x=left.t, y=right.t)
            for joined in (
                function(left, right, left.t, right.t, NEAR),
                method(right, pw.left.t, pw.right.t, interval=NEAR),
                by_mode,
            )
        ]
        assert all(isinstance(joined, pw.Table) for joined in results)
        first, *others = (pw.debug.table_to_dicts(result) for result in results)
        assert all(other == first for other in others)


def test_interval_join_keeps_append_only(left: Table, right: Table) -> None:
    inner = left.interval_join(right, left.t, right.t, NEAR).select(left.a)
    outer = left.interval_join_left(right, left.t, right.t, NEAR).select(left.a)
    assert inner.is_append_only
    assert not outer.is_append_only


def test_arguments_of_asof_join(left: Table, right: Table) -> None:
    times = (left.t, right.t)
    with pytest.raises(TypeError, match="how"):
        left.asof_join(right, *times)
    with pytest.raises(ValueError, match="string"):
        left.asof_join(right, *times, how="left")
    with pytest.raises(ValueError, match="Unsupported asof join mode"):
        left.asof_join(right, *times, how=pw.JoinMode.INNER)
    with pytest.raises(ValueError, match="takes no how"):
        left.asof_join_left(right, *times, how=pw.JoinMode.LEFT)
    with pytest.raises(ValueError, match="direction='backward' is a string"):
        left.asof_join_left(right, *times, direction="backward")
    with pytest.raises(ValueError, match="no member"):
        left.asof_join_left(right, *times, direction=1)
    with pytest.raises(TypeError, match="by column"):
        left.asof_join_left(right, *times, defaults={"b": 0})
    with pytest.raises(ValueError, match="neither side"):
        left.asof_join_left(right, *times, defaults={table(x=1).x: 0})
    with pytest.raises(TypeError, match="no type in common"):
        left.asof_join_left(right, *times, defaults={right.b: 0})
    with pytest.raises(TypeError, match=r"Arguments \(t_left, t_right\) have to be of types"):
        left.asof_join_left(right, left.a, right.t)
    with pytest.raises(KeyError, match="no column a"):
        left.asof_join_left(right, *times).select(pw.this.a)


def test_columns_of_asof_join(left: Table, right: Table) -> None:
    joined = left.asof_join_outer(right, left.t, right.t, left.k == right.k)
    assert list(joined.keys()) == ["instance", "t", "key", "side"]
    result = joined.select(*pw.this, pw.left.a, b=right.b)
    assert result.typehints() == {
        "instance": int,
        "t": int,
        "key": tuple[int, bool, pw.Pointer],
        "side": bool,
        "a": str | None,
        "b": str | None,
    }
    assert not result.is_append_only


def test_joins_without_a_behavior(left: Table, right: Table) -> None:
    behavior = pw.temporal.common_behavior(cutoff=1)
    with pytest.raises(TypeError, match="behavior"):
        left.asof_now_join(right, behavior=behavior)
    with pytest.raises(TypeError, match="no parameter behavior; ignore_late"):
        left.window_join(right, left.t, right.t, pw.temporal.tumbling(2), behavior=behavior)


def joins(left: Table, right: Table) -> dict[str, Any]:
    times = (left.t, right.t)
    return {
        "join": left.join(right, left.k == right.k),
        "interval": left.interval_join(right, *times, pw.temporal.interval(0, 1), left.k == right.k),
        "outer interval": left.interval_join_outer(right, *times, pw.temporal.interval(5, 6)),
        "as of": left.asof_join_left(right, *times, direction=pw.temporal.Direction.NEAREST),
        "as of now": left.asof_now_join(right, left.k == right.k),
        "tumbling": left.window_join(right, *times, pw.temporal.tumbling(5)),
        "sliding": left.window_join_left(right, *times, pw.temporal.sliding(2, 4, origin=1)),
        "session": left.window_join(right, *times, pw.temporal.session(max_gap=2)),
        "filtered windows": left.window_join(right, *times, pw.temporal.tumbling(5)).filter(right.b == "y"),
        "filtered": left.interval_join(right, *times, pw.temporal.interval(0, 1)).filter(right.b == "y"),
    }


@pytest.mark.parametrize("kind", list(joins(table(k=1, t=1, a="x"), table(k=1, t=2, b="y"))))
def test_lookups_in_selects(kind: str, left: Table, right: Table) -> None:
    names = pw.debug.table_from_rows(pw.schema_from_types(k=int, name=str), [(1, "one"), (2, "two")])
    known = names.with_id_from(names.k)
    left = left.with_columns(p=known.pointer_from(left.k))
    joined = joins(left, right)[kind]
    optional = kind == "outer interval"
    result = joined.select(
        left.a,
        by_column=known.ix(left.p, optional=optional).name,
        by_side=known.ix(pw.left.p, optional=optional).name,
        by_context=known.ix(left.p, context=pw.this, optional=optional).name,
        by_value=known.ix_ref(left.k, optional=optional).name,
    )
    expected = {("x", "one", "one", "one", "one")}
    if optional:
        expected.add((None,) * 5)
    _, columns = pw.debug.table_to_dicts(result)
    assert set(zip(*(column.values() for column in columns.values()), strict=True)) == expected


def test_columns_of_tables_that_are_not_joined(left: Table, right: Table) -> None:
    with pytest.raises(ValueError, match="universes"):
        left.interval_join(right, left.t, right.t, NEAR).select(table(x=1).x)
    with pytest.raises(ValueError, match="universes"):
        left.interval_join(right, left.t, right.t, NEAR).select(left.select(z=left.t).z)
    # It is unclear whose rows are looked up.
    same, other = left.copy(), left.copy()
    with pytest.raises(ValueError, match="universes"):
        left.interval_join(same, left.t, same.t, NEAR).select(left.ix(other.id).k)


def test_tables_that_only_a_join_knows(left: Table, right: Table) -> None:
    """No other table is taken for one that is gone."""
    window = left.window_join(right.copy(), pw.left.t, pw.right.t, pw.temporal.tumbling(5))
    filtered = left.join(right.copy(), pw.left.k == pw.right.k).filter(pw.right.b == "y")
    for _ in range(50):
        others = [left.select(z=left.k) for _ in range(20)]
        for joined in (window, filtered):
            for other in others:
                assert joined._engine_name(other.z) is None
