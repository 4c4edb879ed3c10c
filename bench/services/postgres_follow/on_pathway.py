"""A run makes a slot and ends; then orders come, a thousand in a transaction; then a run follows them."""

import contextlib
import os
import signal
import tempfile
from pathlib import Path
from time import perf_counter
from typing import Any

import pathway as pw
from harness.orders import Order, read_file, settings


def load(inputs: Path) -> None:
    """Fills the table, a thousand rows in a transaction."""
    orders = read_file(inputs)
    kind: Any = {"output_table_type": "snapshot", "primary_key": [orders.number], "max_batch_size": 1000}
    pw.io.postgres.write(orders, settings(), "orders", **kind)
    pw.run(monitoring_level=pw.MonitoringLevel.NONE)
    pw.internals.parse_graph.G.clear()


def follow(state: str, rows: int) -> tuple[float, int]:
    """Follows the table up to so many rows; the seconds that it takes, and the sum of quantities."""
    orders = pw.io.postgres.read(settings(), "orders", Order, publication_name="orders", name="orders")
    total = orders.reduce(n=pw.reducers.count(), quantity=pw.reducers.sum(orders.quantity))
    reached: list[tuple[float, int]] = []

    def on_change(key: Any, row: dict[str, Any], time: int, is_addition: bool) -> None:
        if is_addition and row["n"] == rows and not reached:
            reached.append((perf_counter(), row["quantity"]))
            os.kill(os.getpid(), signal.SIGTERM)

    pw.io.subscribe(total, on_change)
    started = perf_counter()
    backend = pw.persistence.Backend.filesystem(state)
    with contextlib.suppress(SystemExit):
        pw.run(
            monitoring_level=pw.MonitoringLevel.NONE,
            persistence_config=pw.persistence.Config(backend, snapshot_interval_ms=1000),
        )
    pw.internals.parse_graph.G.clear()
    return reached[0][0] - started, reached[0][1]


def run(inputs: Path, output: Path) -> dict[str, float]:
    rows = int((inputs / "rows").read_text())
    with tempfile.TemporaryDirectory() as state:
        follow(state, 1)
        load(inputs)
        seconds, quantity = follow(state, rows + 1)
    (output / "result.csv").write_text(f"rows,quantity\n{rows},{quantity}\n")
    return {"rate": rows / seconds}
