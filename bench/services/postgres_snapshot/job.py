"""A table holds the rows of a CSV file, by their key."""

from pathlib import Path

from harness import postgres

TITLE = "CSV -> PostgreSQL, snapshot"
ROWS, QUICK_ROWS = 1_000_000, 20_000
ORDER = 211
SERVICE = "postgres"
RESULT = postgres.RESULT
TARGET = {"original": ">= 2x"}


def generate(folder: Path, rows: int) -> None:
    postgres.generate(folder / "orders.csv", rows)


def prepare(port: int, inputs: Path) -> None:
    postgres.make_table(port, "orders", ", PRIMARY KEY (number)")
    with postgres.connect(port) as connection:
        connection.execute("CHECKPOINT")


def collect(port: int, output: Path) -> None:
    postgres.save(port, f"SELECT {', '.join(RESULT)} FROM orders", output / "result.csv")
