"""`Table.why`: the rows that a row comes from."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import pathway as pw
from pathway.debug.why import Reason

FLIGHTS = """
  | origin | delay
1 | EWR    | 12
2 | JFK    | -3
3 | EWR    | 70
4 | LGA    | 5
"""
AIRPORTS = """
  | code | city
8 | EWR  | Newark
9 | LGA  | Queens
"""


@pytest.fixture(autouse=True, params=[1, 3])
def _workers(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    pw.internals.parse_graph.G.clear()
    monkeypatch.setenv("PATHWAY_THREADS", str(request.param))
    yield
    pw.internals.parse_graph.G.clear()


def flights() -> pw.Table[Any]:
    return pw.debug.table_from_markdown(FLIGHTS)


def cells(rows: list[Reason]) -> list[tuple[Any, ...]]:
    return sorted(
        (tuple(row.cells.values()) for row in rows), key=lambda row: [(type(c).__name__, c) for c in row]
    )


def test_filters_and_selects() -> None:
    table = flights()
    late = table.filter(pw.this.delay > 0)
    hours = late.select(pw.this.origin, hours=pw.this.delay / 60)
    reason = hours.why(hours=0.2)
    assert reason.operations == ["select"]
    (filtered,) = reason.origins
    assert (filtered.operations, filtered.cells) == (["filter"], {"origin": "EWR", "delay": 12})
    assert filtered.source == "late = table.filter(pw.this.delay > 0)"
    (given,) = filtered.origins
    assert given.operations == ["static"]
    assert given.id == reason.id
    assert reason.inputs() == [given]


def test_groups_come_from_their_rows() -> None:
    counts = flights().groupby(pw.this.origin).reduce(pw.this.origin, n=pw.reducers.count())
    reason = counts.why(origin="EWR")
    assert reason.operations == ["groupby"]
    assert cells(reason.origins) == [("EWR", 12), ("EWR", 70)]
    assert reason.more == 0


def test_the_rows_of_a_group_are_capped() -> None:
    rows = pw.debug.table_from_rows(pw.schema_from_types(a=int), [(i,) for i in range(100)])
    total = rows.reduce(total=pw.reducers.sum(pw.this.a))
    reason = total.why(total=4950, limit=7)
    assert len(reason.origins) == 7
    assert reason.more == 93
    assert "and 93 more rows" in str(reason)


def test_the_row_that_was_chosen_of_a_group_comes_first() -> None:
    rows = pw.debug.table_from_rows(
        pw.schema_from_types(a=int, b=tuple[int, ...]), [(i * 37 % 100, (i,)) for i in range(100)]
    )
    largest = rows.reduce(double=2 * pw.reducers.max(pw.this.a))
    assert largest.why(double=198, limit=3).origins[0].cells["a"] == 99
    chosen = rows.reduce(at=pw.reducers.argmin(pw.this.a), of=pw.reducers.count())
    reason = chosen.why(of=100, limit=3)
    assert reason.origins[0].id == reason.cells["at"]
    assert reason.more == 97


@pytest.mark.parametrize("how", list(pw.JoinMode))
def test_joins_come_from_pairs(how: pw.JoinMode) -> None:
    left, right = flights(), pw.debug.table_from_markdown(AIRPORTS)
    joined = left.join(right, left.origin == right.code, how=how)
    result = joined.select(left.delay, right.city)
    assert cells(result.why(delay=70).inputs()) == [("EWR", 70), ("EWR", "Newark")]
    if how in (pw.JoinMode.LEFT, pw.JoinMode.OUTER):
        assert cells(result.why(delay=-3).inputs()) == [("JFK", -3)]


def test_flattened_rows_and_new_ids() -> None:
    words = pw.debug.table_from_rows(pw.schema_from_types(words=list[str]), [(("a", "b"),), (("b", "c"),)])
    split = words.select(word=pw.this.words).flatten(pw.this.word)
    counted = split.groupby(pw.this.word).reduce(pw.this.word, n=pw.reducers.count())
    renamed = counted.with_id_from(pw.this.n, pw.this.word)
    assert cells(renamed.why(word="b").inputs()) == [(("a", "b"),), (("b", "c"),)]
    assert cells(renamed.why(word="c").inputs()) == [(("b", "c"),)]


def test_updates_and_sets() -> None:
    old = pw.debug.table_from_markdown("""
      | a
    1 | 10
    2 | 20
    """)
    new = pw.debug.table_from_markdown("""
      | a
    2 | 22
    3 | 33
    """)
    rows = old.update_rows(new)
    assert cells(rows.why(a=22).inputs()) == [(22,)]
    assert cells(rows.why(a=10).inputs()) == [(10,)]
    updated = old.update_cells(new.intersect(old))
    assert cells(updated.why(a=22).inputs()) == [(20,), (22,)]
    assert cells(old.difference(new).why(a=10).inputs()) == [(10,)]
    assert cells(old.concat_reindex(new).why(a=33).inputs()) == [(33,)]


def test_lookups() -> None:
    airports = pw.debug.table_from_markdown(AIRPORTS).with_id_from(pw.this.code)
    table = flights().filter(pw.this.origin != "JFK")
    cities = table.select(pw.this.delay, city=airports.ix_ref(table.origin).city)
    assert cells(cities.why(delay=5).inputs()) == [("LGA", 5), ("LGA", "Queens")]


def test_windows_and_sessions() -> None:
    table = pw.debug.table_from_rows(
        pw.schema_from_types(t=int, v=int), [(1, 10), (4, 20), (13, 30), (25, 40)]
    )
    tumbling = table.windowby(pw.this.t, window=pw.temporal.tumbling(duration=10)).reduce(
        start=pw.this._pw_window_start, total=pw.reducers.sum(pw.this.v)
    )
    assert cells(tumbling.why(start=0).inputs()) == [(1, 10), (4, 20)]
    sessions = table.windowby(pw.this.t, window=pw.temporal.session(max_gap=10)).reduce(
        total=pw.reducers.sum(pw.this.v)
    )
    found = sessions.why(total=60)
    assert cells(found.inputs()) == [(1, 10), (4, 20), (13, 30)]


def test_it_says_where_it_stops() -> None:
    table = pw.debug.table_from_rows(pw.schema_from_types(a=int), [(1,), (5,)])

    def step(t: pw.Table[Any]) -> pw.Table[Any]:
        return t.select(a=pw.if_else(pw.this.a < 5, pw.this.a + 1, pw.this.a))

    grown = pw.iterate(step, t=table)
    reason = grown.why(_id_of(grown))
    assert any("iteration" in text for row in reason._rows() for text in row.ends)


def _id_of(table: pw.Table[Any]) -> pw.Pointer:
    keys, _ = pw.debug.table_to_dicts(table)
    return keys[0]


def test_rows_are_told_by_the_text_of_their_ids() -> None:
    table = flights()
    keys, columns = pw.debug.table_to_dicts(table)
    text = f"{str(keys[0])[:8]}..."
    assert table.why(text).cells["delay"] == columns["delay"][keys[0]]
    assert table.why(keys[0]).id == keys[0]


def test_rows_that_cannot_be_told() -> None:
    table = flights()
    with pytest.raises(KeyError, match="no row has origin='BOS'"):
        table.why(origin="BOS")
    with pytest.raises(KeyError, match="2 rows have origin='EWR'; tell more"):
        table.why(origin="EWR")
    with pytest.raises(KeyError, match="no column town; its columns are origin, delay"):
        table.why(town="x")
    with pytest.raises(KeyError, match="no row of the table has the id"):
        table.why(_id_of(pw.debug.table_from_markdown(AIRPORTS)))
    with pytest.raises(TypeError, match="the id of a row"):
        table.why()
    with pytest.raises(ValueError, match="limit has to be 1 or more"):
        table.why(origin="JFK", limit=0)


def test_inputs_that_do_not_end_are_refused(tmp_path: Path) -> None:
    table = pw.io.csv.read(tmp_path, schema=pw.schema_from_types(a=int), mode="streaming")
    with pytest.raises(ValueError, match="an input that does not end"):
        table.why(a=1)


def test_files_are_inputs(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("a\n1\n2\n")
    table = pw.io.csv.read(tmp_path, schema=pw.schema_from_types(a=int), mode="static")
    doubled = table.select(b=pw.this.a * 2)
    (given,) = doubled.why(b=4).inputs()
    assert (given.operations, given.cells) == (["source"], {"a": 2})


def test_texts_and_documents() -> None:
    table = flights()
    other = table.copy()
    pairs = table.join(other, pw.left.id == pw.right.id, id=pw.left.id).select(pw.left.delay)
    reason = pairs.why(delay=5)
    text = str(reason)
    assert "(as above)" in text
    assert "test_why.py" in text
    document = json.loads(reason.to_json())
    assert document["rows"][0]["cells"] == {"delay": "5"}
    assert {number for row in document["rows"] for number in row["origins"]} <= set(
        range(len(document["rows"]))
    )
    assert "<li>" in reason._repr_html_()


def test_inputs_of_random_programs_suffice() -> None:
    """What a row comes from makes it: the program over these rows alone gives the row again."""
    generator = random.Random(7)
    rows = [(i, generator.randrange(4), generator.randrange(20)) for i in range(40)]

    class Measured(pw.Schema):
        k: int = pw.column_definition(primary_key=True)
        g: int
        v: int

    def program(rows: list[tuple[int, int, int]]) -> pw.Table[Any]:
        table = pw.debug.table_from_rows(Measured, rows)
        large = table.filter(pw.this.v > 3)
        sums = large.groupby(pw.this.g).reduce(pw.this.g, s=pw.reducers.sum(pw.this.v))
        return large.join(sums, large.g == sums.g).select(large.k, share=large.v / sums.s)

    whole = program(rows)
    for key, row in zip(*_rows(whole), strict=True):
        needed = whole.why(key, limit=100).inputs()
        again = program(sorted(tuple(r.cells.values()) for r in needed))  # type: ignore[arg-type]
        assert row in _rows(again)[1]


def _rows(table: pw.Table[Any]) -> tuple[list[pw.Pointer], list[tuple[Any, ...]]]:
    keys, columns = pw.debug.table_to_dicts(table)
    return keys, [tuple(column[key] for column in columns.values()) for key in keys]
