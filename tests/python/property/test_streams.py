"""Operations that depend on when changes come: the stream of changes is the one that a plain model gives."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from itertools import groupby
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

import pathway as pw

from .check import WORKERS, property_settings, settle, updates_of
from .histories import Change, History, flag, histories, letter, maybe_int, small_int

Table = pw.Table[Any]
THRESHOLD = 2
times = (int, st.integers(0, 9))
#: values, time, diff
Event = tuple[tuple[Any, ...], int, int]


def net_changes(history: History) -> Iterable[tuple[int, list[Change]]]:
    """The changes of each time, without those that cancel."""
    for time, changes in groupby(history.changes, key=lambda change: change.time):
        counts: Counter[tuple[int, Any]] = Counter()
        for change in changes:
            counts[change.k, change.values] += change.diff
        yield time, [Change(k, values, time, diff) for (k, values), diff in counts.items() if diff]


def check_model(
    program: Callable[[Table], Table],
    history: History,
    model: Callable[[History], Iterable[Event]],
    settles: bool = True,
) -> None:
    """The updates of the program (without ids) are those of the model, with any number of workers."""
    expected = Counter(event for event in model(history))
    for workers in WORKERS:
        updates = updates_of(lambda: program(history.as_stream()), workers)
        if settles:
            settle(updates)
        found = Counter((tuple(map(plain, values)), time, diff) for _, values, time, diff in updates)
        assert found == expected, f"{workers} workers: {found - expected} instead of {expected - found}"


MAX = 2**64 - 2
#: key, values; with the threshold of the row
Row = tuple[int, tuple[Any, ...]]


def clocks(
    history: History, shared: bool
) -> Iterable[tuple[int, list[Change], dict[int, int], dict[int, int]]]:
    """The changes of each time, with the clocks of instances before it and after it (`t` is the second column
    and `g` the third)."""
    clock: dict[int, int] = {}
    for time, changes in net_changes(history):
        before = dict(clock)
        for change in changes:
            instance = 0 if shared else change.values[1]
            clock[instance] = max(clock.get(instance, change.values[0]), change.values[0])
        yield time, changes, before, dict(clock)


def reached(clock: dict[int, int], values: tuple[Any, ...], shared: bool) -> bool:
    instance = 0 if shared else values[1]
    return instance in clock and values[0] + THRESHOLD <= clock[instance]


def plain(value: Any) -> Any:
    """The cell of an update as the history has it."""
    return value[1] if isinstance(value, tuple) else value


@property_settings
@given(histories(g=letter, v=maybe_int, a=small_int))
def test_deduplicate(t: History) -> None:
    def accepts(new: int | None, old: int) -> bool:
        return new is None or new > old

    def program(t: Table) -> Table:
        return t.deduplicate(value=t.v, instance=t.g, acceptor=accepts)

    def model(history: History) -> Iterable[Event]:
        kept: dict[str, tuple[Any, ...]] = {}
        for time, changes in net_changes(history):
            before = dict(kept)
            rows = [(c.k, *c.values) for c in changes if c.diff > 0]
            for row in sorted(
                rows, key=lambda row: (row[2] is not None, row[2] or 0, row[0], row[1], row[3])
            ):
                old = kept.get(row[1])
                if old is None or old[2] is None or accepts(row[2], old[2]):
                    kept[row[1]] = row
            for instance, row in kept.items():
                if before.get(instance) != row:
                    if instance in before:
                        yield before[instance], time, -1
                    yield row, time, 1

    check_model(program, t, model)


timed = histories(t=times, g=small_int, a=flag, keys=6, max_changes=20)


@property_settings
@given(timed, st.booleans())
def test_ignore_late(t: History, shared: bool) -> None:
    def program(t: Table) -> Table:
        return t._freeze(t.t + THRESHOLD, t.t, None if shared else t.g)

    def model(history: History) -> Iterable[Event]:
        shown: dict[int, tuple[Any, ...]] = {}
        for time, changes, before, _ in clocks(history, shared):
            for c in sorted(changes, key=lambda c: c.diff):
                if reached(before, c.values, shared):
                    continue
                if c.diff > 0 and c.k in shown:
                    yield (c.k, *shown[c.k]), time, -1
                yield (c.k, *c.values), time, c.diff
                if c.diff > 0:
                    shown[c.k] = c.values
                else:
                    del shown[c.k]

    check_model(program, t, model)


@property_settings
@given(timed, st.booleans())
def test_buffer(t: History, shared: bool) -> None:
    def program(t: Table) -> Table:
        return t._buffer(t.t + THRESHOLD, t.t, None if shared else t.g)

    def model(history: History) -> Iterable[Event]:
        held: set[Row] = set()
        for time, changes, _, after in clocks(history, shared):
            for c in sorted(changes, key=lambda c: c.diff):
                if c.diff > 0:
                    held.add((c.k, c.values))
                elif (c.k, c.values) in held:
                    held.remove((c.k, c.values))
                else:
                    yield (c.k, *c.values), time, -1
            for k, values in sorted(held):
                if reached(after, values, shared):
                    held.remove((k, values))
                    yield (k, *values), time, 1
        for k, values in held:
            yield (k, *values), MAX, 1

    check_model(program, t, model)


@property_settings
@given(timed, st.booleans(), st.booleans())
def test_forget(t: History, shared: bool, marks: bool) -> None:
    def program(t: Table) -> Table:
        return t._forget(t.t + THRESHOLD, t.t, marks, None if shared else t.g)

    def model(history: History) -> Iterable[Event]:
        events: Counter[tuple[tuple[Any, ...], int]] = Counter()
        kept: set[Row] = set()
        for time, changes, before, _ in clocks(history, shared):
            for c in sorted(changes, key=lambda c: c.diff):
                if c.diff > 0:
                    kept.add((c.k, c.values))
                elif (c.k, c.values) in kept:
                    kept.remove((c.k, c.values))
                else:
                    continue
                events[(c.k, *c.values), time] += c.diff
            for k, values in sorted(kept):
                if reached(before, values, shared):
                    kept.remove((k, values))
                    events[(k, *values), time + marks] -= 1
        return ((values, time, diff) for (values, time), diff in events.items() if diff)

    check_model(program, t, model)


@property_settings
@given(timed)
def test_without_the_results_of_forgetting(t: History) -> None:
    def counted(t: Table, forgets: bool) -> Table:
        if forgets:
            t = t.forget(t.t, THRESHOLD, mark_forgetting_records=True)
        counts = t.groupby(t.g).reduce(t.g, n=pw.reducers.count())
        return counts.filter_out_results_of_forgetting(ensure_consistency=True)

    def model(history: History) -> Iterable[Event]:
        kept: set[Row] = set()
        shown: dict[int, int] = {}
        for time, changes, before, _ in clocks(history, True):
            touched = set()
            for c in sorted(changes, key=lambda c: c.diff):
                if c.diff > 0:
                    kept.add((c.k, c.values))
                elif (c.k, c.values) in kept:
                    kept.remove((c.k, c.values))
                else:
                    continue
                touched.add(c.values[1])
            for instance in sorted(touched):
                count = sum(values[1] == instance for _, values in kept)
                old = shown.get(instance, 0)
                if moved[time, instance] and old != count:
                    if old:
                        yield (instance, old), time, -1
                    if count:
                        yield (instance, count), time, 1
                    shown[instance] = count
            kept -= {row for row in kept if reached(before, row[1], True)}

    moved: Counter[tuple[int, int]] = Counter()
    kept: set[Row] = set()
    for time, changes, before, _ in clocks(t, True):
        was = Counter(values[1] for _, values in kept)
        for c in sorted(changes, key=lambda c: c.diff):
            if c.diff > 0:
                kept.add((c.k, c.values))
            else:
                kept.discard((c.k, c.values))
        now = Counter(values[1] for _, values in kept)
        for instance in was | now:
            moved[time, instance] = was[instance] != now[instance]
        kept -= {row for row in kept if reached(before, row[1], True)}
    check_model(lambda t: counted(t, True), t, model)


@property_settings
@given(histories(a=small_int, s=letter, keys=6, max_changes=20))
def test_to_stream_and_back(t: History) -> None:
    def events(history: History) -> Iterable[Event]:
        for time, changes in net_changes(history):
            added = {c.k for c in changes if c.diff > 0}
            for c in changes:
                if c.diff > 0 or c.k not in added:
                    yield (c.k, *c.values, c.diff > 0), time, 1

    def net(history: History) -> Iterable[Event]:
        return ((((c.k, *c.values), time, c.diff)) for time, cs in net_changes(history) for c in cs)

    check_model(lambda t: t.to_stream(), t, events, settles=False)

    def back(t: Table) -> Table:
        events = t.to_stream()
        return events.stream_to_table(events.is_upsert).without("is_upsert")

    def halves(t: Table) -> Table:
        events = t.to_stream()
        updates = events.filter(events.is_upsert).without("is_upsert")
        return pw.Table.from_streams(updates, events.filter(~events.is_upsert))

    check_model(back, t, net)
    check_model(halves, t, net)


@property_settings
@given(histories(a=small_int, keys=6, max_changes=20))
def test_unpack_snapshots(t: History) -> None:
    def model(history: History) -> Iterable[Event]:
        rows: dict[int, tuple[Any, ...]] = {}
        for time, changes in net_changes(history):
            for c in sorted(changes, key=lambda c: c.diff):
                if c.diff > 0:
                    rows[c.k] = c.values
                else:
                    del rows[c.k]
            if changes:
                yield from (((k, *values), time, 1) for k, values in rows.items())

    check_model(lambda t: t.unpack_snapshots(), t, model)
