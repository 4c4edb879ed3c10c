"""Results of calls in a SQLite file.

What cannot be read costs a call and never the run: a file that SQLite finds broken is put aside, a value that
cannot be made from its bytes is computed anew. The log says which.
"""

from __future__ import annotations

import logging
import os
import pickle
import sqlite3
import threading
import weakref
from collections.abc import Callable
from typing import Any, TypeVar

_LOGGER = logging.getLogger("pathway_engine.udf_cache")

_T = TypeVar("_T")


class DiskStore:
    """Keys to pickled values, bounded in bytes; the oldest go first."""

    def __init__(self, directory: str, size_limit: int) -> None:
        os.makedirs(directory, exist_ok=True)
        self._path = os.path.join(directory, "calls.sqlite")
        self._size_limit = size_limit
        self._lock = threading.Lock()
        #: Bytes of all values, as far as this store knows: others may use the file too.
        self._total = 0.0
        self._connection: sqlite3.Connection | None = None
        with self._lock:
            self._attempt(lambda connection: None)

    def get(self, key: str) -> tuple[bool, Any]:
        """Whether there is a value, and the value."""
        with self._lock:
            row = self._attempt(
                lambda connection: connection.execute(
                    "SELECT value FROM calls WHERE key = ?", (key,)
                ).fetchone()
            )
        if row is None:
            return False, None
        try:
            return True, pickle.loads(row[0])
        except Exception as error:  # bytes of another program may raise anything
            _LOGGER.warning(
                "%s: a result cannot be read (%s: %s); it is computed anew",
                self._path,
                type(error).__name__,
                error,
            )
            return False, None

    def put(self, key: str, value: Any) -> None:
        """Keeps a value, and drops the oldest ones beyond the limit."""
        data = pickle.dumps(value, protocol=4)
        with self._lock:
            self._attempt(lambda connection: self._insert(connection, key, data))

    def _insert(self, connection: sqlite3.Connection, key: str, data: bytes) -> None:
        connection.execute(
            "INSERT OR REPLACE INTO calls (key, value, size) VALUES (?, ?, ?)", (key, data, len(data))
        )
        self._total += len(data)
        if self._total <= self._size_limit:
            return
        self._total = _bytes_in(connection)
        while self._total > self._size_limit:
            oldest = connection.execute("SELECT rowid, size FROM calls ORDER BY rowid LIMIT 1").fetchone()
            if oldest is None:
                break
            connection.execute("DELETE FROM calls WHERE rowid = ?", (oldest[0],))
            self._total -= oldest[1]

    def _attempt(self, action: Callable[[sqlite3.Connection], _T]) -> _T:
        """Does something with the file; with a new one if it turns out to be broken."""
        try:
            return action(self._opened())
        except sqlite3.DatabaseError as error:
            # The classes below this one are about the request; this one is about the file.
            if type(error) is not sqlite3.DatabaseError:
                raise
            self._put_aside(error)
            return action(self._opened())

    def _opened(self) -> sqlite3.Connection:
        if self._connection is None:
            connection = sqlite3.connect(self._path, check_same_thread=False, isolation_level=None)
            try:
                connection.execute("PRAGMA busy_timeout = 10000")
                connection.execute("PRAGMA journal_mode = WAL")
                connection.execute(
                    "CREATE TABLE IF NOT EXISTS calls "
                    "(key TEXT PRIMARY KEY, value BLOB NOT NULL, size INTEGER NOT NULL)"
                )
                self._total = _bytes_in(connection)
            except BaseException:
                connection.close()
                raise
            weakref.finalize(self, connection.close)
            self._connection = connection
        return self._connection

    def _put_aside(self, error: sqlite3.DatabaseError) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None
        broken = self._path + ".broken"
        for suffix in ("-wal", "-shm"):
            if os.path.exists(self._path + suffix):
                os.remove(self._path + suffix)
        os.replace(self._path, broken)
        _LOGGER.warning(
            "%s is no usable cache (%s): it is kept as %s, and results are computed anew",
            self._path,
            error,
            broken,
        )


def _bytes_in(connection: sqlite3.Connection) -> float:
    (total,) = connection.execute("SELECT TOTAL(size) FROM calls").fetchone()
    return float(total)
