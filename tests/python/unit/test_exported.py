"""Tables whose rows the program looks at itself."""

from __future__ import annotations

import threading
import time
from pathlib import Path
from typing import Any

import pytest

import pathway as pw
from live import stream
from pathway.internals.exported import DONE


@pytest.fixture(autouse=True)
def _own_graph() -> None:
    pw.internals.parse_graph.G.clear()


def run(**options: Any) -> None:
    pw.run(monitoring_level=pw.MonitoringLevel.NONE, **options)


def test_snapshots_at_every_frontier() -> None:
    t: Any = stream()
    assert (t.frontier(), t.failed()) == (0, False)
    assert t.snapshot_at(DONE) == []
    run()
    values = {at: sorted(row for _, row in t.snapshot_at(at)) for at in (0, 2, 3, 5, 7, 9)}
    a, b = ["a", 1], ["b", 2]
    assert values == {0: [], 2: [], 3: [a], 5: [a, b], 7: [["a", 3], b], 9: [["a", 3]]}
    assert t.frontier() is DONE
    keys = [key for key, _ in t.snapshot_at(7)]
    assert keys == sorted(keys)
    # A run tells everything anew.
    run()
    assert [row for _, row in t.snapshot_at(t.frontier())] == [["a", 3]]


def test_other_runs_change_nothing() -> None:
    t: Any = stream()
    t.frontier()
    run()
    pw.debug.compute_and_print(t)
    assert len(t.snapshot_at(DONE)) == 1


def test_what_a_run_shows_while_it_goes_on() -> None:
    asked: list[tuple[Any, Any]] = []
    may_end = threading.Event()

    class Subject(pw.io.python.ConnectorSubject):
        def run(self) -> None:
            for word in ("x", "y"):
                self.next(word=word)
                self.commit()
                deadline = time.monotonic() + 60
                while len(table.snapshot_at(DONE)) < (1 if word == "x" else 2):
                    assert time.monotonic() < deadline
                    time.sleep(0.01)
                asked.append((table.frontier(), [row for _, row in table.snapshot_at(table.frontier())]))
            may_end.set()

    table: Any = pw.io.python.read(Subject(), schema=pw.schema_from_types(word=str))
    table.failed()
    run()
    assert may_end.is_set()
    (first, _), (second, _) = asked
    assert first <= second < DONE
    assert sorted(row for _, row in table.snapshot_at(DONE)) == [["x"], ["y"]]
    if first > 0:
        with pytest.raises(ValueError, match="forgotten"):
            table.snapshot_at(0)


def test_a_run_that_fails() -> None:
    t: Any = stream().select(q=6 // (pw.this.n - 3))
    assert not t.failed()
    with pytest.raises(ZeroDivisionError):
        run()
    assert t.failed()
    assert t.frontier() < DONE


def test_columns_with_these_names_are_columns() -> None:
    t = pw.debug.table_from_rows(pw.schema_from_types(failed=bool, frontier=int), [(True, 1)])
    rows = pw.debug.table_to_dicts(t.select(t.failed, f=t.frontier))[1]
    assert [list(rows[name].values()) for name in ("failed", "f")] == [[True], [1]]


def test_keywords_of_the_handbook(tmp_path: Path) -> None:
    config: Any = pw.persistence.Config
    here = config(mode=pw.persistence.Mode.SNAPSHOT, snapshot_path=tmp_path / "checkpoints")
    assert here == pw.persistence.Config(pw.persistence.Backend.filesystem(tmp_path / "checkpoints"))
    with pytest.raises(TypeError, match="both say where"):
        config(here.backend, snapshot_path="x")
    with pytest.raises(TypeError, match=r"pw\.persistence\.Mode"):
        config(mode="snapshot", snapshot_path="x")
    with pytest.raises(TypeError, match="backend"):
        config()
