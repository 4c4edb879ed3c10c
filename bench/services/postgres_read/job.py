"""A table is read as it is, and written to a CSV file. The original has this behind a licence key."""

from pathlib import Path

from harness import postgres

TITLE = "PostgreSQL -> CSV"
ROWS, QUICK_ROWS = 1_000_000, 20_000
ORDER = 200
SERVICE = "postgres"
RESULT = postgres.RESULT
WITHOUT = ("original",)


def generate(folder: Path, rows: int) -> None:
    postgres.generate(folder / "orders.csv", rows)


def prepare(port: int, inputs: Path) -> None:
    postgres.make_table(port, "orders", ", PRIMARY KEY (number)")
    postgres.load(port, "orders", inputs / "orders.csv")
