"""From a file to a table of current rows, with Pathway."""

from pathlib import Path

import pathway as pw
from harness.orders import read_file, settings


def run(inputs: Path, output: Path) -> None:
    orders = read_file(inputs)
    key = [orders.number]
    pw.io.postgres.write(orders, settings(), "orders", output_table_type="snapshot", primary_key=key)
    pw.run(monitoring_level=pw.MonitoringLevel.NONE)
