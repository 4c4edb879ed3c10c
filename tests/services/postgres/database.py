"""Tables of the server under test, through a client that is not ours."""

from __future__ import annotations

import itertools
import os
import signal
import time
from typing import Any

import psycopg

from services.runner import Running

_numbers = itertools.count(1)


class Database:
    """A new database of its own."""

    def __init__(self, server: Running) -> None:
        self.server = server
        self.name = f"db{next(_numbers)}"
        self.make()

    def make(self) -> None:
        """Makes the database."""
        with self.connect("postgres") as connection:
            connection.execute(f"CREATE DATABASE {self.name}")

    def connect(self, name: str | None = None) -> Any:
        """A connection that commits each statement, as soon as the server lets it in."""
        deadline = time.monotonic() + 30
        while True:
            try:
                return psycopg.connect(
                    host="127.0.0.1",
                    port=self.server.port,
                    user="postgres",
                    dbname=name or self.name,
                    autocommit=True,
                    options="-c datestyle=ISO -c timezone=UTC",
                )
            except psycopg.OperationalError:
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.02)

    def run(self, *statements: str) -> None:
        """Runs statements, each in a transaction of its own."""
        with self.connect() as connection:
            for statement in statements:
                connection.execute(statement)

    def rows(self, query: str) -> list[tuple[Any, ...]]:
        """The rows of a query, in order."""
        with self.connect() as connection:
            return sorted(connection.execute(query).fetchall(), key=repr)

    def settings(self, **others: Any) -> dict[str, Any]:
        """Settings to connect with."""
        own = {"host": "127.0.0.1", "port": self.server.port, "user": "postgres", "dbname": self.name}
        return {**own, **others}

    def columns(self, table: str) -> list[tuple[Any, ...]]:
        """Name, type and whether NULL is allowed, of all columns of a table."""
        with self.connect() as connection:
            return list(
                connection.execute(
                    "SELECT attname, format_type(atttypid, atttypmod), NOT attnotnull FROM pg_attribute "
                    "WHERE attrelid = %s::regclass AND attnum > 0 ORDER BY attnum",
                    [table],
                )
            )

    def clear(self) -> None:
        """Removes all that is in it, and all who are."""
        self.run(
            "SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity "
            "WHERE datname = current_database() AND pid <> pg_backend_pid()",
            "SELECT pg_drop_replication_slot(slot_name) FROM pg_replication_slots "
            "WHERE database = current_database() AND NOT temporary",
        )
        names = "SELECT format('DROP {} %I CASCADE', {}) FROM {}"
        publications = names.format("PUBLICATION", "pubname", "pg_publication")
        schemas = names.format("SCHEMA", "nspname", "pg_namespace")
        schemas += " WHERE nspname NOT LIKE 'pg\\_%' AND nspname <> 'information_schema'"
        self.run(*[statement for (statement,) in self.rows(publications) + self.rows(schemas)])
        self.run("CREATE SCHEMA public", "GRANT USAGE ON SCHEMA public TO public")

    def restart_server(self) -> None:
        """Stops the server as a crash would, and waits until it is back."""
        data = self.server.folder / "data"
        process = int((data / "postmaster.pid").read_text().split()[0])
        (self.server.folder / "again").touch()
        os.kill(process, signal.SIGQUIT)
        while (self.server.folder / "again").exists():
            time.sleep(0.02)
        self.connect().close()
