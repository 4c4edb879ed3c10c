"""A table of orders in PostgreSQL, for the jobs that read and write one."""

from __future__ import annotations

import csv
import random
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from .data import vocabulary

#: The columns of an order, with their types in PostgreSQL.
COLUMNS = {
    "number": "bigint",
    "customer": "bigint",
    "quantity": "bigint",
    "price": "double precision",
    "item": "text",
    "note": "text",
    "created": "timestamp",
}
#: The same, for the comparison of results.
RESULT = {
    "number": "BIGINT",
    "customer": "BIGINT",
    "quantity": "BIGINT",
    "price": "DOUBLE",
    "item": "VARCHAR",
    "note": "VARCHAR",
}


def generate(path: Path, rows: int) -> None:
    """A CSV file of orders: numbers, prices, a short and a longer text, a moment."""
    source, words = random.Random(11), vocabulary(5000)
    with open(path, "w", newline="", encoding="utf-8") as file:
        out = csv.writer(file, lineterminator="\n")
        out.writerow(COLUMNS)
        for number in range(rows):
            bits = source.getrandbits(60)
            second = number // 7
            out.writerow((
                number,
                bits % 100_000,
                1 + (bits >> 20) % 20,
                ((bits >> 8) % 1_000_000) / 100,
                words[(bits >> 30) % 5000],
                f"{words[(bits >> 12) % 5000]} {words[(bits >> 24) % 5000]} {words[(bits >> 42) % 5000]}",
                f"2025-{1 + second // 2_419_200 % 12:02}-{1 + second // 86400 % 28:02} "
                f"{second // 3600 % 24:02}:{second // 60 % 60:02}:{second % 60:02}.{number % 1_000_000:06}",
            ))  # fmt: skip


@contextmanager
def connect(port: int) -> Iterator[Any]:
    """A connection of a client that is not ours; each statement is committed."""
    import psycopg

    with psycopg.connect(f"host=127.0.0.1 port={port} user=postgres", autocommit=True) as connection:
        yield connection


def make_table(port: int, table: str, extra: str = "") -> None:
    """Makes a table of orders anew, without rows."""
    columns = ", ".join(f"{name} {kind} NOT NULL" for name, kind in COLUMNS.items())
    with connect(port) as connection:
        connection.execute(f"DROP TABLE IF EXISTS {table}")
        connection.execute(f"CREATE TABLE {table} ({columns}{extra})")


def load(port: int, table: str, path: Path) -> None:
    """Fills a table with the orders of a file."""
    with connect(port) as connection:
        with (
            open(path, "rb") as file,
            connection.cursor().copy(f"COPY {table} FROM STDIN (FORMAT csv, HEADER)") as copy,
        ):
            while data := file.read(1 << 20):
                copy.write(data)
        connection.execute(f"ANALYZE {table}")
        connection.execute("CHECKPOINT")


def save(port: int, query: str, path: Path) -> None:
    """Writes the rows of a query to a CSV file."""
    with (
        connect(port) as connection,
        open(path, "wb") as file,
        connection.cursor().copy(f"COPY ({query}) TO STDOUT (FORMAT csv, HEADER)") as copy,
    ):
        for data in copy:
            file.write(data)
