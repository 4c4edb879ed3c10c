"""Joins in time with behaviors: complete streams of changes equal those of a model written from the rules.

One run of a pair of histories has several joins, so that few runs are many cases.
"""

from __future__ import annotations

import itertools
import os
import warnings
from collections import Counter
from collections.abc import Callable, Iterable
from typing import Any
from unittest import mock

from hypothesis import given
from hypothesis import strategies as st

import pathway as pw
from pathway.internals.api import ref_scalar
from pathway.internals.parse_graph import G

from .check import WORKERS, property_settings
from .histories import Column, History, histories, quarter

END = 2**64 - 2
Number = int | float
#: key, time, group
Record = tuple[int, Number, str]
#: The records of both sides of a result.
Pair = tuple[Record | None, Record | None]
#: time, diff, both sides
Changes = Counter[tuple[int, int, Pair]]
#: delay, cutoff, keep_results
Limits = tuple[Number | None, Number | None, bool]

MODES = list(pw.JoinMode)
LIMITS: list[Limits] = [
    *itertools.product([None, 0, 2, 5], [0, 3, -1, 1.5], [True, False]),
    *itertools.product([None, -1, 3], [None], [True]),
]
BOUNDS = [(-2, 1), (0, 0), (1, 4)]


def place(record: Record) -> Any:
    return ref_scalar(record[0])


class Side:
    """The rows of one side that a behavior lets through, and what it holds back and remembers."""

    def __init__(self, limits: Limits) -> None:
        self.delay, self.cutoff, self.keeps = limits
        self.clocks: dict[str, Number] = {}
        self.held: Counter[Record] = Counter()
        self.late: Counter[Record] = Counter()
        #: Rows that passed and whose removal did not.
        self.stale: list[Record] = []
        self.live: set[Record] = set()

    def advance(self, clock: str, records: Iterable[Record]) -> None:
        self.clocks[clock] = max([self.clocks.get(clock, float("-inf")), *(r[1] for r in records)])

    def is_over(self, record: Record, clock: str) -> bool:
        assert self.cutoff is not None
        return record[1] + self.cutoff <= self.clocks.get(clock, float("-inf"))

    def step(self, time: int, records: Counter[Record]) -> tuple[Counter[Record], set[Record]]:
        """The changes that pass, and the rows that are forgotten after them."""
        if self.delay is not None:
            records = self.buffer(time, records)
        if self.cutoff is None or not records:
            self.live = {r for r in self.live if records[r] >= 0} | {r for r, n in records.items() if n > 0}
            return records, set()
        records = self.freeze(records)
        if not records:
            return records, set()
        passing: Counter[Record] = Counter()
        for record, diff in records.items():
            if record in self.live if diff < 0 else self.keeps or not self.is_over(record, "forget"):
                passing[record] = diff
        self.live = {r for r in self.live if passing[r] >= 0} | {r for r, n in passing.items() if n > 0}
        over = {record for record in self.live if self.is_over(record, "forget")}
        self.live -= over
        self.advance("forget", records)
        return passing, over

    def buffer(self, time: int, records: Counter[Record]) -> Counter[Record]:
        assert self.delay is not None
        if records:
            self.advance("buffer", records)
        elif time < END:
            return records
        for record, diff in records.items():
            self.held[record] += diff
        now, held = self.clocks.get("buffer", 0), self.held
        self.held = (
            Counter() if time == END else Counter({r: n for r, n in held.items() if r[1] + self.delay > now})
        )
        return Counter({r: n for r, n in held.items() if n and r not in self.held})

    def freeze(self, records: Counter[Record]) -> Counter[Record]:
        passing: Counter[Record] = Counter()
        for record, diff in sorted(records.items(), key=lambda item: item[1]):
            if not self.is_over(record, "freeze"):
                passing[record] += diff
            elif diff > 0:
                self.late[record] += 1
            elif self.late[record]:
                self.late[record] -= 1
            else:
                self.stale.append(record)
        ids = {record[0] for record, diff in passing.items() if diff > 0}
        for record in [record for record in self.stale if record[0] in ids]:
            self.stale.remove(record)
            passing[record] -= 1
        self.advance("freeze", records)
        return Counter({r: n for r, n in passing.items() if n})


class Shown:
    """Results with one row for each id; a row that comes replaces the one that is there."""

    def __init__(self) -> None:
        self.rows: dict[Any, Pair] = {}
        self.changes: Changes = Counter()

    def update(self, time: int, before: dict[Any, Pair], after: dict[Any, Pair]) -> None:
        for key in before.keys() | after.keys():
            if before.get(key) == after.get(key):
                continue
            old, new = self.rows.pop(key, None), after.get(key)
            if new is not None:
                self.rows[key] = new
            if old != new:
                self.changes.update((time, diff, row) for diff, row in ((-1, old), (1, new)) if row)


def asof_results(
    sides: list[set[Record]], how: pw.JoinMode, direction: pw.temporal.Direction
) -> dict[Any, Pair]:
    """All rows with their partners, by the sequence of the rules: time, side, id."""
    backward, forward = pw.temporal.Direction.BACKWARD, pw.temporal.Direction.FORWARD
    turned = (how, direction) in ((pw.JoinMode.LEFT, backward), (pw.JoinMode.RIGHT, forward))
    found: dict[Any, Pair] = {}
    for side, other_mode in ((0, pw.JoinMode.RIGHT), (1, pw.JoinMode.LEFT)):
        for own in sides[side] if how is not other_mode else ():
            others = [other for other in sides[1 - side] if other[2] == own[2]]
            mine = (own[1], (side == 1) != turned, place(own))
            order = {other: (other[1], (side == 0) != turned, place(other)) for other in others}
            before = max((o for o in others if order[o] < mine), key=order.__getitem__, default=None)
            after = min((o for o in others if order[o] > mine), key=order.__getitem__, default=None)
            if direction is backward or (direction is not forward and after is None):
                partner = before
            elif direction is forward or before is None:
                partner = after
            else:
                assert after is not None
                partner = before if own[1] - before[1] < after[1] - own[1] else after
            found[side, own[0]] = (own, partner) if side == 0 else (partner, own)
    return found


def run_asof(a: History, b: History, how: pw.JoinMode, direction: Any, limits: Limits) -> Changes:
    sides, shown = [Side(limits), Side(limits)], Shown()
    before: dict[Any, Pair] = {}
    for time, records in steps(a, b):
        over = [side.step(time, of_side)[1] for side, of_side in zip(sides, records, strict=True)]
        still = [side.live | gone for side, gone in zip(sides, over, strict=True)] if limits[2] else None
        after = asof_results(still or [side.live for side in sides], how, direction)
        shown.update(time, before, after)
        # Where results are kept, rows are forgotten after them.
        before = asof_results([side.live for side in sides], how, direction) if still else after
    return shown.changes


def run_interval(
    a: History, b: History, how: pw.JoinMode, bounds: tuple[int, int], limits: Limits
) -> Changes:
    sides, shown = [Side(limits), Side(limits)], Shown()
    keeps = limits[1] is not None and limits[2]
    results = IntervalResults(how, bounds)
    before: dict[Any, Pair] = {}
    for time, records in steps(a, b):
        stepped = [side.step(time, of_side) for side, of_side in zip(sides, records, strict=True)]
        for side, (changes, over) in enumerate(stepped):
            results.change(side, changes)
            if not keeps:
                results.change(side, Counter(dict.fromkeys(over, -1)))
        after = results.all()
        shown.update(time, before, after)
        if keeps:
            for side, (_, over) in enumerate(stepped):
                results.forget(side, over)
        before = after
    return shown.changes


class IntervalResults:
    """The results of an interval join, of which those stay that came of forgotten rows."""

    def __init__(self, how: pw.JoinMode, bounds: tuple[int, int]) -> None:
        self.kept = (
            how in (pw.JoinMode.LEFT, pw.JoinMode.OUTER),
            how in (pw.JoinMode.RIGHT, pw.JoinMode.OUTER),
        )
        self.bounds = bounds
        self.numbers = itertools.count()
        #: Rows, each with a number of its own.
        self.live: tuple[dict[Record, int], dict[Record, int]] = ({}, {})
        #: Pairs that are shown, by the numbers of their rows.
        self.pairs: dict[tuple[int, int], Pair] = {}
        #: Results of rows that were forgotten without a partner.
        self.left_over: dict[Any, Pair] = {}

    def change(self, side: int, changes: Counter[Record]) -> None:
        mine, others = self.live[side], self.live[1 - side]
        for record in (record for record, diff in changes.items() if diff < 0):
            number = mine.pop(record)
            there = set(others.values())
            gone = [pair for pair in self.pairs if pair[side] == number and pair[1 - side] in there]
            for pair in gone:
                del self.pairs[pair]
        for record in (record for record, diff in changes.items() if diff > 0):
            number = mine[record] = next(self.numbers)
            for other, other_number in others.items():
                left, right = (record, other) if side == 0 else (other, record)
                if left[2] == right[2] and self.bounds[0] <= right[1] - left[1] <= self.bounds[1]:
                    numbers = (number, other_number) if side == 0 else (other_number, number)
                    self.pairs[numbers] = (left, right)

    def forget(self, side: int, records: set[Record]) -> None:
        lonely = self.lonely(side)
        for record in records:
            number = self.live[side].pop(record)
            if number in lonely:
                self.left_over[side, record[0]] = lonely[number]

    def lonely(self, side: int) -> dict[int, Pair]:
        paired = {pair[side] for pair in self.pairs}
        rows = self.live[side].items() if self.kept[side] else ()
        return {n: (r, None) if side == 0 else (None, r) for r, n in rows if n not in paired}

    def all(self) -> dict[Any, Pair]:
        found = dict(self.left_over)
        # Of several versions of a pair the last one counts, if they have one id: that depends on both ids,
        # the group, and which of the stretches as long as the interval the left row is in.
        for _, pair in sorted(self.pairs.items(), key=lambda item: max(item[0])):
            left, right = pair
            assert left is not None
            assert right is not None
            stretch = left[1] // ((self.bounds[1] - self.bounds[0]) or 1)
            found[left[0], right[0], left[2], stretch] = pair
        for side in range(2):
            for pair in self.lonely(side).values():
                own = pair[side]
                assert own is not None
                found[side, own[0]] = pair
        return found


def steps(a: History, b: History) -> Iterable[tuple[int, list[Counter[Record]]]]:
    """The net changes of both sides at each time, and nothing at the end of the inputs."""
    for time in sorted({*a.times, *b.times, END}):
        net = []
        for history in (a, b):
            records: Counter[Record] = Counter()
            for change in history.changes:
                if change.time == time:
                    records[(change.k, *change.values)] += change.diff
            net.append(Counter({r: n for r, n in records.items() if n}))
        yield time, net


#: the model, and the join
Case = tuple[str, Callable[[History, History], Changes], Callable[[Any, Any], Any]]


def cases() -> list[Case]:
    found: list[Case] = []
    for limits in LIMITS:
        behavior = pw.temporal.common_behavior(*limits)
        for how in MODES:
            for bounds in BOUNDS:
                near = pw.temporal.interval(*bounds)
                found.append(
                    (
                        f"{how} interval {bounds} {limits}",
                        lambda a, b, h=how, i=bounds, x=limits: run_interval(a, b, h, i, x),  # type: ignore[misc]
                        lambda a, b, h=how, i=near, x=behavior: a.interval_join(  # type: ignore[misc]
                            b, a.t, b.t, i, a.g == b.g, how=h, behavior=x
                        ),
                    )
                )
            for direction in pw.temporal.Direction if how is not pw.JoinMode.INNER else ():
                found.append(
                    (
                        f"{how} {direction} {limits}",
                        lambda a, b, h=how, d=direction, x=limits: run_asof(a, b, h, d, x),  # type: ignore[misc]
                        lambda a, b, h=how, d=direction, x=behavior: a.asof_join(  # type: ignore[misc]
                            b, a.t, b.t, a.g == b.g, how=h, direction=d, behavior=x
                        ),
                    )
                )
    return found


CASES = cases()
some_cases = st.lists(st.sampled_from(CASES), min_size=1, max_size=14)


def streams(a: History, b: History, chosen: list[Case], workers: int) -> list[Changes]:
    """What each of the joins gives."""
    G.clear()
    found: list[Changes] = []
    with mock.patch.dict(os.environ, PATHWAY_THREADS=str(workers)), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        left, right = a.as_stream(), b.as_stream()
        for _, _, join in chosen:
            columns = {f"{c}{side}": table[c] for side, table in enumerate((left, right)) for c in "ktg"}
            changes: Changes = Counter()
            found.append(changes)

            def on_change(
                key: Any, row: dict[str, Any], time: int, is_addition: bool, changes: Changes = changes
            ) -> None:
                sides = (tuple(row[f"{c}{side}"] for c in "ktg") for side in range(2))
                pair = tuple(None if side[0] is None else side for side in sides)
                changes[time, 1 if is_addition else -1, pair] += 1  # type: ignore[index]

            pw.io.subscribe(join(left, right).select(**columns), on_change)
        pw.run(monitoring_level=pw.MonitoringLevel.NONE)
    return found


def check(a: History, b: History, chosen: list[Case]) -> None:
    expected = [model(a, b) for _, model, _ in chosen]
    for workers in WORKERS:
        for (name, *_), found, model in zip(chosen, streams(a, b, chosen, workers), expected, strict=True):
            assert found == model, f"{name}, {workers} workers: {found - model} instead of {model - found}"


whole: Column = (int, st.integers(-3, 12))
group: Column = (str, st.sampled_from(["a", "a", "b"]))


@property_settings
@given(
    histories(t=whole, g=group, keys=8, max_changes=20),
    histories(t=whole, g=group, keys=8, max_changes=20),
    some_cases,
)
def test_whole_times(a: History, b: History, chosen: list[Case]) -> None:
    check(a, b, chosen)


@property_settings
@given(
    histories(t=quarter, g=group, keys=8, max_changes=20),
    histories(t=quarter, g=group, keys=8, max_changes=20),
    some_cases,
)
def test_fractional_times(a: History, b: History, chosen: list[Case]) -> None:
    check(a, b, chosen)
