"""From a file to a table of changes, with Pathway."""

from pathlib import Path

import pathway as pw
from harness.orders import read_file, settings


def run(inputs: Path, output: Path) -> None:
    pw.io.postgres.write(read_file(inputs), settings(), "orders")
    pw.run(monitoring_level=pw.MonitoringLevel.NONE)
