"""Subjects: rows that Python code sends."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Any

import pandas as pd
import pytest
from engine_tools import Script, rows, subscribe

from pathway._engine import DType, Graph, SubjectBase, Table, ref_scalar, unsafe_make_pointer

AB = {"a": DType.INT, "b": DType.STR}
Change = tuple[dict[str, Any], int, bool]


def changes(table: Table, **options: Any) -> list[Change]:
    """The changes as a subscriber sees them, times counted from 0."""
    seen: list[tuple[dict[str, Any], int, bool]] = []
    subscribe(table, lambda key, row, time, is_addition: seen.append((row, time, is_addition)))
    table.graph.run(**options)
    times = sorted({time for _, time, _ in seen})
    return [(row, times.index(time), is_addition) for row, time, is_addition in seen]


def sent(
    run: Callable[[Script], None], dtypes: dict[str, DType] = AB, **options: Any
) -> list[tuple[Any, ...]]:
    graph = Graph()
    return sorted(rows(graph.read(Script(run).source(dtypes, **options))), key=repr)


def test_rows_in_any_number() -> None:
    def run(subject: Script) -> None:
        for i in range(20_000):
            subject.next(a=i, b=str(i))

    assert sorted(sent(run)) == sorted((i, str(i)) for i in range(20_000))


def test_ids_are_the_same_in_every_run_and_differ_between_sources() -> None:
    def run(subject: Script) -> None:
        for i in range(3):
            subject.next(a=i, b="")

    def keys(graph: Graph, table: Table) -> set[Any]:
        found: set[Any] = set()
        output = subscribe(table, lambda key, row, time, is_addition: found.add(key))
        graph.run(outputs=[output])
        return found

    graph = Graph()
    one, two = graph.read(Script(run).source(AB)), graph.read(Script(run).source(AB))
    assert len(keys(graph, one)) == 3
    assert keys(graph, one) == keys(graph, one)
    assert not keys(graph, one) & keys(graph, two)


def test_ids_of_primary_keys() -> None:
    graph = Graph()
    table = graph.read(Script(lambda s: s.next(a=1, b="x")).source(AB, key=["b", "a"]))
    found: list[Any] = []
    subscribe(table, lambda key, row, time, is_addition: found.append(key))
    graph.run()
    assert found == [ref_scalar(1, "x")]  # in the order of the schema


def test_defaults_missing_values_and_unknown_names() -> None:
    log: list[tuple[str, str]] = []

    def run(subject: Script) -> None:
        subject.next(a=1, b="x", c="ignored")
        subject.next(b="y")
        subject.next(a=2)

    graph = Graph()
    table = graph.read(Script(run).source(AB, defaults={"a": 7}))
    got = changes(table, on_error=lambda kind, text, fields: log.append((kind, text)))
    assert sorted(row["a"] for row, _, _ in got) == [1, 7]
    assert any("column b" in text and "no default" in text for _, text in log)


def test_values_that_do_not_fit_drop_the_row_or_make_an_error_cell() -> None:
    def run(subject: Script) -> None:
        subject.next(a="no number", b="x")
        subject.next(a=1, b="y")

    graph = Graph()
    table = graph.read(Script(run).source(AB))
    log: list[tuple[str, str]] = []
    got = changes(table, on_error=lambda kind, text, fields: log.append((kind, text)))
    assert [row for row, _, _ in got] == [{"a": 1, "b": "y"}]
    assert any("'no number'" in text for _, text in log)

    from engine_tools import capture

    cells = [row for _, row, _, _ in capture(table, terminate_on_error=False)]
    assert sorted(map(repr, cells)) == ["(1, 'y')", "(Error, 'x')"]


def test_a_row_whose_key_is_broken_is_dropped() -> None:
    def run(subject: Script) -> None:
        subject.next(a="no number", b="x")
        subject.next(a=1, b="y")

    graph = Graph()
    table = graph.read(Script(run).source(AB, key=["a"]))
    from engine_tools import capture

    assert [row for _, row, _, _ in capture(table, terminate_on_error=False)] == [(1, "y")]


def test_dead_letters() -> None:
    graph = Graph()
    table = graph.read(Script(lambda s: s.next(a="no number", b="x")).source(AB, key=["a"]))
    [(raw, position, reason)] = rows(table.dead_letters())
    assert b"no number" in raw
    assert position == "script, row 1"
    assert "column a" in reason


def test_commits_make_times() -> None:
    def run(subject: Script) -> None:
        subject.next(a=1, b="")
        subject.next(a=2, b="")
        subject.commit()
        subject.next(a=3, b="")
        subject.commit()
        subject.commit()
        subject.next(a=4, b="")

    graph = Graph()
    got = changes(graph.read(Script(run).source(AB), autocommit_ms=None))
    assert sorted((row["a"], time) for row, time, _ in got) == [(1, 0), (2, 0), (3, 1), (4, 2)]


def test_the_clock_commits_except_where_it_must_not() -> None:
    def run(subject: Script) -> None:
        subject.next(a=1, b="")
        time.sleep(0.15)
        subject.next(a=2, b="")
        subject._disable_commits()
        subject.next(a=3, b="")
        time.sleep(0.15)
        subject.next(a=4, b="")
        subject._enable_commits()
        subject.next(a=5, b="")

    graph = Graph()
    got = dict(
        (row["a"], time) for row, time, _ in changes(graph.read(Script(run).source(AB), autocommit_ms=20))
    )
    assert got[1] < got[3]
    assert got[3] == got[4]
    assert got[4] < got[5]


def test_rows_reach_the_engine_before_the_subject_ends() -> None:
    arrived = threading.Event()

    def run(subject: Script) -> None:
        subject.next(a=1, b="")
        subject.commit()
        assert arrived.wait(10)

    graph = Graph()
    table = graph.read(Script(run).source(AB))
    subscribe(table, lambda key, row, time, is_addition: arrived.set())
    graph.run()
    assert arrived.is_set()


# --- removals -------------------------------------------------------------------------------


def test_native_removals_by_key() -> None:
    def run(subject: Script) -> None:
        subject.next(a=1, b="x")
        subject.next(a=2, b="y")
        subject.commit()
        subject.delete(a=1, b="x")

    graph = Graph()
    got = changes(graph.read(Script(run).source(AB, key=["a"], deletions=True), autocommit_ms=None))
    assert got[-1] == ({"a": 1, "b": "x"}, 1, False)
    assert len(got) == 3


def test_native_removals_by_content() -> None:
    def run(subject: Script) -> None:
        for _ in range(2):
            subject.next(a=1, b="x")
        subject.commit()
        subject.delete(b="x", a=1)

    graph = Graph()
    table = graph.read(Script(run).source(AB, deletions=True), autocommit_ms=None)
    assert rows(table) == [(1, "x")]
    # The columns that nobody looks at identify the row as well.
    only_b = table.select([("b", _column(table, "b"), None)])
    assert rows(only_b) == [("x",)]


def _column(table: Table, name: str) -> Any:
    from pathway._engine import Expr

    return Expr.column(table, name)


def test_removing_a_row_that_is_not_there() -> None:
    graph = Graph()
    table = graph.read(Script(lambda s: s.delete(a=1, b="x")).source(AB, deletions=True))
    with pytest.raises(ValueError, match="never added"):
        rows(table)


def test_removals_have_to_be_enabled() -> None:
    graph = Graph()
    table = graph.read(Script(lambda s: s.delete(a=1, b="x")).source(AB))
    with pytest.raises(ValueError, match="not enabled"):
        rows(table)


def test_upserts() -> None:
    def run(subject: Script) -> None:
        subject.next(a=1, b="x")
        subject.next(a=2, b="y")
        subject.commit()
        subject.next(a=1, b="z")
        subject.next(a=2, b="y")
        subject.commit()
        subject.delete(a=2)
        subject.delete(a=3)

    graph = Graph()
    table = graph.read(Script(run).source(AB, key=["a"], session="upsert"), autocommit_ms=None)
    assert changes(table) == [
        ({"a": 1, "b": "x"}, 0, True),
        ({"a": 2, "b": "y"}, 0, True),
        ({"a": 1, "b": "x"}, 1, False),
        ({"a": 1, "b": "z"}, 1, True),
        ({"a": 2, "b": "y"}, 2, False),
    ]


def test_explicit_keys() -> None:
    key = unsafe_make_pointer(5)

    def run(subject: Script) -> None:
        subject._add_inner(key, {"a": 1, "b": "x"})
        subject._add_inner(None, {"a": 2, "b": "y"})
        subject.commit()
        subject._remove_inner(key, {"a": 1, "b": "x"})

    graph = Graph()
    table = graph.read(Script(run).source(AB, deletions=True), autocommit_ms=None)
    assert rows(table) == [(2, "y")]


# --- messages -------------------------------------------------------------------------------


def test_json_messages() -> None:
    dtypes = {
        "a": DType.INT,
        "b": DType.BYTES,
        "d": DType.DATE_TIME_NAIVE,
        "l": DType.list(DType.INT),
        "j": DType.JSON,
    }

    def run(subject: Script) -> None:
        subject.next_json({"a": 1, "b": "cXE=", "d": "2020-01-01T00:00:00", "l": [1], "j": {"x": "ż"}})
        subject.next_str('{"a": 2, "b": "", "d": "2020-01-02T00:00:00", "l": [], "j": 1}')
        subject.next_bytes(b'{"a": 3, "b": "", "d": "2020-01-02T00:00:00", "l": [], "j": [null]}')

    got = sent(run, dtypes, format="json")
    assert [(a, b, d, items) for a, b, d, items, _ in got] == [
        (1, b"qq", pd.Timestamp("2020-01-01"), (1,)),
        (2, b"", pd.Timestamp("2020-01-02"), ()),
        (3, b"", pd.Timestamp("2020-01-02"), ()),
    ]
    assert [j.value for *_, j in got] == [{"x": "ż"}, 1, [None]]


def test_broken_json_is_logged_and_dropped() -> None:
    def run(subject: Script) -> None:
        subject.next_str("no json")
        subject.next_str('{"a": 1, "b": "x"}')

    graph = Graph()
    log: list[str] = []
    got = changes(
        graph.read(Script(run).source(AB, format="json")),
        on_error=lambda kind, text, fields: log.append(text) if kind == "error" else None,
    )
    assert [row for row, _, _ in got] == [{"a": 1, "b": "x"}]
    [text] = log
    assert text.startswith("Parse error: ")


def test_json_cannot_hold_everything() -> None:
    graph = Graph()
    table = graph.read(Script(lambda s: s.next_json({"a": {1}})).source(AB, format="json"))
    with pytest.raises(TypeError):
        rows(table)


def test_raw_and_binary_messages() -> None:
    def text(subject: Script) -> None:
        subject.next_str("ż")
        subject.next_bytes("é".encode())
        subject.next(data="z")

    assert sent(text, {"data": DType.STR}, format="raw") == [("z",), ("é",), ("ż",)]
    assert sent(lambda s: s.next_bytes(b"\xff"), {"data": DType.BYTES}, format="binary") == [(b"\xff",)]


def test_ways_of_sending_may_be_mixed() -> None:
    def run(subject: Script) -> None:
        subject.next(a=1, b="x")
        subject.next_json({"a": 2, "b": "y"})
        subject.next(a=3, b="z")

    assert sent(run) == [(1, "x"), (2, "y"), (3, "z")]


# --- life -----------------------------------------------------------------------------------


def test_the_exception_of_a_subject_ends_the_run_after_what_was_sent() -> None:
    raised = RuntimeError("boom")

    def run(subject: Script) -> None:
        subject.next(a=1, b="x")
        subject.commit()
        raise raised

    graph = Graph()
    seen: list[Any] = []
    subscribe(graph.read(Script(run).source(AB)), lambda key, row, time, is_addition: seen.append(row["a"]))
    with pytest.raises(RuntimeError) as caught:
        graph.run()
    assert caught.value is raised
    assert seen == [1]


def test_what_was_sent_before_an_exception_is_delivered_however_late_workers_start() -> None:
    def run(subject: Script) -> None:
        subject.next(a=1, b="x")
        subject.commit()
        raise RuntimeError("boom")

    for _ in range(40):
        graph = Graph()
        seen: list[Any] = []
        table = graph.read(Script(run).source(AB))
        subscribe(table, lambda key, row, time, is_addition, seen=seen: seen.append(row["a"]))
        with pytest.raises(RuntimeError, match="boom"):
            graph.run(threads=4)
        assert seen == [1]


@pytest.mark.parametrize("atomic", [False, True])
def test_other_sources_do_not_hold_up_what_was_sent_before_an_exception(atomic: bool) -> None:
    waiting, over = threading.Event(), threading.Event()

    def wait(subject: Script) -> None:
        if atomic:
            subject._disable_commits()
        subject.next(a=10, b="y")
        subject.commit()
        subject.next(a=11, b="y")
        over.wait()

    def fail(subject: Script) -> None:
        waiting.wait()
        subject.next(a=1, b="x")
        subject.commit()
        raise RuntimeError("boom")

    graph = Graph()
    seen: list[Any] = []
    logged: list[str] = []
    tables = [graph.read(Script(run).source(AB), autocommit_ms=None) for run in (wait, fail)]
    subscribe(tables[0], lambda key, row, time, is_addition: waiting.set())
    both = tables[0].concat_reindex([tables[1]])
    subscribe(both, lambda key, row, time, is_addition: seen.append(row["a"]))
    begin = time.monotonic()
    with pytest.raises(RuntimeError, match="boom"):
        graph.run(on_error=lambda kind, text, fields: logged.append(kind))
    over.set()
    assert {1, 10} <= set(seen)
    # What must not be split is not waited for, or not for long.
    assert time.monotonic() - begin < 10
    assert atomic or "warning" not in logged


def test_close_ends_the_source() -> None:
    def run(subject: Script) -> None:
        subject.next(a=1, b="x")
        subject.close()
        subject.next(a=2, b="ignored")

    assert sent(run) == [(1, "x")]


def test_other_threads_may_go_on_sending() -> None:
    threads: list[threading.Thread] = []

    def send(subject: Script) -> None:
        for i in range(3):
            time.sleep(0.01)
            subject.next(a=i, b="")
        subject.close()

    def run(subject: Script) -> None:
        threads.append(threading.Thread(target=send, args=(subject,)))
        threads[0].start()

    graph = Graph()
    table = graph.read(Script(run, finite=False).source(AB))
    assert sorted(a for a, _ in rows(table)) == [0, 1, 2]
    threads[0].join()


def test_many_threads_send_at_once() -> None:
    def run(subject: Script) -> None:
        def send(start: int) -> None:
            for i in range(5_000):
                subject.next(a=start + i, b="x")

        threads = [threading.Thread(target=send, args=(5_000 * n,)) for n in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    assert sorted(a for a, _ in sent(run)) == list(range(20_000))


def test_rows_sent_before_the_run_wait_for_it() -> None:
    def run(subject: Script) -> None:
        subject.next(a=2, b="y")

    graph = Graph()
    script = Script(run)
    table = graph.read(script.source(AB, key=["a"]))
    script.next(a=1, b="x")
    only_b = table.select([("b", _column(table, "b"), None)])
    assert sorted(rows(only_b)) == [("x",), ("y",)]


def test_a_source_can_be_run_again() -> None:
    graph = Graph()
    table = graph.read(Script(lambda s: s.next(a=1, b="x")).source(AB))
    assert rows(table) == rows(table) == [(1, "x")]


def test_senders_wait_while_too_much_is_under_way() -> None:
    """The subscriber is slow; the subject never gets far ahead of it."""
    sent_rows = 0
    ahead: list[int] = []

    def run(subject: Script) -> None:
        nonlocal sent_rows
        for i in range(40):
            subject.next(a=i, b="")
            sent_rows += 1

    def slow(key: Any, row: dict[str, Any], time: int, is_addition: bool) -> None:
        ahead.append(sent_rows - len(ahead))
        pause.wait(0.002)

    pause = threading.Event()
    graph = Graph()
    subscribe(graph.read(Script(run).source(AB), max_backlog=3), slow)
    graph.run()
    assert len(ahead) == 40
    assert max(ahead) <= 12


def test_a_stopped_run_lets_go_of_the_subject() -> None:
    ended = threading.Event()

    def run(subject: Script) -> None:
        try:
            while True:
                subject.next(a=1, b="")
        finally:
            ended.set()

    def fail(key: Any, row: dict[str, Any], time: int, is_addition: bool) -> None:
        raise ZeroDivisionError

    graph = Graph()
    subscribe(graph.read(Script(run).source(AB), autocommit_ms=5), fail)
    with pytest.raises(ZeroDivisionError):
        graph.run()
    assert ended.wait(5)


def test_a_subject_without_a_source() -> None:
    with pytest.raises(RuntimeError, match="not connected"):
        SubjectBase().next(a=1)


def test_settings_are_checked() -> None:
    for options in ({"session": "other"}, {"format": "xml"}):
        with pytest.raises(ValueError, match="has to be"):
            Script(lambda s: None).source(AB, **options)  # type: ignore[arg-type]


def test_commits_without_rows_wait_as_well() -> None:
    """A subject that only commits does not fill the memory."""
    stopped = threading.Event()

    def run(subject: Script) -> None:
        for _ in range(5_000):
            subject.commit()
        subject.next(a=1, b="x")
        stopped.set()

    assert sent(run) == [(1, "x")]
    assert stopped.is_set()
