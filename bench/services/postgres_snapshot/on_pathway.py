"""From a file to a table of current rows, with Pathway."""

import os
from pathlib import Path

import pathway as pw


class Order(pw.Schema):
    number: int
    customer: int
    quantity: int
    price: float
    item: str
    note: str
    created: str


def run(inputs: Path, output: Path) -> None:
    orders = pw.io.csv.read(inputs / "orders.csv", schema=Order, mode="static")
    orders = orders.with_columns(created=orders.created.dt.strptime("%Y-%m-%d %H:%M:%S.%f"))
    settings = {
        "host": "127.0.0.1",
        "port": os.environ["BENCH_PORT"],
        "user": "postgres",
        "dbname": "postgres",
    }
    key = [orders.number]
    pw.io.postgres.write(orders, settings, "orders", output_table_type="snapshot", primary_key=key)
    pw.run(monitoring_level=pw.MonitoringLevel.NONE)
