"""What the program has written, and whether each change is there once."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable

from services.crash.world import Total
from services.kafka.client import read_topic
from services.postgres.database import Database

#: A row, the time of the change, and whether it comes or goes.
Change = tuple[Total, int, int]


def in_topic(server: str, topic: str) -> list[Change]:
    """The changes in the messages of a topic that are committed, in order."""
    found: list[Change] = []
    for message in read_topic(server, topic):
        change = json.loads(message.value or b"")
        row = (change["category"], change["start"], change["count"], change["total"])
        found.append((row, change["time"], change["diff"]))
    return found


def in_table(db: Database) -> list[Change]:
    """The changes in the table of changes."""
    if not _is_there(db, "changes"):
        return []
    rows = db.rows('SELECT category, start, count, total, "time", diff FROM changes')
    return [
        ((category, start, count, total), time, diff) for category, start, count, total, time, diff in rows
    ]


def current(db: Database) -> list[Total]:
    """The table of current rows."""
    if not _is_there(db, "totals"):
        return []
    return sorted(db.rows("SELECT category, start, count, total FROM totals"))


def count(db: Database) -> int:
    """How many changes are in the table of changes."""
    return int(db.rows("SELECT count(*) FROM changes")[0][0]) if _is_there(db, "changes") else 0


def rows_left(changes: Iterable[Change]) -> list[Total]:
    """The rows that are there after all changes, in order.

    A change that is missing or there twice is found: each window has one row at a time, which goes before
    another one comes.
    """
    changes = sorted(changes, key=lambda change: (change[1], change[2]))
    there: dict[tuple[str, int], Total] = {}
    seen: set[Change] = set()
    for change in changes:
        row, time, diff = change
        assert change not in seen, f"{change} is there twice"
        seen.add(change)
        window = row[:2]
        if diff == 1:
            assert window not in there, f"at {time} {row} comes, and {there[window]} is there"
            there[window] = row
        else:
            assert there.get(window) == row, f"at {time} {row} goes, and {there.get(window)} is there"
            del there[window]
    return sorted(there.values())


def differences(one: Iterable[Change], other: Iterable[Change]) -> str:
    """What is more often in one of them than in the other."""
    here, there = Counter(one), Counter(other)
    first, second = list((here - there).items())[:5], list((there - here).items())[:5]
    return f"only in the first: {first}, only in the second: {second}"


def _is_there(db: Database, table: str) -> bool:
    return db.rows(f"SELECT to_regclass('{table}') IS NOT NULL") == [(True,)]
