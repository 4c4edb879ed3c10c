"""Joining orders with customers, then aggregating: two hash tables, one of them large.

Two million orders (`ROWS`) of 200,000 customers (a tenth), who live in 500 cities and belong to 4 segments.
"""

import random
from pathlib import Path

from harness.data import vocabulary

TITLE = "join 10:1, then group by"
ROWS, QUICK_ROWS = 2_000_000, 20_000
ORDER, SCALES = 30, True
RESULT = {
    "city": "VARCHAR",
    "segment": "VARCHAR",
    "orders": "BIGINT",
    "total": "BIGINT",
    "largest": "BIGINT",
}
TARGET = {"original": ">= 12x", "duckdb": "<= 3x"}

SEGMENTS = ["home", "office", "retail", "public"]


def generate(folder: Path, rows: int) -> None:
    source = random.Random(3)
    cities = vocabulary(500)
    customers = rows // 10
    with open(folder / "customers.csv", "w", encoding="utf-8") as file:
        file.write("customer,name,city,segment\n")
        for customer in range(customers):
            bits = source.getrandbits(32)
            file.write(
                f"{customer},customer no {bits % 99_991},{cities[bits % 500]},{SEGMENTS[(bits >> 20) % 4]}\n"
            )
    with open(folder / "orders.csv", "w", encoding="utf-8") as file:
        file.write("order_id,buyer,item,amount\n")
        for order in range(rows):
            bits = source.getrandbits(64)
            file.write(f"{order},{bits % customers},item{(bits >> 24) % 5000},{(bits >> 40) % 100_000}\n")
