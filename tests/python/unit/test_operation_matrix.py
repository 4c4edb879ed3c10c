"""One row of the matrix of operations each: what ids the result has, and what non-unique ids lead to."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest

import pathway as pw

R = pw.reducers
key = pw.engine.ref_scalar
Operation = Callable[[pw.Table, pw.Table], pw.Table]

FIRST = """
  | a | b
1 | 1 | x
2 | 2 | y
"""
SECOND = """
  | a | b
2 | 7 | q
3 | 8 | r
"""


@dataclass(frozen=True)
class Row:
    """An operation on two tables with the ids key(1), key(2) and key(2), key(3)."""

    name: str
    operation: Operation
    #: The ids of the result; None where they are tested elsewhere.
    ids: set[Any]
    #: Several rows under one id of the first table: "pass" on, or are "reported".
    duplicates: str


ROWS = [
    Row("select", lambda t, u: t.select(t.a), {key(1), key(2)}, "pass"),
    Row("with_columns", lambda t, u: t.with_columns(c=t.a), {key(1), key(2)}, "pass"),
    Row("filter", lambda t, u: t.filter(t.a < 2), {key(1)}, "pass"),
    Row("split", lambda t, u: t.split(t.a < 2)[0], {key(1)}, "pass"),
    Row("intersect", lambda t, u: t.intersect(u), {key(2)}, "pass"),
    Row("difference", lambda t, u: t.difference(u), {key(1)}, "pass"),
    Row("restrict", lambda t, u: t.restrict(t.filter(t.a > 1)), {key(2)}, "reported"),
    Row("with_universe_of", lambda t, u: t.with_universe_of(t.select()), {key(1), key(2)}, "pass"),
    Row("with_id_from", lambda t, u: t.with_id_from(t.b), {key("x"), key("y")}, "pass"),
    Row("with_id", lambda t, u: t.select(p=t.pointer_from(t.b)).with_id(pw.this.p), {key("x"), key("y")}, "pass"),
    Row("concat", lambda t, u: t.concat(u.filter(u.a > 7).promise_universes_are_disjoint(t)), {key(1), key(2), key(3)}, "pass"),
    Row("concat_reindex", lambda t, u: t.concat_reindex(u), {key(key(i), n) for i, n in [(1, 0), (2, 0), (2, 1), (3, 1)]}, "pass"),
    Row("update_rows", lambda t, u: t.update_rows(u), {key(1), key(2), key(3)}, "reported"),
    Row("update_cells", lambda t, u: t.update_cells(t.filter(t.a > 1).select(b="n")), {key(1), key(2)}, "reported"),
    Row("groupby", lambda t, u: t.groupby(t.b).reduce(t.b), {key("x"), key("y")}, "pass"),
    Row("reduce", lambda t, u: t.reduce(n=R.count()), {key()}, "pass"),
    Row("deduplicate", lambda t, u: t.deduplicate(value=t.a, acceptor=lambda new, old: False), {key(None)}, "pass"),
    Row("remove_errors", lambda t, u: t.remove_errors(), {key(1), key(2)}, "pass"),
    Row("join", lambda t, u: t.join(u, t.a == u.a).select(t.b), set(), "pass"),
    Row("join with ids", lambda t, u: t.join_left(u, t.a == u.a, id=t.id).select(t.b), {key(1), key(2)}, "pass"),
    Row("ix", lambda t, u: t.ix(t.id), {key(1), key(2)}, "reported"),
]  # fmt: skip


def ids(table: pw.Table) -> set[Any]:
    return set(pw.debug.table_to_dicts(table)[0])


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)
def test_row_of_the_matrix(row: Row) -> None:
    t, u = pw.debug.table_from_markdown(FIRST), pw.debug.table_from_markdown(SECOND)
    assert ids(row.operation(t, u)) == row.ids

    # A third row under the id of the first one; what comes out is only counted, so that nothing else complains.
    twice = pw.debug.table_from_markdown(FIRST + "1 | 1 | x2\n")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        counted = row.operation(twice, u).reduce(n=R.count())
    if row.duplicates == "reported":
        with pytest.raises(KeyError, match="id"):
            pw.debug.table_to_dicts(counted)
    else:
        pw.debug.table_to_dicts(counted)


@pytest.mark.parametrize(
    ("name", "operation", "expected"),
    [
        ("groupby", lambda t, p: t.groupby(t.o).reduce(n=R.count()), [1, 1]),
        ("join", lambda t, p: t.join(t.copy(), t.o == pw.right.o).select(n=1), [1, 1]),
        ("with_id_from", lambda t, p: t.with_id_from(t.o).select(n=1), [1, 1]),
        ("ix optional", lambda t, p: t.ix(p.p, optional=True).select(n=pw.coalesce(pw.this.a, -1)), [-1, 1]),
        ("deduplicate", lambda t, p: t.deduplicate(value=t.a, instance=t.o, acceptor=lambda n, o: True).select(n=1), [1, 1]),
    ],
)  # fmt: skip
def test_none_as_a_key(name: str, operation: Operation, expected: list[int]) -> None:
    t = pw.debug.table_from_markdown("""
      | a | o
    1 | 1 | 1
    2 | 2 |
    """).update_id_type(pw.Pointer[int])
    p = t.select(p=t.pointer_from(t.o, optional=True))
    _, columns = pw.debug.table_to_dicts(operation(t, p))
    assert sorted(columns["n"].values()) == expected
