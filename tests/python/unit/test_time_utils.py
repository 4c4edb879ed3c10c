"""Tables that go by the clock on the wall, with a clock of the test's own, and once with the real one."""

from __future__ import annotations

import datetime
import threading
from typing import Any

import pytest

import pathway as pw
from pathway.engine import ref_scalar
from pathway.internals.parse_graph import G
from pathway.stdlib.temporal import time_utils

START = datetime.datetime(2024, 5, 1, tzinfo=datetime.timezone.utc)
#: A change: time, diff, and the cells, times in milliseconds after the start.
Change = tuple[Any, ...]


def milliseconds(number: int) -> datetime.timedelta:
    return datetime.timedelta(milliseconds=number)


class Tick(pw.Schema):
    timestamp_utc: pw.DateTimeUtc


class Event(pw.Schema, append_only=True):
    key: int = pw.column_definition(primary_key=True)
    i: str | None


def ticks(*times: int) -> pw.Table:
    """A clock that tells these times, each as batch of its own, two after the number of milliseconds."""
    rows = [(START + milliseconds(time), time + 2, 1) for time in times]
    return pw.debug.table_from_rows(Tick, rows, is_stream=True)


def plain(value: Any) -> Any:
    if not isinstance(value, datetime.datetime):
        return value
    return round((value - START) / milliseconds(1)) if value.year == START.year else "before the first tick"


def changes(table: pw.Table) -> list[Change]:
    found: list[Change] = []

    def on_change(key: Any, row: dict[str, Any], time: int, is_addition: bool) -> None:
        found.append((time, 1 if is_addition else -1, *map(plain, row.values())))

    pw.io.subscribe(table, on_change)
    pw.run(monitoring_level=pw.MonitoringLevel.NONE)
    return sorted(found, key=str)


def silences(
    monkeypatch: pytest.MonkeyPatch, events: list[tuple[int, str | None]], *, by_instance: bool
) -> list[Change]:
    """Silences of more than 200 ms; each event comes at the time of its key."""
    times = {ref_scalar(time): time for time, _ in events}

    def now(pointer: Any) -> datetime.datetime:
        return START if pointer is None else START + milliseconds(times[pointer])

    monkeypatch.setattr(time_utils, "_get_now_timestamp_utc", now)
    monkeypatch.setattr(time_utils, "utc_now", lambda refresh_rate: ticks(*range(50, 1200, 50)))
    rows = [(time, i, time, 1) for time, i in events]
    t = pw.debug.table_from_rows(Event, rows, is_stream=True)
    instance = t.i if by_instance else None
    return changes(
        t.inactivity_detection(pw.Duration(milliseconds=200), pw.Duration(milliseconds=50), instance)
    )


def test_a_silence_and_its_end(monkeypatch: pytest.MonkeyPatch) -> None:
    assert silences(monkeypatch, [(100, None), (400, None)], by_instance=False) == [
        (352, 1, 100, None),
        (400, -1, 100, None),
        (400, 1, 100, 400),
        (652, 1, 400, None),
    ]


def test_silence_before_the_first_row(monkeypatch: pytest.MonkeyPatch) -> None:
    assert silences(monkeypatch, [(400, None)], by_instance=False) == [
        (252, 1, 0, None),
        (400, -1, 0, None),
        (400, 1, 0, 400),
        (652, 1, 400, None),
    ]


@pytest.mark.parametrize("workers", [1, 3])
def test_silences_of_instances(monkeypatch: pytest.MonkeyPatch, workers: int) -> None:
    monkeypatch.setenv("PATHWAY_THREADS", str(workers))
    events = [(100, "a"), (120, "b"), (400, "a"), (410, "a"), (500, "b")]
    assert silences(monkeypatch, events, by_instance=True) == sorted(
        [
            (352, 1, "a", 100, None),
            (352, 1, "b", 120, None),
            (400, -1, "a", 100, None),
            (400, 1, "a", 100, 400),
            (500, -1, "b", 120, None),
            (500, 1, "b", 120, 500),
            (652, 1, "a", 410, None),
            (752, 1, "b", 500, None),
        ],
        key=str,
    )


def test_the_first_silence_belongs_to_no_instance(monkeypatch: pytest.MonkeyPatch) -> None:
    assert silences(monkeypatch, [(400, "a")], by_instance=True) == [
        (252, 1, None, 0, None),
        (652, 1, "a", 400, None),
    ]


def test_silences_need_rows_that_stay() -> None:
    t = pw.debug.table_from_markdown("a | __time__ | __diff__\n1 | 2 | 1\n1 | 4 | -1")
    counts = t.groupby(t.a).reduce(t.a, n=pw.reducers.count())
    with pytest.raises(AssertionError, match="append only"):
        counts.inactivity_detection(pw.Duration(seconds=1))


@pytest.mark.parametrize("workers", [1, 3])
def test_times_of_updates(monkeypatch: pytest.MonkeyPatch, workers: int) -> None:
    monkeypatch.setenv("PATHWAY_THREADS", str(workers))
    monkeypatch.setattr(time_utils, "utc_now", lambda refresh_rate: ticks(100, 300, 500))

    class Row(pw.Schema):
        key: int = pw.column_definition(primary_key=True)
        v: int

    rows = [
        (1, 10, 2, 1),
        (1, 10, 130, -1),
        (1, 110, 130, 1),
        (2, 5, 140, 1),
        (2, 5, 400, -1),
        # In one batch with the tick of 500.
        (3, 7, 502, 1),
        (3, 7, 510, -1),
        (3, 7, 510, 1),
    ]
    t = pw.debug.table_from_rows(Row, rows, is_stream=True)
    stamped = t.add_update_timestamp_utc(refresh_rate=pw.Duration(milliseconds=200))
    assert list(stamped.column_names()) == ["key", "v", "updated_timestamp_utc"]
    # The same rows, under the same ids.
    both = stamped.select(t.key, pw.this.v, pw.this.updated_timestamp_utc, same=t.v == pw.this.v)
    assert changes(both) == sorted(
        [
            (2, 1, 1, 10, "before the first tick", True),
            (130, -1, 1, 10, "before the first tick", True),
            (130, 1, 1, 110, 100, True),
            (140, 1, 2, 5, 100, True),
            (400, -1, 2, 5, 100, True),
            (502, 1, 3, 7, 500, True),
        ],
        key=str,
    )


def test_names_of_the_column_with_the_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(time_utils, "utc_now", lambda refresh_rate: ticks(100))
    t = pw.debug.table_from_markdown("a | when\n1 | 2")
    assert list(t.add_update_timestamp_utc().column_names()) == ["a", "when", "updated_timestamp_utc"]
    stamped = t.add_update_timestamp_utc(update_timestamp_column_name="when")
    assert list(stamped.column_names()) == ["a", "when"]
    ((_, _, a, when),) = changes(stamped)
    assert (a, when) == (1, "before the first tick")


def test_one_clock_for_equal_arguments() -> None:
    second = datetime.timedelta(seconds=1)
    clock = pw.temporal.utc_now(second)
    assert pw.temporal.utc_now(refresh_rate=pw.Duration(seconds=1)) is clock
    assert pw.temporal.utc_now(second, initial_delay=second) is not clock
    assert clock.is_append_only
    G.clear()
    # A graph has clocks of its own.
    assert pw.temporal.utc_now(second) is not clock
    pw.temporal.utc_now(second).select(pw.this.timestamp_utc)


def test_clocks_that_are_refused() -> None:
    with pytest.raises(ValueError, match="refresh_rate"):
        pw.temporal.utc_now(datetime.timedelta(0))
    with pytest.raises(ValueError, match="initial_delay"):
        pw.temporal.utc_now(initial_delay=datetime.timedelta(seconds=-1))
    with pytest.raises(TypeError, match="refresh_rate"):
        pw.temporal.utc_now(5)  # type: ignore[arg-type]


class Enough(Exception):
    """Ends a run whose sources never end."""


def test_the_real_clock() -> None:
    silent = threading.Event()

    class One(pw.io.python.ConnectorSubject):
        def run(self) -> None:
            self.next(a=1)
            self.commit()
            assert silent.wait(60)
            self.next(a=2)

        @property
        def _deletions_enabled(self) -> bool:
            return False

    t = pw.io.python.read(One(), schema=pw.schema_from_types(a=int))
    found = t.inactivity_detection(milliseconds(30), refresh_rate=milliseconds(10))
    stamped = t.add_update_timestamp_utc(refresh_rate=milliseconds(10))
    before = datetime.datetime.now(datetime.timezone.utc)
    stamps: list[datetime.datetime] = []
    lengths: list[datetime.timedelta] = []

    def end_when_all_is_seen() -> None:
        if len(stamps) == 2 and lengths:
            raise Enough

    def on_silence(key: Any, row: dict[str, Any], time: int, is_addition: bool) -> None:
        silent.set()
        if row["resumed_activity_timestamp_utc"] is not None:
            lengths.append(row["resumed_activity_timestamp_utc"] - row["inactivity_timestamp_utc"])
        end_when_all_is_seen()

    def on_row(key: Any, row: dict[str, Any], time: int, is_addition: bool) -> None:
        stamps.append(row["updated_timestamp_utc"])
        end_when_all_is_seen()

    pw.io.subscribe(found, on_silence)
    pw.io.subscribe(stamped, on_row)
    with pytest.raises(Enough):
        pw.run(monitoring_level=pw.MonitoringLevel.NONE)
    assert before - datetime.timedelta(seconds=1) <= stamps[0] <= stamps[1]
    assert lengths[0] > milliseconds(30)
