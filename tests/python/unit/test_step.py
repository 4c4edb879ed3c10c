"""Runs that are followed time by time."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import pathway as pw
from live import sent
from pathway.debug.capture import Update
from pathway.internals.background import BackgroundRun


@pytest.fixture(autouse=True, params=[1, 3])
def _workers(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("PATHWAY_THREADS", str(request.param))
    yield
    assert BackgroundRun.going_on() == []


def stream() -> Any:
    return pw.debug.table_from_markdown("""
          | word | n | __time__ | __diff__
        1 | a    | 1 | 2        | 1
        2 | b    | 2 | 4        | 1
        1 | a    | 1 | 6        | -1
        1 | a    | 3 | 6        | 1
    """)


def short(changes: list[Update]) -> list[tuple[Any, ...]]:
    return [(*change.values, change.diff) for change in changes]


def test_time_by_time() -> None:
    seen: list[int] = []
    t = stream()
    noted = t.select(t.word, n=pw.apply_with_type(lambda n: seen.append(n) or n, int, t.n))
    with pw.debug.step(noted) as run:
        first = run.next(60)
        assert first is not None
        assert (first.time, short(first.changes)) == (2, [("a", 1, 1)])
        second = run.next(60)
        assert second is not None
        time, changes = second
        assert (time, short(changes)) == (4, [("b", 2, 1)])
        third = run.next(60)
        assert third is not None
        assert (third.time, short(third.changes)) == (6, [("a", 1, -1), ("a", 3, 1)])
        assert {change.key for change in third.changes} == {first.changes[0].key}
        assert run.next(60) is None
        assert run.next(60) is None
    assert sorted(seen) == [1, 2, 3]


def test_what_comes_later_waits() -> None:
    """The run stays at a time until it is told to go on."""
    subject, t = sent(a=int)
    total = t.reduce(total=pw.reducers.sum(t.a))
    with pw.debug.step(total) as run:
        subject.send({"a": 1}, {"a": 2})
        step = run.next(60)
        assert step is not None
        assert short(step.changes) == [(3, 1)]
        subject.send({"a": 4})
        following = run.next(60)
        assert following is not None
        assert following.time > step.time
        assert short(following.changes) == [(3, -1), (7, 1)]
        with pytest.raises(TimeoutError, match="has not changed"):
            run.next(timeout=0)
        subject.send({"a": 1})
        assert short(run.next(60).changes) == [(7, -1), (8, 1)]  # type: ignore[union-attr]
        subject.finish()
        assert run.next(60) is None


def test_all_steps_that_are_left() -> None:
    with pw.debug.step(stream()) as run:
        run.next(60)
        assert [time for time, _ in run] == [4, 6]


def test_a_block_that_is_left_early() -> None:
    """The run is stopped, wherever it is."""
    subject, t = sent(a=int)
    for a in range(3):
        subject.send({"a": a})
    with pw.debug.step(t) as run:
        run.next(60)
    with pw.debug.step(stream()):
        pass


def test_an_exception_in_the_block() -> None:
    with pytest.raises(LookupError), pw.debug.step(stream()):
        raise LookupError


def test_a_failure() -> None:
    subject, t = sent(a=int)
    with pw.debug.step(t.select(q=6 // t.a)) as run:
        subject.send({"a": 3})
        step = run.next(60)
        assert step is not None
        assert short(step.changes) == [(2, 1)]
        subject.send({"a": 0})
        with pytest.raises(ZeroDivisionError):
            run.next(60)


def test_errors_that_stay_in_cells() -> None:
    t = stream()
    failing = t.select(q=6 // (2 - t.n))
    with (
        pytest.warns(UserWarning, match="terminate_on_error=False"),
        pw.debug.step(failing, terminate_on_error=False) as run,
    ):
        assert [str(change.values[0]) for _, changes in run for change in changes] == [
            "6",
            "Error",
            "6",
            "-6",
        ]


def test_it_is_used_as_a_block() -> None:
    run = pw.debug.step(stream())
    with pytest.raises(RuntimeError, match=r"with pw\.debug\.step"):
        run.next()
    with run:
        pass
    with pytest.raises(RuntimeError, match="stepped through once"), run:
        pass
    with pytest.raises(TypeError, match="monitoring_level"):
        pw.debug.step(stream(), monitoring_level=pw.MonitoringLevel.NONE)


@pytest.mark.parametrize("mode", ["SPEEDRUN_REPLAY", "BATCH"])
def test_a_recorded_run_is_replayed_step_by_step(tmp_path: Path, mode: str) -> None:
    """What was recorded comes in the minibatches in which it came, at the times of then; or in one."""
    storage = pw.persistence.Backend.filesystem(tmp_path)

    class Numbers(pw.io.python.ConnectorSubject):
        def run(self) -> None:
            for a in range(4):
                self.next(a=a)
                if a % 2 == 1:
                    self.commit()

    def total() -> Any:
        schema = pw.schema_from_types(a=int)
        t = pw.io.python.read(Numbers(), schema=schema, name="numbers", autocommit_duration_ms=None)
        return t.reduce(total=pw.reducers.sum(t.a))

    times: list[int] = []
    pw.io.subscribe(total(), lambda key, row, time, is_addition: times.append(time))
    record = pw.persistence.Config(storage, snapshot_access=pw.persistence.SnapshotAccess.RECORD)
    pw.run(persistence_config=record, monitoring_level=pw.MonitoringLevel.NONE)
    pw.internals.parse_graph.G.clear()
    replay = pw.persistence.Config(
        storage,
        snapshot_access=pw.persistence.SnapshotAccess.REPLAY,
        persistence_mode=pw.PersistenceMode[mode],
        continue_after_replay=False,
    )
    with pw.debug.step(total(), persistence_config=replay) as run:
        steps = [(time, short(changes)) for time, changes in run]
    if mode == "BATCH":
        assert [changes for _, changes in steps] == [[(6, 1)]]
    else:
        first, second = sorted(set(times))
        assert steps == [(first, [(1, 1)]), (second, [(1, -1), (6, 1)])]
