"""Behaviors of windows: complete streams of changes equal those of a model written from the rules.

One run of a history has several windows and behaviors, so that few runs are many cases.
"""

from __future__ import annotations

import itertools
import os
import warnings
from collections import Counter
from typing import Any
from unittest import mock

from hypothesis import given
from hypothesis import strategies as st

import pathway as pw
from pathway.internals.parse_graph import G

from .check import WORKERS, property_settings
from .histories import Column, History, histories, quarter, small_int
from .test_windows import Windows, windows_of

END = 2**64 - 2
late_time: Column = (int, st.integers(-8, 24))
instance: Column = (str, st.sampled_from(["a", "b"]))
Number = int | float
#: time, diff, instance, start, end, values, keys
Changes = Counter[tuple[Any, ...]]
#: row, values, start, end
Record = tuple[int, tuple[Any, ...], Number, Number]

#: hop, duration, ratio, origin
WINDOWS: list[Windows] = [
    (5, None, 1, None),
    (4, None, 1, 2),
    (2, 5, None, None),
    (3, None, 2, None),
    (4, 2, None, None),
]
#: delay, cutoff, keep_results
BEHAVIORS: list[tuple[Number | None, Number | None, bool]] = [
    *itertools.product([None, 0, 2, 9], [0, 3, -2, 1.5], [True, False]),
    *itertools.product([-1, 3, 6.5], [None], [True]),
]
#: shift
ONCE: list[Number | None] = [None, 2, -1, 0.5]


class Model:
    """Steps through a history, record by record."""

    def __init__(self, windows: Windows, delay: Number | None, cutoff: Number | None, keeps: bool) -> None:
        self.windows, self.delay, self.cutoff, self.keeps = windows, delay, cutoff, keeps
        self.clocks: list[Number | None] = [None, None, None]
        self.held: Counter[Record] = Counter()
        self.live: Counter[Record] = Counter()
        self.changes: Changes = Counter()

    def run(self, history: History) -> Changes:
        for time in history.times:
            net: Counter[tuple[int, tuple[Any, ...]]] = Counter()
            for change in history.changes:
                if change.time == time:
                    net[change.k, change.values] += change.diff
            records: Counter[Record] = Counter()
            for (k, values), diff in net.items():
                if diff:
                    for start, end in windows_of(values[0], self.windows):
                        records[k, values, start, end] += diff
            self.step(time, records)
        flushed, self.held = self.held, Counter()
        self.forget(END, flushed)
        return self.changes

    def advance(self, clock: int, times: Any) -> None:
        known = self.clocks[clock]
        self.clocks[clock] = max([*times, *([] if known is None else [known])], default=None)

    def key(self, record: Record) -> Number:
        time = record[1][0]
        return time if self.delay is None else max(time, record[2] + self.delay)

    def is_over(self, record: Record, clock: int) -> bool:
        now = self.clocks[clock]
        return self.cutoff is not None and now is not None and record[3] + self.cutoff <= now

    def step(self, time: int, records: Counter[Record]) -> None:
        passing = Counter({r: diff for r, diff in records.items() if not self.is_over(r, 0)})
        self.advance(0, [r[1][0] for r in records])
        if not passing:
            return
        if self.delay is not None:
            self.advance(1, [r[1][0] for r in passing])
            now = self.clocks[1]
            assert now is not None
            for record, diff in passing.items():
                self.held[record] += diff
            shown = {r: diff for r, diff in self.held.items() if r[2] + self.delay <= now}
            self.held = Counter({r: diff for r, diff in self.held.items() if r not in shown and diff})
            passing = Counter({r: diff for r, diff in shown.items() if diff})
        self.forget(time, passing)

    def forget(self, time: int, records: Counter[Record]) -> None:
        if not records:
            return
        before = self.results()
        for record, diff in records.items():
            if diff > 0 or self.live[record]:
                self.live[record] += diff
        over = {record for record in self.live if self.is_over(record, 2)}
        if self.keeps:
            # They go after the results of this time.
            self.emit(time, before)
        self.live = Counter({r: n for r, n in self.live.items() if n and r not in over})
        if not self.keeps:
            self.emit(time, before)
        self.advance(2, [self.key(record) for record in records])

    def results(self) -> Counter[tuple[Any, ...]]:
        groups: dict[Any, list[Record]] = {}
        for record in (+self.live).elements():
            groups.setdefault((record[1][2], *record[2:]), []).append(record)
        return Counter(
            (*group, tuple(sorted(r[1][1] for r in rows)), tuple(sorted(self.key(r) for r in rows)))
            for group, rows in groups.items()
        )

    def emit(self, time: int, before: Counter[tuple[Any, ...]]) -> None:
        after = self.results()
        for diff, results in ((1, after - before), (-1, before - after)):
            self.changes.update((time, diff, *result) for result in results)


#: windows, the behavior, and what it means
Case = tuple[Windows, Any, tuple[Number | None, Number | None, bool]]


def cases() -> list[Case]:
    """Windows, the behavior, and what it means."""
    found: list[Case] = []
    for windows in WINDOWS:
        for limits in BEHAVIORS:
            found.append((windows, pw.temporal.common_behavior(*limits), limits))
        hop, duration, ratio, _ = windows
        for shift in ONCE:
            length = duration if ratio is None else hop * ratio
            meant = (length + (shift or 0), shift or 0, True)
            found.append((windows, pw.temporal.exactly_once_behavior(shift), meant))
    return found


CASES = cases()
some_cases = st.lists(st.sampled_from(CASES), min_size=1, max_size=10)


def streams(history: History, chosen: list[Case], workers: int) -> list[Changes]:
    """What each of the cases gives."""
    G.clear()
    found: list[Changes] = []
    with mock.patch.dict(os.environ, PATHWAY_THREADS=str(workers)), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        t = history.as_stream()
        for (hop, duration, ratio, origin), behavior, _ in chosen:
            window = pw.temporal.sliding(hop, duration=duration, ratio=ratio, origin=origin)
            result = t.windowby(t.t, window=window, behavior=behavior, instance=t.i).reduce(
                i=pw.this._pw_instance,
                start=pw.this._pw_window_start,
                end=pw.this._pw_window_end,
                values=pw.reducers.sorted_tuple(pw.this.v),
                keys=pw.reducers.sorted_tuple(pw.this._pw_key),
            )
            changes: Changes = Counter()
            found.append(changes)

            def on_change(
                key: Any, row: dict[str, Any], time: int, is_addition: bool, changes: Changes = changes
            ) -> None:
                changes[(time, 1 if is_addition else -1, *row.values())] += 1

            pw.io.subscribe(result, on_change)
        pw.run(monitoring_level=pw.MonitoringLevel.NONE)
    return found


def check(history: History, chosen: list[Case]) -> None:
    expected = [Model(windows, *limits).run(history) for windows, _, limits in chosen]
    for workers in WORKERS:
        for case, found, model in zip(chosen, streams(history, chosen, workers), expected, strict=True):
            assert found == model, f"{case}, {workers} workers"


@property_settings
@given(histories(t=late_time, v=small_int, i=instance, keys=10, max_changes=24), some_cases)
def test_whole_times(t: History, chosen: list[Case]) -> None:
    check(t, chosen)


@property_settings
@given(histories(t=quarter, v=small_int, i=instance, keys=10, max_changes=24), some_cases)
def test_fractional_times(t: History, chosen: list[Case]) -> None:
    check(t, chosen)
