"""Live tables: what they show, what is computed from them, how they end; and the prompt that prints them."""

from __future__ import annotations

import builtins
import logging
import subprocess
import sys
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import pathway as pw
from live import sent, stream, until
from pathway.internals import interactive
from pathway.internals.api import EngineError, unsafe_make_pointer
from pathway.internals.background import BackgroundRun
from pathway.internals.exported import DONE
from pathway.internals.interactive import LiveTableSnapshot

QUIET: Any = {"monitoring_level": pw.MonitoringLevel.NONE, "default_logging": False}


@pytest.fixture(autouse=True, params=[1, 3])
def _workers(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("PATHWAY_THREADS", str(request.param))
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "live tables are an experimental feature")
        yield
    for run in reversed(BackgroundRun.going_on()):
        assert run.stop(timeout=60)


def values(snapshot: LiveTableSnapshot) -> list[Any]:
    return sorted(row for _, row in snapshot.data)


def changes_of(table: Any) -> list[tuple[Any, ...]]:
    """The changes of a table: values, time, and whether they are added."""
    captured = pw.debug.table_to_pandas(table)  # It is computed by functions for debugging, too.
    assert captured is not None
    changes: list[tuple[Any, ...]] = []
    pw.io.subscribe(
        table,
        lambda key, row, time, is_addition: changes.append((*row.values(), time, is_addition)),
    )
    pw.run(**QUIET)
    return changes


def test_snapshots_at_every_frontier() -> None:
    live = stream().live()
    assert isinstance(live, pw.LiveTable)
    assert isinstance(live, pw.Table)
    assert live.schema.typehints() == {"word": str, "n": int}
    assert live.wait(60)
    assert live.frontier() is DONE
    assert not live.failed()
    assert live.live() is live
    a, b = ["a", 1], ["b", 2]
    found = {at: values(live.snapshot_at(at)) for at in (0, 2, 3, 5, 7, 9)}
    assert found == {0: [], 2: [], 3: [a], 5: [a, b], 7: [["a", 3], b], 9: [["a", 3]]}
    assert live.snapshot() == live.snapshot_at(DONE)
    keys = [key for key, _ in live.snapshot_at(7).data]
    assert keys == sorted(keys)


def test_texts() -> None:
    live = stream().live()
    live.wait(60)
    one = live.snapshot_at(3)
    row = f"[({one.data[0][0]!r}, ['a', 1])]"
    assert str(one) == f"snapshot at time 3\n{row}"
    assert str(live) == str(live.snapshot()) == f"final snapshot\n{row}".replace("1]", "3]")
    assert repr(live) == "<pathway.LiveTable schema={'word': <class 'str'>, 'n': <class 'int'>}>"
    assert repr(one) == f"LiveTableSnapshot(frontier=3, data={row})"


def test_it_is_computed_while_the_program_goes_on() -> None:
    subject, t = sent(a=int)
    live = t.reduce(total=pw.reducers.sum(t.a)).live()
    assert (live.frontier(), live.snapshot().data) == (0, [])
    assert str(live) == "snapshot at time 0\n[]"
    subject.send({"a": 1}, {"a": 2})
    until(lambda: live.snapshot().data)
    first = live.frontier()
    assert first > 0
    assert values(live.snapshot()) == [[3]]
    subject.send({"a": 4})
    until(lambda: values(live.snapshot()) == [[7]])
    assert first < live.frontier() < DONE
    # An earlier frontier is not forgotten.
    assert values(live.snapshot_at(first)) == [[3]]
    subject.finish()
    assert live.wait(60)
    assert live.frontier() is DONE
    assert values(live.snapshot()) == [[7]]


def test_it_warns() -> None:
    t = stream()
    with pytest.warns(UserWarning, match="live tables are an experimental feature") as warned:
        t.live()
    assert warned[0].filename == __file__


def test_derived_tables_get_the_changes_at_their_times() -> None:
    live = stream().live()
    more = live.select(live.word, m=live.n + 10)
    assert changes_of(more) == [
        ("a", 11, 2, True),
        ("b", 12, 4, True),
        ("a", 11, 6, False),
        ("a", 13, 6, True),
        ("b", 12, 8, False),
    ]
    # And again: it is no stream that can be read once.
    counted = live.groupby(live.word).reduce(live.word, n=pw.reducers.count())
    assert changes_of(counted) == [
        ("a", 1, 2, True),
        ("b", 1, 4, True),
        ("b", 1, 8, False),
    ]


def test_rows_of_time_zero() -> None:
    """They are of what there was before a run; a run is told of changes from time 2 on."""
    t = pw.debug.table_from_rows(pw.schema_from_types(a=int), [(1, 0, 1), (2, 4, 1)], is_stream=True)
    live = t.live()
    assert changes_of(live.select(live.a)) == [(1, 2, True), (2, 4, True)]


def test_an_empty_table() -> None:
    live = pw.Table.empty(a=int).live()
    live.wait(60)
    assert changes_of(live.select(live.a)) == []


def test_values_of_every_kind() -> None:
    class Row(pw.Schema):
        i: int
        f: float
        s: str
        b: bytes
        o: int | None
        j: pw.Json
        p: pw.Pointer
        t: tuple[int, str]
        d: pw.DateTimeNaive
        u: pw.DateTimeUtc
        n: pw.Duration
        w: pw.PyObjectWrapper[dict]

    day = pw.DateTimeNaive("2020-01-02")
    one = (
        *(1, 1.5, "x", b"y", None, pw.Json({"a": [1]}), unsafe_make_pointer(7), (1, "z"), day),
        *(pw.DateTimeUtc("2020-01-02", tz="UTC"), pw.Duration(hours=3), pw.wrap_py_object({"k": 1})),
    )
    t = pw.debug.table_from_rows(Row, [one])
    live = t.live()
    assert live.schema.typehints() == t.schema.typehints()
    first = pw.debug.table_to_dicts(t.select(*(t[name] for name in "ifsbojptdun")))
    assert pw.debug.table_to_dicts(live.select(*(live[name] for name in "ifsbojptdun"))) == first
    kept = pw.debug.table_to_dicts(live.select(w=pw.apply_with_type(lambda w: w.value["k"], int, live.w)))
    assert list(kept[1]["w"].values()) == [1]


def test_ids_stay_what_they_are() -> None:
    t = stream()
    live = t.live()
    joined = live.select(live.n).with_universe_of(t)
    assert set(pw.debug.table_to_dicts(joined)[0]) == set(pw.debug.table_to_dicts(t)[0])


def test_whether_rows_can_go_stays_what_it_is() -> None:
    assert not stream().live().is_append_only
    assert pw.debug.table_from_rows(pw.schema_from_types(a=int), [(1,)]).live().is_append_only


def test_derived_tables_follow() -> None:
    subject, t = sent(a=int)
    live = t.live()
    subject.send({"a": 1})
    until(lambda: live.snapshot().data)
    then = live.frontier() - 1
    derived = live.reduce(total=pw.reducers.sum(live.a), n=pw.reducers.count()).live()
    until(lambda: values(derived.snapshot()) == [[1, 1]])
    # What was there has its time.
    assert derived.frontier() == then + 1
    subject.send({"a": 2}, {"a": 3})
    until(lambda: values(derived.snapshot()) == [[6, 3]])
    assert derived.frontier() > then + 1
    subject.finish()
    assert derived.wait(60)
    assert derived.frontier() is DONE
    # Rows of one time of the origin are never seen apart.
    times = {time for time, *_ in derived._history.changes()}
    assert {tuple(values(derived.snapshot_at(time + 1))[0]) for time in times} == {(1, 1), (6, 3)}


def test_following_beside_another_source() -> None:
    """A live table that does not change holds nothing up."""
    _, t = sent(a=int)
    live = t.live()
    other, u = sent(b=int)
    both = live.select(c=live.a).concat_reindex(u.select(c=u.b)).reduce(n=pw.reducers.count()).live()
    other.send({"b": 1})
    until(lambda: values(both.snapshot()) == [[1]])


def test_a_failure_reaches_what_is_derived(caplog: pytest.LogCaptureFixture) -> None:
    subject, t = sent(a=int)
    with caplog.at_level(logging.CRITICAL):
        live = t.select(q=6 // t.a).live()
        subject.send({"a": 3})
        until(lambda: live.snapshot().data)
        follower = live.select(r=live.q + 1).live()
        until(lambda: values(follower.snapshot()) == [[3]])
        subject.send({"a": 0})
        until(live.failed)
        with pytest.raises(ZeroDivisionError):
            live.wait(60)
        with pytest.raises(EngineError, match="computation of imported table failed"):
            follower.wait(60)
    assert follower.failed()
    # What there was stays to be looked at, but nothing is computed from it any more.
    assert values(live.snapshot()) == [[2]]
    assert live.frontier() < DONE
    assert isinstance(live.background_run.exception, ZeroDivisionError)
    with pytest.raises(EngineError, match="computation of imported table failed"):
        pw.debug.table_to_dicts(live.select(live.q))


def test_a_live_table_that_is_stopped_stays_as_it_is() -> None:
    subject, t = sent(a=int)
    live = t.live()
    subject.send({"a": 1})
    until(lambda: live.snapshot().data)
    assert live.stop(60)
    assert not live.failed()
    assert live.background_run.is_over()
    assert values(live.snapshot()) == [[1]]
    assert live.frontier() is DONE
    assert list(pw.debug.table_to_dicts(live.select(live.a))[1]["a"].values()) == [1]
    # The same subject may be read again now.
    again = t.live()
    until(lambda: subject.runs == 2)
    subject.send({"a": 2})
    until(lambda: values(again.snapshot()) == [[2]])
    assert values(live.snapshot()) == [[1]]


def test_a_start_that_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    t = stream()
    monkeypatch.setenv("PATHWAY_PROCESSES", "2")
    with pytest.raises(NotImplementedError, match="one process"):
        t.live()
    monkeypatch.delenv("PATHWAY_PROCESSES")
    monkeypatch.setenv("PATHWAY_THREADS", "0")
    with pytest.raises(EngineError, match="at least 1"):
        t.live()


def test_one_run_at_a_time_follows() -> None:
    subject, t = sent(a=int)
    live = t.live()
    subject.send({"a": 1})
    first = live.select(b=live.a).live()
    until(lambda: first.snapshot().data)
    with pytest.raises(RuntimeError, match="another run follows it"):
        live.select(c=live.a).live()
    subject.finish()
    live.wait(60)
    # What changes no more is followed by any number of runs.
    runs = [live.select(c=live.a + n).live() for n in range(3)]
    assert [values(run.snapshot()) for run in runs if run.wait(60)] == [[[1]], [[2]], [[3]]]


def test_runs_with_a_storage_take_no_live_tables(tmp_path: Path) -> None:
    live = stream().live()
    pw.io.null.write(live.select(live.n))
    config = pw.persistence.Config(pw.persistence.Backend.filesystem(tmp_path))
    with pytest.raises(ValueError, match="cannot have a persistence_config"):
        pw.run(persistence_config=config, **QUIET)


def test_subscribers() -> None:
    subject, t = sent(a=int)
    live = t.live()
    subject.send({"a": 1})
    until(lambda: live.snapshot().data)
    told: list[Any] = []
    live.subscribe(
        lambda key, row, time, is_addition: told.append((row, is_addition)),
        on_time_end=lambda time: told.append("time"),
        on_end=lambda: told.append("end"),
    )
    first = [({"a": 1}, True), "time"]
    assert told == first
    subject.send({"a": 2})
    until(lambda: told == [*first, ({"a": 2}, True), "time"])
    subject.finish()
    live.wait(60)
    assert told[-1] == "end"
    late: list[Any] = []
    live.subscribe(lambda key, row, time, is_addition: late.append(row))
    assert sorted(row["a"] for row in late) == [1, 2]
    with pytest.raises(TypeError, match="violates type hint"):
        live.subscribe(3)


def test_a_subscriber_that_raises(caplog: pytest.LogCaptureFixture) -> None:
    subject, t = sent(a=int)
    live = t.live()

    def refuse(key: object, row: dict[str, Any], time: int, is_addition: bool) -> None:
        raise LookupError(row["a"])

    live.subscribe(refuse)
    with caplog.at_level(logging.CRITICAL):
        subject.send({"a": 5})
        with pytest.raises(LookupError, match="5"):
            live.wait(60)
    assert live.failed()


def test_columns_with_these_names_are_reached_by_brackets() -> None:
    t = pw.debug.table_from_rows(pw.schema_from_types(live=int, snapshot=str), [(1, "x")])
    live = t.live()
    assert pw.debug.table_to_dicts(live.select(live["live"], s=live["snapshot"]))[1].keys() == {"live", "s"}


def test_a_live_table_is_no_operator_that_was_not_used() -> None:
    program = "import pathway as pw; pw.Table.empty(a=int).live().wait()"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert "ends without having run" not in done.stderr, done.stderr
    assert done.returncode == 0


@pytest.fixture
def _prompt(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    root, hook = logging.getLogger(), sys.displayhook
    level, handlers = root.level, list(root.handlers)
    monkeypatch.setattr(interactive, "_controller", None)
    yield
    sys.displayhook = hook
    root.setLevel(level)
    root.handlers[:] = handlers


@pytest.mark.usefixtures("_prompt")
def test_interactive_mode(capsys: pytest.CaptureFixture[str]) -> None:
    before = sys.displayhook
    with pytest.warns(UserWarning, match="interactive mode is experimental"):
        controller = pw.enable_interactive_mode()
    assert isinstance(controller, interactive.InteractiveModeController)
    assert logging.getLogger().level == logging.INFO
    live = stream().live()
    live.wait(60)
    for value in (live, live.snapshot()):
        sys.displayhook(value)
        assert capsys.readouterr().out == f"{live}\n"
        assert builtins._ is value  # type: ignore[attr-defined]
    for other in (3, stream(), [live], None):
        sys.displayhook(other)
        printed = capsys.readouterr().out
        before(other)
        assert printed == capsys.readouterr().out
    with pytest.warns(UserWarning, match="interactive mode is experimental"):
        assert pw.enable_interactive_mode() is controller
    assert controller.background_runs() == BackgroundRun.going_on()


@pytest.mark.usefixtures("_prompt")
@pytest.mark.filterwarnings("ignore:interactive mode")
def test_interactive_mode_comes_first() -> None:
    stream()
    with pytest.raises(ValueError, match="Cannot enable interactive mode"):
        pw.enable_interactive_mode()
