"""What all rows of outputs come from, found in one run: the same as `Table.why` tells of each of them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

import pathway as pw
from pathway.debug.capture import capture, captured
from pathway.debug.reasons import NoSuchRow, NotBounded, Reasons
from pathway.debug.why import Reason
from pathway.internals.parse_graph import G
from pathway.internals.run_options import RunOptions

Table = pw.Table[Any]


@pytest.fixture(autouse=True, params=[1, 3])
def _workers(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    G.clear()
    monkeypatch.setenv("PATHWAY_THREADS", str(request.param))
    yield
    G.clear()


def flights() -> Table:
    rows = [(i, "ABC"[i % 3], i * 7 % 40 - 10) for i in range(30)]
    return pw.debug.table_from_rows(pw.schema_from_types(t=int, origin=str, delay=int), rows)


def cities() -> Table:
    return pw.debug.table_from_rows(pw.schema_from_types(code=str, city=str), [("A", "Oslo"), ("B", "Lima")])


def grouped() -> list[Table]:
    late = flights().filter(pw.this.delay > 0)
    counts = late.groupby(pw.this.origin).reduce(pw.this.origin, n=pw.reducers.count())
    return [late, counts, counts.filter(pw.this.n > 5)]


def joined() -> list[Table]:
    table, named = flights(), cities()
    halves = [
        table.join(named, table.origin == named.code, how=how).select(table.delay, named.city)
        for how in pw.JoinMode
    ]
    looked_up = table.filter(pw.this.origin != "C").select(
        pw.this.t, city=named.with_id_from(named.code).ix_ref(pw.this.origin).city
    )
    return [*halves, looked_up]


def sets() -> list[Table]:
    table = flights()
    some, others = table.split(pw.this.delay > 10)
    changed = some.select(pw.this.t, pw.this.origin, delay=0)
    return [
        table.update_rows(changed),
        table.update_cells(changed),
        some.concat(others),
        table.concat_reindex(changed),
        table.difference(some),
        table.restrict(some),
        flights().with_id_from(pw.this.t).intersect(changed.with_id_from(pw.this.t)),
        table.with_id_from(pw.this.t),
        table.select(words=(pw.this.origin, "x")).flatten(pw.this.words),
    ]


def windows() -> list[Table]:
    table = flights()
    tumbling = pw.temporal.tumbling(duration=10)
    sessions = pw.temporal.session(max_gap=1)
    return [
        table.windowby(table.t, window=window).reduce(total=pw.reducers.sum(pw.this.delay))
        for window in (tumbling, sessions)
    ]


def later(new: int, old: int) -> bool:
    return new > old


def unfollowed() -> list[Table]:
    table = flights()

    def step(t: Table) -> Table:
        return t.select(a=pw.if_else(pw.this.a < 5, pw.this.a + 1, pw.this.a))

    grown = pw.iterate(step, t=table.select(a=pw.this.t))
    return [table + table.sort(key=table.delay), grown, table.deduplicate(value=pw.this.t, acceptor=later)]


def reasons_of(*tables: Table) -> Reasons:
    for number, table in enumerate(tables):
        pw.io.null.write(table, name=f"output {number}")
    reasons = Reasons()
    reasons.add(G.outputs, RunOptions.to_look(), ends=False)
    return reasons


@pytest.mark.parametrize("program", [grouped, joined, sets, windows, unfollowed])
def test_all_rows_come_from_what_each_of_them_comes_from(program: Callable[[], list[Table]]) -> None:
    tables = program()
    reasons = reasons_of(*tables)
    assert [output.name for output in reasons.outputs] == [f"output {i}" for i in range(len(tables))]
    for table, output in zip(tables, reasons.outputs, strict=True):
        keys, columns = pw.debug.table_to_dicts(table)
        assert set(output.rows) == set(keys)
        assert output.columns == list(columns)
        for key in sorted(keys)[:3]:
            assert str(reasons.reason(output, key, 10)) == str(table.why(key))


def test_rows_are_unfolded_as_far_as_it_is_asked() -> None:
    table = flights()
    total = table.reduce(total=pw.reducers.sum(pw.this.delay))
    doubled = total.select(double=pw.this.total * 2)
    reasons = reasons_of(doubled)
    (output,) = reasons.outputs
    (key,) = output.rows

    def told(limit: int, **options: int) -> list[tuple[list[str], list[int] | None, int]]:
        rows = reasons.unfolded(output.table, key, limit, **options)
        return [(row.reason.operations, row.origins, row.reason.more) for row in rows]

    static: tuple[list[str], list[int] | None, int] = (["static"], [], 0)
    few = [(["select"], [1], 0), (["groupby"], [2, 3], 28), static, static]
    assert told(10, each=2, most=100) == few
    assert told(1, each=2, most=100) == few
    # What goes beyond the number of rows is left to whoever asks for it.
    assert told(10, each=20, most=10) == [(["select"], [1], 0), (["groupby"], None, 10)]
    second = reasons.unfolded(output.table, key, 10, each=2, most=100)[1]
    all_of_it = reasons.unfolded(second.table, second.reason.id, 100, each=2, most=100)
    assert len(all_of_it) == 31
    assert all_of_it[0].reason.more == 0


def test_rows_are_found_by_texts() -> None:
    reasons = reasons_of(*grouped())
    late, counts, _ = reasons.outputs
    assert reasons.output("output 1") is counts
    assert reasons.output("1") is counts
    key = reasons.find(counts, None, {"origin": "A"})
    assert reasons.find(counts, None, {"origin": "'A'", "n": "5"}) == key
    assert reasons.find(counts, f"{str(key)[:9]}...", {}) == key
    assert [cells[0] for _, cells in reasons.matching(counts, "a")] == ["'A'"]
    assert [found for found, _ in reasons.matching(counts, str(key)[:8].lower())] == [key]
    assert len(list(reasons.matching(late, ""))) == len(late.rows)
    for name, message in [
        ("none", "no output has 'none' in the name; the outputs are: output 0, output 1, output 2"),
        ("output", "3 outputs have 'output' in the name"),
        (None, "there are 3 outputs, one of which has to be chosen: output 0,"),
    ]:
        with pytest.raises(NoSuchRow, match=message):
            reasons.output(name)
    for cells, message in [
        ({"town": "x"}, "no column 'town'; its columns are: origin, n"),
        ({"origin": "X"}, "output 1 has no row with origin=X among 3"),
        ({}, "3 rows with"),
    ]:
        with pytest.raises(NoSuchRow, match=message):
            reasons.find(counts, None if cells else "^", cells)


def test_only_rows_that_remain_are_kept() -> None:
    """Changes are added up while they come: there are more of them than are kept as they are."""

    class Value(pw.Schema):
        k: int = pw.column_definition(primary_key=True)
        v: int

    changes = []
    for time in range(0, 60, 2):
        changes += [(k, time - 2, time, -1) for k in range(2000) if time > 0]
        changes += [(k, time, time, 1) for k in range(2000)]
    table = pw.debug.table_from_rows(Value, changes, is_stream=True)
    (last,) = captured([table], RunOptions.to_look(debug=True), only_last=True)
    (whole,) = capture(table)
    assert len(whole.updates) == len(changes)
    assert len(last.updates) == 2000
    assert {update.diff for update in last.updates} == {1}
    assert last.final_state() == whole.final_state()


def test_runs_one_after_the_other(tmp_path: Path) -> None:
    """Outputs that are called the same are told apart; each run has tables of its own."""
    reasons = Reasons()
    for text in ("a", "b"):
        table = pw.debug.table_from_rows(pw.schema_from_types(a=str), [(text,)])
        doubled = table.select(b=pw.this.a * 2)
        pw.io.csv.write(doubled, tmp_path / "out.csv")
        reasons.add(G.outputs[-1:], RunOptions.to_look(), ends=False)
    first, second = reasons.outputs
    assert first.name.startswith("csv(")
    assert first.name.endswith("out.csv)")
    assert second.name == f"{first.name} (2)"
    assert first.frame is not None
    assert first.frame.file.endswith("test_reasons.py")
    for output, text in ((first, "a"), (second, "b")):
        (key,) = output.rows
        reason: Reason = reasons.reason(output, key, 10)
        assert reason.cells == {"b": text * 2}
        assert [row.cells for row in reason.inputs()] == [{"a": text}]
    assert not (tmp_path / "out.csv").exists()


def test_inputs_that_do_not_end_are_refused(tmp_path: Path) -> None:
    table = pw.io.csv.read(tmp_path, schema=pw.schema_from_types(a=int), mode="streaming")
    with pytest.raises(NotBounded, match="the output output 0 has an input that does not end"):
        reasons_of(table)
