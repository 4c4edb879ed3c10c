"""Operations that depend on when changes come: the stream of changes is the one that a plain model gives."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from itertools import groupby
from typing import Any

from hypothesis import given

import pathway as pw

from .check import WORKERS, property_settings, settle, updates_of
from .histories import Change, History, histories, letter, maybe_int, small_int

Table = pw.Table[Any]
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
    program: Callable[[Table], Table], history: History, model: Callable[[History], Iterable[Event]]
) -> None:
    """The updates of the program (without ids) are those of the model, with any number of workers."""
    expected = Counter(event for event in model(history))
    for workers in WORKERS:
        updates = updates_of(lambda: program(history.as_stream()), workers)
        settle(updates)
        found = Counter((tuple(map(plain, values)), time, diff) for _, values, time, diff in updates)
        assert found == expected, f"{workers} workers: {found - expected} instead of {expected - found}"


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
