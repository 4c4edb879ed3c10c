"""Where operations on tables do more than in Pathway 0.33; `docs/differences.md` lists them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

import pathway as pw

R = pw.reducers


def table() -> pw.Table:
    return pw.debug.table_from_markdown("""
      | a | b
    1 | 1 | x
    2 | 2 | y
    3 | 3 | z
    """)


def rows(table: pw.Table, **options: Any) -> list[tuple[Any, ...]]:
    _, columns = pw.debug.table_to_dicts(table, **options)
    names = list(columns)
    keys = columns[names[0]].keys() if names else []
    return sorted((tuple(columns[name][key] for name in names) for key in keys), key=str)


def test_columns_of_equal_universes_mix() -> None:
    t = table()
    same = t.filter(t.a > 0)
    with pytest.raises(ValueError, match="universe"):
        t.select(same.a)
    pw.universes.promise_are_equal(same, t)
    expected = [(1, "x"), (2, "y"), (3, "z")]
    assert rows(t.select(same.a, t.b)) == expected
    assert rows(t[["a"]] + same[["b"]]) == expected
    assert rows(pw.Table.from_columns(t.a, same.b)) == expected
    assert rows(t.with_columns(b=same.b)) == expected


def test_a_false_promise_is_found() -> None:
    t = table()
    some = t.filter(t.a > 1).promise_universe_is_equal_to(t)
    with pytest.raises(KeyError):
        rows(t.select(some.a))


def test_columns_of_supersets_mix() -> None:
    t = table()
    some = t.filter(t.a > 1)
    assert rows(some.select(some.a, t.b)) == [(2, "y"), (3, "z")]
    assert rows(some.filter(t.a > 2)) == [(3, "z")]
    assert rows(some.groupby(t.b).reduce(t.b, n=R.count())) == [("y", 1), ("z", 1)]
    assert rows(some.reduce(s=R.sum(t.a))) == [(5,)]
    with pytest.raises(ValueError, match="universe"):
        t.select(some.a)


def test_columns_of_supersets_follow_changes() -> None:
    t = pw.debug.table_from_markdown("""
      | a | b | __time__ | __diff__
    1 | 1 | x | 2        | 1
    2 | 5 | y | 2        | 1
    1 | 1 | x | 4        | -1
    1 | 7 | z | 4        | 1
    """)
    big = t.filter(t.a > 2).select(k=1)
    assert rows(big.select(big.k, t.b)) == [(1, "y"), (1, "z")]


def test_rows_with_one_id_are_errors() -> None:
    twice = pw.debug.table_from_markdown("a | b\n1 | x\n1 | y").with_id_from(pw.this.a)
    base = pw.debug.table_from_markdown("a | b\n7 | q").with_id_from(pw.this.a)
    with pytest.raises(KeyError):
        rows(base.update_rows(twice))
    with pytest.warns(UserWarning, match="experimental"):
        found = rows(base.update_rows(twice), terminate_on_error=False)
    assert found == [(7, "q"), (pw.engine.ERROR, pw.engine.ERROR)]


def test_keys_of_two_kinds_of_numbers_match() -> None:
    ints = pw.debug.table_from_markdown("k\n1\n2")
    floats = pw.debug.table_from_markdown("k\n1.0\n2.5")
    assert rows(ints.join(floats, ints.k == floats.k).select(a=ints.k, b=floats.k)) == [(1, 1.0)]


def test_joins_offer_more() -> None:
    t, u = table(), pw.debug.table_from_markdown("c\n5\n6")
    j = t.join(u)
    assert j.schema.column_names() == ["a", "b", "c"]
    assert j.schema.typehints() == {"a": int, "b": str, "c": int}
    assert rows(j.filter(u.c == 5).with_columns(c=u.c + t.a)) == [(1, "x", 6), (2, "y", 7), (3, "z", 8)]
    by_instance = j.groupby(u.c, instance=t.b).reduce(u.c, t.b, n=R.count())
    assert len(rows(by_instance)) == 6
    assert rows(j.groupby(u.c, sort_by=t.a).reduce(u.c, x=R.tuple(t.b)))[0] == (5, ("x", "y", "z"))
    joined = j.select(i=pw.this.id, s=u.c + t.a)
    assert rows(joined.select(pw.this.s, b=j.ix(joined.i).b))[0] == (6, "x")


def test_pointers_with_an_instance() -> None:
    t = table()
    assert rows(t.select(x=t.pointer_from(1, instance=pw.this.b))) == rows(
        t.select(x=t.pointer_from(1, instance=t.b))
    )


@pytest.mark.parametrize(
    ("action", "expected", "said"),
    [
        (lambda t, u: t.join(u, id=t.a), AssertionError, "id argument"),
        (lambda t, u: t.join(u).join(t, pw.left.a == pw.right.a), AssertionError, "copy()"),
        (lambda t, u: t.without(1), TypeError, "names and references"),
        (lambda t, u: t.select(pw.this), ValueError, "*table"),
        (lambda t, u: pw.apply(len), AssertionError, "without arguments"),
        (lambda t, u: t.rename_columns(id="a"), ValueError, "id"),
        (lambda t, u: pw.assert_table_has_schema(t, pw.schema_from_types(a=int, z=int)), AssertionError, "z"),
    ],
)
def test_bare_assertions_have_text(
    action: Callable[[pw.Table, pw.Table], Any], expected: type[Exception], said: str
) -> None:
    with pytest.raises(expected) as caught:
        action(table(), pw.debug.table_from_markdown("c\n5"))
    assert said in str(caught.value)


@pytest.mark.parametrize(
    "action",
    [
        lambda t: t.difference(5),
        lambda t: t + 5,
        lambda t: t << 5,
        lambda t: t.concat(5),
        lambda t: t.concat_reindex(5),
        lambda t: t.intersect(5),
        lambda t: t.restrict(5),
        lambda t: t.update_rows(5),
        lambda t: t.with_universe_of(5),
        lambda t: t.with_id(5),
        lambda t: t.with_prefix(5),
        lambda t: t.join(5),
        lambda t: t.split(5),
        lambda t: t[5],
        lambda t: pw.utils.col.unpack_col("a", "x"),
        lambda t: pw.Table.from_columns("a"),
    ],
)
def test_wrong_kinds_are_type_errors(action: Callable[[pw.Table], Any]) -> None:
    with pytest.raises(TypeError) as caught:
        action(table())
    assert str(caught.value)


def test_a_missing_row_is_named() -> None:
    t = table().update_id_type(pw.Pointer[int])
    keys = t.select(p=t.pointer_from(7))
    with pytest.raises(KeyError) as caught:
        rows(t.ix(keys.p))
    assert str(pw.engine.ref_scalar(7)) in str(caught.value)


def test_a_key_that_is_an_error_does_not_end_the_run() -> None:
    t = table().update_id_type(pw.Pointer[int])
    keys = t.select(p=t.pointer_from(1 // (t.a - 1)))
    with pytest.warns(UserWarning, match="experimental"):
        found = rows(t.ix(keys.p).select(a=pw.fill_error(pw.this.a, -1)), terminate_on_error=False)
    assert found == [(-1,), (-1,), (1,)]


def test_an_empty_universe_warns() -> None:
    t = table()
    with pytest.warns(UserWarning, match="always empty"):
        t.filter(t.a > 1).promise_universes_are_disjoint(t)
    assert list(pw.Table.empty(a=int).select(pw.this.a).column_names()) == ["a"]


def test_columns_are_renamed_by_names_everywhere() -> None:
    t = pw.Table.empty(a=int, b=str)
    assert list(t.rename(c="a").column_names()) == list(t.rename_columns(c="a").column_names()) == ["b", "c"]


def test_lookups_of_groups_by_columns_of_the_grouped_table() -> None:
    t = pw.debug.table_from_markdown("g | v\nx | 1\nx | 2\ny | 5")
    sums = t.groupby(t.g).reduce(t.g, s=R.sum(t.v))
    names = pw.debug.table_from_markdown("v | n\n2 | two\n5 | five").with_id_from(pw.this.v)
    found = t.groupby(t.g).reduce(
        t.g, share=R.max(t.v) / sums.ix_ref(t.g).s, name=names.ix_ref(R.max(t.v)).n, last=sums.ix_ref(t.g).g
    )
    assert rows(found) == [("x", 2 / 3, "two", "x"), ("y", 1.0, "five", "y")]
    asked = sums.ix_ref(t.g)
    assert rows(t.groupby(asked.s).reduce(asked.s, n=R.count())) == [(3, 2), (5, 1)]
    assert rows(t.groupby(t.g).reduce(t.g, s=R.max(asked.s))) == [("x", 3), ("y", 5)]
    with pytest.raises(ValueError, match="grouped"):
        t.groupby(t.g).reduce(x=names.ix_ref(t.v, allow_misses=True).n)


def test_lookups_in_lookups() -> None:
    t = table().with_columns(other=pw.this.id)
    assert rows(t.select(x=pw.this.ix(pw.this.ix(pw.this.other).other).a)) == [(1,), (2,), (3,)]


def test_rows_that_match_once_in_other_joins_than_inner_ones() -> None:
    left = pw.debug.table_from_markdown("a\n1\n2")
    right = pw.debug.table_from_markdown("k | c\n1 | 5\n7 | 6")
    expected = [(1, 5), (2, None)]
    for join in (left.join_left, left.join_outer):
        extra = [(None, 6)] if join == left.join_outer else []
        with pytest.warns(UserWarning, match="only help inner joins"):
            joined = join(right, left.a == right.k, left_exactly_once=True)
        assert rows(joined.select(left.a, right.c)) == expected + extra
    with pytest.warns(UserWarning, match="only help inner joins"):
        joined = left.join_right(right, left.a == right.k, right_exactly_once=True)
    assert rows(joined.select(left.a, right.c)) == [(1, 5), (None, 6)]


def test_the_rows_of_a_join_as_a_restriction() -> None:
    t, u = table(), pw.debug.table_from_markdown("k\n1\n3")
    j = t.join(u, t.a == u.k, id=t.id)
    assert rows(t.restrict(j)) == [(1, "x"), (3, "z")]
    assert rows(j.select(t.a).with_universe_of(j)) == [(1,), (3,)]
    with pytest.raises(ValueError, match="row ids"):
        t.restrict(t.join(u, t.a == u.k))


def test_two_new_names_for_a_column_are_refused() -> None:
    with pytest.raises(KeyError, match="renamed twice"):
        table().rename_columns(p="a", q="a")


@pytest.mark.parametrize(
    "action", [lambda t: t.from_streams(5), lambda t: t.sort("a"), lambda t: t.ix(t.id, context=5)]
)
def test_more_wrong_kinds(action: Callable[[pw.Table], Any]) -> None:
    with pytest.raises(TypeError, match="type hint"):
        action(table())


@pytest.mark.filterwarnings("ignore:this makes the set of rows")
def test_the_total_of_nothing_is_not_there() -> None:
    asking = pw.debug.table_from_markdown("c\n1")
    none = pw.Table.empty(a=int)
    total = none.reduce(m=R.max(none.a))
    with pytest.raises(KeyError, match="allow_misses"):
        rows(asking.select(m=total.ix_ref(context=asking).m))
    assert rows(asking.select(m=total.ix_ref(context=asking, allow_misses=True).m)) == [(None,)]


@pytest.mark.filterwarnings("ignore:terminate_on_error")
def test_errors_and_none_as_ids_of_groups() -> None:
    t = table()
    failing = t.with_columns(p=t.pointer_from(6 // (t.a - 1)))
    grouped = failing.groupby(id=failing.p).reduce(n=R.count())
    assert rows(grouped, terminate_on_error=False) == [(1,), (1,)]
    missing = t.with_columns(p=pw.if_else(t.a == 1, None, t.pointer_from(t.a)))
    grouped = missing.groupby(id=missing.p).reduce(n=R.count())
    assert rows(grouped, terminate_on_error=False) == [(1,), (1,)]
    events = t.with_columns(f=6 // (t.a - 1) > 0)
    assert rows(events.stream_to_table(pw.this.f), terminate_on_error=False) == [
        (2, "y", True),
        (3, "z", True),
    ]


@pytest.mark.filterwarnings("ignore:this makes the set of rows")
def test_rows_with_one_id_in_a_difference() -> None:
    twice = pw.debug.table_from_markdown("a | b\n1 | x\n1 | y").with_id_from(pw.this.a)
    none = pw.Table.empty(a=int)
    with pytest.raises(KeyError, match="two rows"):
        rows(twice.difference(none.with_id_from(none.a)))


def test_iterated_tables_stay_append_only() -> None:
    t = table()
    assert pw.iterate(lambda t: t.select(t.a, t.b), t=t).is_append_only


def test_ids_are_append_only_where_columns_are_not() -> None:
    t = table()
    ordered = t.sort(t.a)
    assert not ordered.is_append_only
    assert ordered.schema.universe_properties.append_only
    assert ordered.select(x=1).is_append_only


def test_too_many_results_of_a_step() -> None:
    with pytest.raises(AssertionError, match="2 tables"):
        pw.iterate(lambda t: (t, t), t=table())


def test_a_pointer_that_is_none_is_an_error() -> None:
    t = table()
    anything = pw.apply_with_type(lambda a: a, Any, t.a)
    t = t.select(t.a, p=pw.declare_type(pw.Pointer, anything))
    looked_up, moved = t.select(x=t.ix(t.p).a), t.with_id(t.p)
    for broken in (looked_up, moved):
        with pytest.raises(TypeError):
            rows(broken)
    with pytest.warns(UserWarning, match="experimental"):
        assert rows(looked_up, terminate_on_error=False) == [(pw.engine.ERROR,)] * 3
    with pytest.warns(UserWarning, match="experimental"):
        assert rows(moved, terminate_on_error=False) == []


def test_a_pending_column_orders_no_group() -> None:
    @pw.udf(executor=pw.udfs.fully_async_executor())
    async def later(a: int) -> int:
        return a

    t = table()
    t = t.with_columns(y=later(t.a))
    with pytest.raises(TypeError, match="await_futures"):
        t.groupby(t.a, sort_by=t.y).reduce(n=R.tuple(t.b))
