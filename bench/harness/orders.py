"""The orders of `postgres.py` in programs with Pathway: this project or the original."""

import os
from pathlib import Path
from typing import Any

import pathway as pw


class Columns(pw.Schema):
    number: int
    customer: int
    quantity: int
    price: float
    item: str
    note: str


class Order(Columns):
    """A row of the table."""

    number: int = pw.column_definition(primary_key=True)
    created: pw.DateTimeNaive


class Text(Columns):
    """A line of the file."""

    created: str


def settings() -> dict[str, Any]:
    """Settings to connect with."""
    return {"host": "127.0.0.1", "port": os.environ["BENCH_PORT"], "user": "postgres", "dbname": "postgres"}


def read_file(inputs: Path) -> Any:
    """The orders of the file."""
    orders = pw.io.csv.read(inputs / "orders.csv", schema=Text, mode="static")
    return orders.with_columns(created=orders.created.dt.strptime("%Y-%m-%d %H:%M:%S.%f"))
