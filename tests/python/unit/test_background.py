"""Runs in the background: begun, waited for, stopped, failed; and what may run at the same time."""

from __future__ import annotations

import asyncio
import logging
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import pathway as pw
from live import sent, until
from pathway.internals import active_runs
from pathway.internals.background import BackgroundRun

QUIET: Any = {"monitoring_level": pw.MonitoringLevel.NONE, "default_logging": False}


@pytest.fixture(autouse=True, params=[1, 3])
def _workers(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("PATHWAY_THREADS", str(request.param))
    yield
    for run in BackgroundRun.going_on():
        assert run.stop(timeout=60)


def rows_of(table: Any) -> list[dict[str, Any]]:
    """The rows that are added to a table, as they come."""
    rows: list[dict[str, Any]] = []

    def on_change(key: object, row: dict[str, Any], time: int, is_addition: bool) -> None:
        if is_addition:
            rows.append(row)

    pw.io.subscribe(table, on_change)
    return rows


def test_a_run_that_ends_by_itself(tmp_path: Path) -> None:
    t = pw.debug.table_from_markdown(
        """
        a
        1
        2
        """
    )
    rows = rows_of(t)
    pw.io.csv.write(t, tmp_path / "out.csv")
    run = pw.run_in_background(**QUIET)
    assert run.wait(60)
    assert sorted(row["a"] for row in rows) == [1, 2]
    assert len((tmp_path / "out.csv").read_text().splitlines()) == 3
    assert run.is_over()
    assert not run.failed()
    assert run.exception is None
    assert repr(run) == "<pathway.BackgroundRun: the run in the background has ended>"
    # Now it may run once more.
    pw.run(**QUIET)
    assert len(rows) == 4


def test_without_outputs() -> None:
    assert pw.run_in_background(**QUIET).wait(60)


def test_it_goes_on_until_it_is_stopped() -> None:
    subject, t = sent(a=int)
    ended = threading.Event()
    rows: list[Any] = []
    pw.io.subscribe(t, lambda key, row, time, is_addition: rows.append(row), on_end=ended.set)
    run = pw.run_in_background(**QUIET)
    assert BackgroundRun.going_on() == [run]
    assert "goes on" in repr(run)
    subject.send({"a": 1})
    until(lambda: rows == [{"a": 1}])
    assert not run.wait(timeout=0)
    subject.send({"a": 2}, {"a": 3})
    until(lambda: len(rows) == 3)
    assert run.stop(timeout=60)
    assert run.is_over()
    assert not run.failed()
    assert "was stopped" in repr(run)
    assert not ended.is_set()
    assert run.stop()
    assert BackgroundRun.going_on() == []


def test_the_end_of_its_inputs_ends_it() -> None:
    """It waits for all outputs, not for one."""
    first, one = sent(a=int)
    second, other = sent(b=int)
    rows, others = rows_of(one), rows_of(other)
    run = pw.run_in_background(**QUIET)
    first.send({"a": 1})
    first.finish()
    until(lambda: rows)
    second.send({"b": 2})
    until(lambda: others)
    assert not run.is_over()
    second.finish()
    assert run.wait(60)


def test_what_was_read_before_a_stop_is_computed() -> None:
    """Also what nobody has committed, and what is computed slowly."""
    sent, go_on = threading.Event(), threading.Event()

    class Numbers(pw.io.python.ConnectorSubject):
        def run(self) -> None:
            for a in range(1000):
                self.next(a=a)
            sent.set()
            go_on.wait()

    @pw.udf
    def slowly(a: int) -> int:
        time.sleep(0.0005)
        return a

    t = pw.io.python.read(Numbers(), schema=pw.schema_from_types(a=int), autocommit_duration_ms=None)
    ended = threading.Event()
    total: list[Any] = []
    pw.io.subscribe(
        t.reduce(total=pw.reducers.sum(slowly(t.a))),
        lambda key, row, time, is_addition: total.append(row["total"]) if is_addition else None,
        on_end=ended.set,
    )
    with pw.run_in_background(**QUIET) as run:
        assert sent.wait(60)
    go_on.set()
    assert run.is_over()
    assert "was stopped" in repr(run)
    assert total[-1:] == [499500]
    assert not ended.is_set()


def test_answers_are_waited_for_by_a_stop() -> None:
    """Outputs do not wait for asynchronous calls; the end of the run does, and for calls with answers."""
    asked, release = threading.Event(), threading.Event()

    @pw.udf(executor=pw.udfs.fully_async_executor())
    async def slow(a: int) -> int:
        asked.set()
        while not release.is_set():
            await asyncio.sleep(0.001)
        return a + 1

    @pw.udf(executor=pw.udfs.fully_async_executor())
    async def later(a: int) -> int:
        await asyncio.sleep(0.05)
        return a * 10

    class Numbers(pw.io.python.ConnectorSubject):
        def run(self) -> None:
            for a in range(5):
                self.next(a=a)
            self.commit()
            release.wait(60)

    t = pw.io.python.read(Numbers(), schema=pw.schema_from_types(a=int))
    once = t.select(b=slow(t.a)).await_futures()
    rows = rows_of(once.select(c=later(once.b)).await_futures())
    run = pw.run_in_background(**QUIET)
    assert asked.wait(60)
    assert not run.stop(timeout=0.3)
    assert rows == []
    release.set()
    assert run.wait(60)
    assert sorted(row["c"] for row in rows) == [10, 20, 30, 40, 50]


def test_a_batch_of_files_may_be_broken_off(tmp_path: Path) -> None:
    """Outputs get rows that were there, and nothing else."""
    (tmp_path / "in.csv").write_text("a\n" + "".join(f"{a}\n" for a in range(200_000)))
    t = pw.io.csv.read(tmp_path / "in.csv", schema=pw.schema_from_types(a=int), mode="static")
    rows = rows_of(t.filter(t.a % 1000 == 0))
    run = pw.run_in_background(**QUIET)
    assert run.stop(60)
    assert {row["a"] for row in rows} <= set(range(0, 200_000, 1000))
    pw.run(**QUIET)
    assert {row["a"] for row in rows} == set(range(0, 200_000, 1000))


def test_a_failure(caplog: pytest.LogCaptureFixture) -> None:
    subject, t = sent(a=int)
    rows = rows_of(t.select(q=6 // t.a))
    with caplog.at_level(logging.ERROR):
        run = pw.run_in_background(**QUIET)
        subject.send({"a": 3})
        until(lambda: rows == [{"q": 2}])
        subject.send({"a": 0})
        with pytest.raises(ZeroDivisionError) as raised:
            run.wait(60)
    assert run.failed()
    assert run.exception is raised.value
    assert "t.select(q=6 // t.a)" in raised.value.__notes__[0]
    assert "has failed with ZeroDivisionError" in repr(run)
    assert "the run in the background has failed" in caplog.text
    assert run.stop()


def test_a_run_that_cannot_begin(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    t = pw.debug.table_from_markdown(
        """
        a
        1
        """
    )
    with pytest.raises(ValueError, match="at least 1"):
        pw.run_in_background(max_expression_batch_size=0)
    pw.io.csv.write(t, tmp_path / "there is no such folder" / "out.csv")
    with pytest.raises(OSError, match="no such folder"):
        pw.run_in_background(**QUIET)
    monkeypatch.setenv("PATHWAY_PROCESSES", "2")
    with pytest.raises(NotImplementedError, match=r"one process.*Use pw\.run\(\)"):
        pw.run_in_background(**QUIET)


def test_arguments_are_checked() -> None:
    run: Any = pw.run_in_background
    for option in ("debug", "event_loop", "spill_directory"):
        with pytest.raises(
            TypeError, match=rf"run_in_background\(\): parameter {option}=3 violates type hint"
        ):
            run(**{option: 3})
    with pytest.raises(
        TypeError, match=r"run_in_background\(\) got an unexpected keyword argument 'nothing'"
    ):
        run(nothing=3)


def test_outputs_of_a_run_that_goes_on_are_not_computed_twice() -> None:
    subject, t = sent(a=int)
    rows = rows_of(t)
    with pw.run_in_background(**QUIET):
        for again in (pw.run, pw.run_all, pw.run_in_background):
            with pytest.raises(RuntimeError, match=r"wait\(\) for its end or stop\(\) it"):
                again(**QUIET)
        subject.send({"a": 1})
        until(lambda: rows)


def test_other_tables_are_computed_meanwhile() -> None:
    subject, t = sent(a=int)

    @pw.udf
    async def slowly(a: int) -> int:
        await asyncio.sleep(0)
        return a + 1

    rows = rows_of(t.select(b=slowly(t.a)))
    with pw.run_in_background(**QUIET):
        for a in range(3):
            subject.send({"a": a})
            other = pw.debug.table_from_rows(pw.schema_from_types(a=int), [(a,)])
            found = pw.debug.table_to_dicts(other.select(b=slowly(other.a)))[1]["b"]
            assert list(found.values()) == [a + 1]
            # Its functions go on when the other run has ended.
            until(lambda a=a: rows[-1:] == [{"b": a + 1}])


def test_a_subject_is_read_by_one_run_at_a_time() -> None:
    subject, t = sent(a=int)
    rows = rows_of(t)
    first = pw.run_in_background(**QUIET)
    subject.send({"a": 1})
    until(lambda: rows)
    with pytest.raises(RuntimeError, match="read by two runs at the same time"):
        pw.debug.table_to_dicts(t)
    # The first one does not go on as if nothing had happened.
    subject.send({"a": 2})
    with pytest.raises(RuntimeError, match="read by two runs at the same time"):
        first.wait(60)


def test_a_subject_is_read_again_after_a_stop() -> None:
    """Code of a subject that still runs for the run before is called back: it sends to no other run."""

    class Counter(pw.io.python.ConnectorSubject):
        def __init__(self) -> None:
            super().__init__()
            self.begun: list[int] = []

        def run(self) -> None:
            me = len(self.begun)
            self.begun.append(me)
            while True:
                self.next(a=me)
                time.sleep(0.01)

    subject = Counter()
    t = pw.io.python.read(subject, schema=pw.schema_from_types(a=int), autocommit_duration_ms=20)
    rows = rows_of(t)
    for number in range(3):
        rows.clear()
        with pw.run_in_background(**QUIET):
            until(lambda: len(rows) > 5)
        assert {row["a"] for row in rows} == {number}


def test_code_of_a_subject_that_does_not_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(active_runs, "PATIENCE", 0.05)
    go_on = threading.Event()

    class Stuck(pw.io.python.ConnectorSubject):
        def run(self) -> None:
            self.next(a=1)
            self.commit()
            go_on.wait()

    rows = rows_of(pw.io.python.read(Stuck(), schema=pw.schema_from_types(a=int)))
    with pw.run_in_background(**QUIET):
        until(lambda: rows)
    with pytest.raises(RuntimeError, match="still runs for an earlier run"):
        pw.run(**QUIET)
    go_on.set()


def test_a_callback_may_ask_for_the_end() -> None:
    subject, t = sent(a=int)
    runs: list[BackgroundRun] = []

    def on_change(key: object, row: object, time: int, is_addition: bool) -> None:
        assert not runs[0].stop(timeout=0)

    pw.io.subscribe(t, on_change)
    runs.append(pw.run_in_background(**QUIET))
    subject.send({"a": 1})
    assert runs[0].wait(60)


PROGRAM = """
import threading, time
import pathway as pw

class Endless(pw.io.python.ConnectorSubject):
    def run(self):
        while True:
            self.next(a=1)
            time.sleep(0.001)

def stuck(a: int) -> int:
    rows.set()
    {stuck}
    return a

rows = threading.Event()
t = pw.io.python.read(Endless(), schema=pw.schema_from_types(a=int), autocommit_duration_ms=5)
pw.io.null.write(t.select(a=pw.apply(stuck, t.a)))
run = pw.run_in_background(default_logging=False)
rows.wait()
print("the program ends", flush=True)
"""


@pytest.mark.parametrize("stuck", ["pass", "time.sleep(600)"])
def test_the_end_of_the_program_ends_its_runs(stuck: str) -> None:
    program = [sys.executable, "-c", PROGRAM.format(stuck=stuck)]
    done = subprocess.run(program, capture_output=True, text=True, timeout=120)
    assert (done.returncode, done.stdout) == (0, "the program ends\n"), done.stderr
    assert "Traceback" not in done.stderr


def test_an_exported_table_of_a_run_in_the_background() -> None:
    subject, t = sent(a=int)
    assert t.frontier() == 0
    with pw.run_in_background(**QUIET):
        subject.send({"a": 1})
        until(lambda: [row for _, row in t.snapshot_at(pw.internals.exported.DONE)] == [[1]])
    assert not t.failed()


def test_a_run_with_a_storage_is_gone_on_with(tmp_path: Path) -> None:
    """By a run in the background or by another: its state is that of the same outputs."""
    (tmp_path / "in").mkdir()
    config = pw.persistence.Config(pw.persistence.Backend.filesystem(tmp_path / "state"))

    def program() -> list[dict[str, Any]]:
        pw.internals.parse_graph.G.clear()
        t = pw.io.csv.read(tmp_path / "in", schema=pw.schema_from_types(a=int), mode="static", name="in")
        return rows_of(t.reduce(total=pw.reducers.sum(t.a)))

    totals = []
    for number, background in enumerate((True, False, True)):
        (tmp_path / "in" / f"{number}.csv").write_text(f"a\n{10**number}\n")
        rows = program()
        if background:
            assert pw.run_in_background(persistence_config=config, **QUIET).wait(60)
        else:
            pw.run(persistence_config=config, **QUIET)
        totals.append(rows)
    assert totals == [[{"total": 1}], [{"total": 11}], [{"total": 111}]]
