"""From a table to a file, with Pathway."""

from pathlib import Path

import pathway as pw
from harness.orders import Order, settings


def run(inputs: Path, output: Path) -> None:
    orders = pw.io.postgres.read(settings(), "orders", Order, mode="static")
    pw.io.csv.write(orders, output / "result.csv")
    pw.run(monitoring_level=pw.MonitoringLevel.NONE)
