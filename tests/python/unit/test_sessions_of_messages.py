"""Session windows over messages: with ids of their own, one id that is replaced, one id again and again."""

from __future__ import annotations

import datetime
from typing import Any, Literal

import pytest

import pathway as pw

#: Diff, minute of start and end, number of messages.
Change = tuple[int, int, int, int]


class Message(pw.Schema):
    key: str = pw.column_definition(primary_key=True)
    at: pw.DateTimeNaive


class Messages(pw.io.python.ConnectorSubject):
    """One message a minute, each committed at once."""

    def __init__(self, keys: str, session: Literal["native", "upsert"]) -> None:
        super().__init__(session_type=session)
        self._keys = keys

    def run(self) -> None:
        for minute, key in enumerate(self._keys):
            self.next(key=key, at=datetime.datetime(2024, 5, 1, 10, minute))
            self.commit()


def sessions(keys: str, session: Literal["native", "upsert"]) -> list[Change]:
    t = pw.io.python.read(Messages(keys, session), schema=Message, autocommit_duration_ms=None)
    window = pw.temporal.session(max_gap=datetime.timedelta(minutes=5))
    result = t.windowby(t.at, window=window).reduce(
        start=pw.this._pw_window_start, end=pw.this._pw_window_end, n=pw.reducers.count()
    )
    changes: list[Change] = []

    def on_change(key: Any, row: dict[str, Any], time: int, is_addition: bool) -> None:
        changes.append((1 if is_addition else -1, row["start"].minute, row["end"].minute, row["n"]))

    pw.io.subscribe(result, on_change)
    pw.run(monitoring_level=pw.MonitoringLevel.NONE)
    return changes


GROWING = [(1, 0, 0, 1), (-1, 0, 0, 1), (1, 0, 1, 2), (-1, 0, 1, 2), (1, 0, 2, 3)]


@pytest.mark.parametrize("workers", [1, 3])
@pytest.mark.parametrize(
    ("keys", "session", "expected"),
    [
        ("abc", "native", GROWING),
        ("aaa", "upsert", [(1, 0, 0, 1), (-1, 0, 0, 1), (1, 1, 1, 1), (-1, 1, 1, 1), (1, 2, 2, 1)]),
        # Nothing says that a message replaces the one before: all of them count.
        ("aaa", "native", GROWING),
        ("aab", "native", GROWING),
    ],
)
def test_messages(
    monkeypatch: pytest.MonkeyPatch,
    keys: str,
    session: Literal["native", "upsert"],
    expected: list[Change],
    workers: int,
) -> None:
    monkeypatch.setenv("PATHWAY_THREADS", str(workers))
    assert sessions(keys, session) == expected
