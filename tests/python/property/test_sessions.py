"""Python sources: whatever is sent in whatever batches, the final rows are those that were sent last."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

import pathway as pw

from .check import WORKERS, comparable, property_settings, settle, updates_of
from .histories import History, histories, letter, small_int


@dataclass(frozen=True)
class Step:
    """One call of the subject: `next`, `delete` or `commit`."""

    call: str
    k: int = 0
    a: int = 0
    s: str = ""


STEPS = st.lists(
    st.builds(Step, st.sampled_from(["next", "next", "next", "delete", "commit"]), st.integers(0, 4),
              st.integers(-3, 3), st.sampled_from(["", "x", "ż"])),
    max_size=25,
)  # fmt: skip


class Keyed(pw.Schema):
    k: int = pw.column_definition(primary_key=True)
    a: int
    s: str


class Player(pw.io.python.ConnectorSubject):
    """Makes the calls of the steps, in an upsert session."""

    def __init__(self, steps: list[Step]) -> None:
        super().__init__(session_type="upsert")
        self.steps = steps

    def run(self) -> None:
        for step in self.steps:
            if step.call == "next":
                self.next(k=step.k, a=step.a, s=step.s)
            elif step.call == "delete":
                self.delete(k=step.k, a=step.a, s=step.s)
            else:
                self.commit()


def last_sent(steps: list[Step]) -> dict[int, tuple[int, int, str]]:
    rows: dict[int, tuple[int, int, str]] = {}
    for step in steps:
        if step.call == "next":
            rows[step.k] = (step.k, step.a, step.s)
        elif step.call == "delete":
            rows.pop(step.k, None)
    return rows


@property_settings
@given(STEPS)
def test_upsert_session_keeps_the_last_row_of_each_key(steps: list[Step]) -> None:
    expected = {tuple(comparable(value) for value in row) for row in last_sent(steps).values()}
    for workers in WORKERS:
        updates = updates_of(
            lambda: pw.io.python.read(Player(steps), schema=Keyed, autocommit_duration_ms=None), workers
        )
        rows = settle(updates)
        assert set(rows.values()) == expected
        assert len(rows) == len(expected)


@property_settings
@given(STEPS)
def test_upsert_session_feeds_stateful_operators(steps: list[Step]) -> None:
    def build() -> pw.Table[Any]:
        t = pw.io.python.read(Player(steps), schema=Keyed, autocommit_duration_ms=None)
        return t.groupby(t.s).reduce(t.s, total=pw.reducers.sum(t.a), items=pw.reducers.sorted_tuple(t.k))

    rows = last_sent(steps).values()
    expected = set()
    for s in {row[2] for row in rows}:
        group = [row for row in rows if row[2] == s]
        expected.add((s, comparable(sum(row[1] for row in group)), tuple(sorted(row[0] for row in group))))
    for workers in WORKERS:
        assert set(settle(updates_of(build, workers)).values()) == expected


class Replay(pw.io.python.ConnectorSubject):
    """Sends the changes of a history in a native session, with a commit between its times."""

    _deletions_enabled = True

    def __init__(self, history: History) -> None:
        super().__init__()
        self.history = history

    def run(self) -> None:
        for time in self.history.times:
            for change in self.history.changes:
                if change.time == time:
                    names = dict(zip(self.history.types, change.values, strict=True))
                    (self.next if change.diff > 0 else self.delete)(k=change.k, **names)
            self.commit()


@property_settings
@given(histories(a=small_int, s=letter))
def test_native_session_takes_back_exactly_what_was_sent(history: History) -> None:
    for workers in WORKERS:
        updates = updates_of(
            lambda: pw.io.python.read(Replay(history), schema=history.schema, autocommit_duration_ms=None),
            workers,
        )
        rows = settle(updates)
        expected = {(k, *values) for k, values in history.state().items()}
        assert {tuple(row) for row in rows.values()} == {
            tuple(comparable(value) for value in row) for row in expected
        }
