"""Joins beyond what the golden program shows."""

from __future__ import annotations

import pytest

import pathway as pw


def rows(table: pw.Table) -> list[tuple[object, ...]]:
    _, columns = pw.debug.table_to_dicts(table)
    names = table.column_names()
    keys = next(iter(columns.values())).keys() if columns else ()
    return sorted((tuple(columns[name][key] for name in names) for key in keys), key=str)


@pytest.fixture
def a() -> pw.Table:
    return pw.debug.table_from_markdown("k | x\n1 | 3\n2 | 4")


@pytest.fixture
def b() -> pw.Table:
    return pw.debug.table_from_markdown("k | y\n1 | 5\n3 | 6")


def test_merged_keys_survive_chains(a: pw.Table, b: pw.Table) -> None:
    c = pw.debug.table_from_markdown("k | z\n3 | 7\n2 | 8")
    chained = a.join_outer(b, a.k == b.k).join_outer(c, pw.left.k == c.k)
    result = chained.select(pw.this.k, a.x, b.y, c.z)
    assert rows(result) == [(1, 3, 5, None), (2, 4, None, 8), (3, None, 6, 7)]


def test_narrowing_by_the_id_of_a_side(a: pw.Table, b: pw.Table) -> None:
    left = a.join_left(b, a.k == b.k)
    result = left.select(
        a.k, s=pw.if_else(b.id.is_not_none(), a.x + b.y, 0), r=pw.require(b.y + 1, pw.right.id)
    )
    assert rows(result) == [(1, 8, 6), (2, 0, None)]
    assert rows(left.select(a.k, s=a.x + b.y)) == [(1, 8), (2, None)]
    assert left.schema["y"].typehint == int | None
    assert rows(left.filter(b.y.is_not_none()).select(s=a.x + b.y)) == [(8,)]


def test_filters_can_be_chained_and_joined(a: pw.Table, b: pw.Table) -> None:
    inner = a.join(b, a.k == b.k).filter(pw.left.x > 0).filter(b.y < 10)
    c = pw.debug.table_from_markdown("q | z\n5 | 9")
    assert rows(inner.join(c, pw.left.y == c.q).select(a.k, c.z)) == [(1, 9)]
    assert rows(inner.reduce(n=pw.reducers.count(), s=pw.reducers.sum(pw.this.y))) == [(1, 5)]


def test_selected_tables_go_on_in_the_same_join(a: pw.Table, b: pw.Table) -> None:
    joined = a.join(b, a.k == b.k)
    first = joined.select(s=a.x + b.y)
    assert rows(joined.select(a.x, t=first.s + 1)) == [(3, 9)]


def test_lookup_in_a_join(a: pw.Table, b: pw.Table) -> None:
    names = pw.debug.table_from_markdown("n | v\n1 | one\n2 | two").with_id_from(pw.this.n)
    joined = a.join(b, a.k == b.k)
    assert rows(joined.select(a.k, v=names.ix_ref(pw.left.k).v)) == [(1, "one")]
    assert rows(joined.select(v=names.ix(names.pointer_from(pw.this.k), context=pw.this).v)) == [("one",)]


def test_join_with_itself_needs_a_copy(a: pw.Table) -> None:
    with pytest.raises(ValueError, match="copy"):
        a.join(a, a.k == a.k)
    with pytest.raises(AssertionError, match="copy"):
        a.join(a.join(a.copy(), pw.left.k == pw.right.k), a.k == pw.right.k)
    other = a.copy()
    assert rows(a.join(other, a.k == other.k).select(a.x, y=other.x)) == [(3, 3), (4, 4)]


def test_ids_of_a_side(a: pw.Table, b: pw.Table) -> None:
    kept = a.join_left(b, a.k == b.k, id=a.id).select(b.y)
    assert rows(a + kept) == [(1, 3, 5), (2, 4, None)]
    with pytest.raises(KeyError):
        a.join_outer(b, a.k == b.k, id=a.id)


def test_promises_on_joins(a: pw.Table, b: pw.Table) -> None:
    joined = a.join(b, a.k == b.k)
    assert joined.promise_universe_is_subset_of(joined) is joined
    pw.universes.promise_are_equal(joined, joined.select(a.k))
