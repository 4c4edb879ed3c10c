"""One property for each operator: whatever the history, the result is that of a static run."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import pathway as pw

from .check import check_incremental, property_settings
from .histories import (
    History,
    flag,
    histories,
    letter,
    maybe_int,
    numbers,
    quarter,
    reference,
    small_int,
)

PREFIX = st.integers(0, 4)
Table = pw.Table[Any]


@property_settings
@given(histories(a=small_int, b=maybe_int, s=letter), PREFIX)
def test_select(t: History, prefix: int) -> None:
    def program(t: Table) -> Table:
        return t.select(
            double=t.a * 2,
            b=pw.coalesce(t.b, t.a),
            text=t.s + "!",
            none=t.b.is_none(),
            pair=pw.make_tuple(t.a, t.s),
            constant=7,
        )

    check_incremental(program, t, prefix=prefix)


@property_settings
@given(histories(a=small_int, b=small_int), PREFIX)
def test_select_drops_changes_of_unused_columns(t: History, prefix: int) -> None:
    check_incremental(lambda t: t.select(a=t.a, zero=t.b * 0), t, prefix=prefix)


@property_settings
@given(histories(a=small_int, f=flag), PREFIX)
def test_filter(t: History, prefix: int) -> None:
    check_incremental(lambda t: t.filter((t.a > 0) | t.f), t, prefix=prefix)


@property_settings
@given(histories(a=small_int), PREFIX)
def test_split_and_concat(t: History, prefix: int) -> None:
    def program(t: Table) -> Table:
        positive, rest = t.split(t.a > 0)
        return positive.with_columns(a=-positive.a).concat(rest)

    check_incremental(program, t, prefix=prefix)


@property_settings
@given(histories(v=numbers, s=letter), PREFIX)
def test_flatten(t: History, prefix: int) -> None:
    check_incremental(lambda t: t.flatten(t.v, origin_id="origin"), t, prefix=prefix)


@property_settings
@given(histories(s=letter), PREFIX)
def test_flatten_text(t: History, prefix: int) -> None:
    check_incremental(lambda t: t.flatten(t.s), t, prefix=prefix)


@property_settings
@given(histories(a=small_int, s=letter), PREFIX)
def test_with_id_from(t: History, prefix: int) -> None:
    check_incremental(lambda t: t.with_id_from(t.k, t.s), t, prefix=prefix)


@property_settings
@given(histories(a=small_int, s=letter), histories(a=maybe_int, s=letter, offset=100), PREFIX)
def test_concat(t: History, u: History, prefix: int) -> None:
    def program(t: Table, u: Table) -> Table:
        pw.universes.promise_are_pairwise_disjoint(t, u)
        return t.concat(u)

    check_incremental(program, t, u, prefix=prefix)


@property_settings
@given(histories(a=small_int), histories(a=quarter), PREFIX)
def test_concat_reindex(t: History, u: History, prefix: int) -> None:
    check_incremental(lambda t, u: t.concat_reindex(u, t.copy()), t, u, prefix=prefix)


class Members(pw.BaseCustomAccumulator):
    """The values of a group; without `retract`, so that deletions go through the group's rows."""

    def __init__(self, members: list[Any]) -> None:
        self.members = members

    @classmethod
    def from_row(cls, row: list[Any]) -> Members:
        return cls([tuple(row)])

    def update(self, other: Members) -> None:
        self.members = self.members + other.members

    def compute_result(self) -> str:
        return str(sorted(self.members, key=str))


class MembersWithRetract(Members):
    def retract(self, other: Members) -> None:
        for member in other.members:
            self.members.remove(member)


def _total(state: Any, rows: list[tuple[list[Any], int]]) -> Any:
    """The number of rows and their sum, None where there are no rows."""
    count, total = state or (0, 0)
    for (value,), diff in rows:
        count, total = count + diff, total + diff * value
    return (count, total) if count else None


def _array(t: Table) -> Any:
    return pw.apply_with_type(lambda a, x: np.array([a, x]), np.ndarray, t.a, t.x)


REDUCERS = {
    "count": lambda t: pw.reducers.count(),
    "sum_int": lambda t: pw.reducers.sum(t.a),
    "sum_float": lambda t: pw.reducers.sum(t.x),
    "avg": lambda t: pw.reducers.avg(t.x),
    "min": lambda t: pw.reducers.min(t.b),
    "max": lambda t: pw.reducers.max(t.s),
    "argmin": lambda t: pw.reducers.argmin(t.a),
    "argmax": lambda t: pw.reducers.argmax(t.b),
    "argmax_of_column": lambda t: pw.reducers.argmax(t.a, t.k),
    "any": lambda t: pw.reducers.any(t.a),
    "tuple": lambda t: pw.reducers.tuple(t.a),
    "tuple_skip_nones": lambda t: pw.reducers.tuple(t.b, skip_nones=True),
    "sorted_tuple": lambda t: pw.reducers.sorted_tuple(t.b),
    "ndarray": lambda t: pw.reducers.ndarray(t.x),
    "count_distinct": lambda t: pw.reducers.count_distinct(t.a, t.b),
    "sum_of_arrays": lambda t: pw.reducers.sum(_array(t)),
    "max_of_tuples": lambda t: pw.reducers.max(pw.make_tuple(t.s, t.a)),
    "ndarray_skip_nones": lambda t: pw.reducers.ndarray(t.b, skip_nones=True),
    "count_of_arrays": lambda t: pw.reducers.count_distinct(_array(t), t.b),
    "accumulator": lambda t: pw.reducers.udf_reducer(Members)(t.a, t.b),
    "accumulator_with_retract": lambda t: pw.reducers.udf_reducer(MembersWithRetract)(t.a, t.b),
    "stateful_many": lambda t: pw.reducers.stateful_many(_total)(t.a),
}


@pytest.mark.parametrize("name", REDUCERS)
@property_settings
@given(histories(g=letter, a=small_int, b=maybe_int, x=quarter, s=letter), PREFIX)
def test_reducer(name: str, t: History, prefix: int) -> None:
    check_incremental(lambda t: t.groupby(t.g).reduce(t.g, r=REDUCERS[name](t)), t, prefix=prefix)


@property_settings
@given(histories(g=flag, a=small_int), PREFIX)
def test_unique(t: History, prefix: int) -> None:
    def program(t: Table) -> Table:
        return t.groupby(t.g).reduce(t.g, r=pw.reducers.unique(t.a)).remove_errors()

    check_incremental(program, t, prefix=prefix, terminate_on_error=False)


@property_settings
@given(histories(g=maybe_int, a=small_int, s=letter), PREFIX)
def test_groupby_several_reducers_sorted(t: History, prefix: int) -> None:
    def program(t: Table) -> Table:
        return t.groupby(t.g, sort_by=t.s).reduce(
            t.g,
            total=pw.reducers.sum(t.a) * 2,
            mean=pw.reducers.sum(t.a) / pw.reducers.count(),
            items=pw.reducers.tuple(t.a),
        )

    check_incremental(program, t, prefix=prefix)


@property_settings
@given(histories(a=small_int), PREFIX)
def test_global_reduce(t: History, prefix: int) -> None:
    check_incremental(lambda t: t.reduce(n=pw.reducers.count(), m=pw.reducers.max(t.a)), t, prefix=prefix)


@property_settings
@given(histories(a=small_int, s=letter), PREFIX)
def test_groupby_id(t: History, prefix: int) -> None:
    def program(t: Table) -> Table:
        u = t.with_columns(p=t.pointer_from(t.a))
        return u.groupby(id=u.p).reduce(n=pw.reducers.count(), s=pw.reducers.max(u.s))

    check_incremental(program, t, prefix=prefix)


@property_settings
@given(histories(a=small_int, s=letter), PREFIX)
def test_distinct(t: History, prefix: int) -> None:
    check_incremental(lambda t: t.groupby(t.a, t.s).reduce(t.a, t.s), t, prefix=prefix)


@pytest.mark.parametrize("how", [pw.JoinMode.INNER, pw.JoinMode.LEFT, pw.JoinMode.RIGHT, pw.JoinMode.OUTER])
@property_settings
@given(histories(a=maybe_int, s=letter), histories(a=maybe_int, x=quarter), PREFIX)
def test_join(how: pw.JoinMode, t: History, u: History, prefix: int) -> None:
    def program(t: Table, u: Table) -> Table:
        return t.join(u, t.a == u.a, how=how).select(pw.this.a, t.s, u.x, left=t.k, right=u.k)

    check_incremental(program, t, u, prefix=prefix)


@property_settings
@given(histories(a=small_int, s=letter), histories(a=small_int, s=letter), PREFIX)
def test_join_on_two_columns(t: History, u: History, prefix: int) -> None:
    def program(t: Table, u: Table) -> Table:
        return t.join(u, t.a == u.a, t.s == u.s).select(t.a, t.s, left=t.k, right=u.k)

    check_incremental(program, t, u, prefix=prefix)


@property_settings
@given(histories(r=reference), histories(x=quarter), PREFIX)
def test_join_left_keeping_ids(t: History, u: History, prefix: int) -> None:
    def program(t: Table, u: Table) -> Table:
        return t.join_left(u, t.r == u.k, id=t.id).select(t.r, u.x)

    check_incremental(program, t, u, prefix=prefix)


@property_settings
@given(histories(max_changes=8, a=small_int), histories(max_changes=8, x=quarter), PREFIX)
def test_cross_join(t: History, u: History, prefix: int) -> None:
    check_incremental(lambda t, u: t.join(u).select(t.a, u.x), t, u, prefix=prefix)


@property_settings
@given(histories(a=small_int, s=letter), histories(a=small_int, x=quarter), PREFIX)
def test_join_filter_groupby(t: History, u: History, prefix: int) -> None:
    def program(t: Table, u: Table) -> Table:
        joined = t.join(u, t.a == u.a).filter(pw.right.x > 0)
        return joined.groupby(pw.left.s).reduce(pw.left.s, total=pw.reducers.sum(pw.right.x))

    check_incremental(program, t, u, prefix=prefix)


@property_settings
@given(histories(r=reference), histories(x=quarter, s=letter), PREFIX)
def test_ix_allowing_misses(t: History, u: History, prefix: int) -> None:
    def program(t: Table, u: Table) -> Table:
        return t.select(t.r, u.ix(u.pointer_from(t.r), allow_misses=True).x)

    check_incremental(program, t, u, prefix=prefix)


@property_settings
@given(histories(b=maybe_int, a=small_int), PREFIX)
def test_ix_optional(t: History, prefix: int) -> None:
    def program(t: Table) -> Table:
        groups = t.groupby(t.b).reduce(t.b, total=pw.reducers.sum(t.a))
        return t.select(t.a, groups.ix(groups.pointer_from(t.b, optional=True), optional=True).total)

    check_incremental(program, t, prefix=prefix)


@property_settings
@given(histories(g=letter, a=small_int), PREFIX)
def test_ix_ref_of_groups(t: History, prefix: int) -> None:
    def program(t: Table) -> Table:
        totals = t.groupby(t.g).reduce(t.g, total=pw.reducers.sum(t.a))
        return t.select(t.a, rest=totals.ix_ref(t.g).total - t.a)

    check_incremental(program, t, prefix=prefix)


@property_settings
@given(histories(a=small_int, s=letter), histories(a=small_int, s=letter), PREFIX)
def test_update_rows(t: History, u: History, prefix: int) -> None:
    check_incremental(lambda t, u: t.update_rows(u), t, u, prefix=prefix)


@property_settings
@given(histories(a=small_int, s=letter), histories(a=maybe_int), PREFIX)
def test_update_cells(t: History, u: History, prefix: int) -> None:
    check_incremental(lambda t, u: t.update_cells(u.intersect(t).without("k")), t, u, prefix=prefix)


@property_settings
@given(histories(a=small_int), histories(x=quarter), PREFIX)
def test_difference(t: History, u: History, prefix: int) -> None:
    check_incremental(lambda t, u: t.difference(u), t, u, prefix=prefix)


@property_settings
@given(histories(a=small_int), histories(x=quarter), histories(s=letter), PREFIX)
def test_intersect(t: History, u: History, v: History, prefix: int) -> None:
    check_incremental(lambda t, u, v: t.intersect(u, v), t, u, v, prefix=prefix)


@property_settings
@given(histories(a=small_int, s=letter), histories(x=quarter), PREFIX)
def test_restrict(t: History, u: History, prefix: int) -> None:
    def program(t: Table, u: Table) -> Table:
        common = u.intersect(t)
        return common.select(common.x, t.restrict(common).s)

    check_incremental(program, t, u, prefix=prefix)


@property_settings
@given(histories(a=small_int, s=letter), PREFIX)
def test_with_universe_of(t: History, prefix: int) -> None:
    def program(t: Table) -> Table:
        again = t.with_id_from(t.k).select(b=pw.this.a * 2)
        return t.select(t.s, again.with_universe_of(t).b)

    check_incremental(program, t, prefix=prefix)


@property_settings
@given(histories(a=small_int, b=small_int), PREFIX)
def test_errors_come_and_go(t: History, prefix: int) -> None:
    def program(t: Table) -> Table:
        u = t.select(t.a, q=t.a // t.b)
        totals = u.groupby(u.a).reduce(u.a, n=pw.reducers.count(), s=pw.reducers.sum(u.q))
        return totals.with_columns(good=u.remove_errors().reduce(n=pw.reducers.count()).ix_ref(
            context=totals, allow_misses=True
        ).n)  # fmt: skip

    check_incremental(program, t, prefix=prefix, terminate_on_error=False)


@property_settings
@given(histories(a=small_int, s=letter), PREFIX)
def test_python_functions(t: History, prefix: int) -> None:
    @pw.udf(deterministic=True)
    def label(a: int, s: str) -> str:
        return f"{s}{a}"

    check_incremental(lambda t: t.select(l=label(t.a, t.s), m=pw.apply(abs, t.a)), t, prefix=prefix)


@property_settings
@given(histories(g=letter, r=reference, a=small_int), histories(x=quarter, f=flag), PREFIX)
def test_a_longer_program(t: History, u: History, prefix: int) -> None:
    """Several stateful operators in a row, one table used several times."""

    def program(t: Table, u: Table) -> Table:
        known = t.join_left(u, t.r == u.k, id=t.id).select(*pw.left, x=pw.coalesce(u.x, 0.0))
        groups = known.groupby(known.g).reduce(
            known.g, total=pw.reducers.sum(known.x), best=pw.reducers.argmax(known.a)
        )
        named = groups.select(groups.g, groups.total, a=known.ix(groups.best).a)
        return named.filter(named.total != 0.0).join(t, pw.left.g == pw.right.g).select(
            pw.left.g, pw.left.total, pw.right.k, share=pw.left.a - pw.right.a
        )  # fmt: skip

    check_incremental(program, t, u, prefix=prefix)
