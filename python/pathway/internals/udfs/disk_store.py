"""Results of calls in a SQLite file."""

from __future__ import annotations

import os
import pickle
import threading
import weakref
from typing import Any


class DiskStore:
    """Keys to pickled values, bounded in bytes; the oldest go first."""

    def __init__(self, directory: str, size_limit: int) -> None:
        import sqlite3

        os.makedirs(directory, exist_ok=True)
        self._size_limit = size_limit
        self._lock = threading.Lock()
        self._connection = sqlite3.connect(
            os.path.join(directory, "calls.sqlite"), check_same_thread=False, isolation_level=None
        )
        weakref.finalize(self, self._connection.close)
        self._connection.execute("PRAGMA journal_mode = WAL")
        self._connection.execute("PRAGMA busy_timeout = 10000")
        self._connection.execute(
            "CREATE TABLE IF NOT EXISTS calls "
            "(key TEXT PRIMARY KEY, value BLOB NOT NULL, size INTEGER NOT NULL)"
        )

    def get(self, key: str) -> tuple[bool, Any]:
        """Whether there is a value, and the value."""
        with self._lock:
            row = self._connection.execute("SELECT value FROM calls WHERE key = ?", (key,)).fetchone()
        return (False, None) if row is None else (True, pickle.loads(row[0]))

    def put(self, key: str, value: Any) -> None:
        """Keeps a value, and drops the oldest ones beyond the limit."""
        data = pickle.dumps(value, protocol=4)
        with self._lock:
            self._connection.execute(
                "INSERT OR REPLACE INTO calls (key, value, size) VALUES (?, ?, ?)", (key, data, len(data))
            )
            (total,) = self._connection.execute("SELECT TOTAL(size) FROM calls").fetchone()
            while total > self._size_limit:
                oldest = self._connection.execute(
                    "SELECT rowid, size FROM calls ORDER BY rowid LIMIT 1"
                ).fetchone()
                if oldest is None:
                    break
                self._connection.execute("DELETE FROM calls WHERE rowid = ?", (oldest[0],))
                total -= oldest[1]
