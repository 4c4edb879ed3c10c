"""From a table to a file, with Pathway."""

import os
from pathlib import Path

import pathway as pw


class Order(pw.Schema):
    number: int = pw.column_definition(primary_key=True)
    customer: int
    quantity: int
    price: float
    item: str
    note: str
    created: pw.DateTimeNaive


def run(inputs: Path, output: Path) -> None:
    settings = {
        "host": "127.0.0.1",
        "port": os.environ["BENCH_PORT"],
        "user": "postgres",
        "dbname": "postgres",
    }
    orders = pw.io.postgres.read(settings, "orders", Order, mode="static")
    pw.io.csv.write(orders, output / "result.csv")
    pw.run(monitoring_level=pw.MonitoringLevel.NONE)
