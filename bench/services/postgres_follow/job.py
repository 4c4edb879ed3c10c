"""Rows that wait in the server's log are followed: how many a second. The original has this behind a key."""

from pathlib import Path

from harness import postgres
from harness.jobs import Metric

TITLE = "PostgreSQL, following changes"
ROWS, QUICK_ROWS = 500_000, 20_000
ORDER = 220
SERVICE = "postgres"
RESULT = {"rows": "BIGINT", "quantity": "BIGINT"}
METRICS = (Metric("rate", "rate", "rows/s", higher_is_better=True),)
WITHOUT = ("original",)


def generate(folder: Path, rows: int) -> None:
    postgres.generate(folder / "orders.csv", rows)
    (folder / "rows").write_text(str(rows))


def prepare(port: int, inputs: Path) -> None:
    with postgres.connect(port) as connection:
        connection.execute(
            "SELECT pg_drop_replication_slot(slot_name) FROM pg_replication_slots "
            "WHERE database = current_database()"
        )
        connection.execute("DROP PUBLICATION IF EXISTS orders")
    postgres.make_table(port, "orders", ", PRIMARY KEY (number)")
    with postgres.connect(port) as connection:
        connection.execute("CREATE PUBLICATION orders FOR TABLE orders")
        # One row is there before, which tells that the slot is.
        connection.execute("INSERT INTO orders VALUES (-1, 0, 0, 0, '', '', now())")
