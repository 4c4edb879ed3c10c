"""Rows pushed one by one from Python: `ConnectorSubject.next` -> group by -> `subscribe`."""

from pathlib import Path

from harness.jobs import Metric

TITLE = "Python connector -> groupby -> subscribe"
ROWS, QUICK_ROWS = 500_000, 20_000
ORDER = 40
RESULT = {"word": "VARCHAR", "total": "BIGINT"}
METRICS = [Metric("rows_per_second", "throughput", "rows/s", higher_is_better=True)]
TARGET = {"original": ">= 10x"}


def generate(folder: Path, rows: int) -> None:
    (folder / "rows.txt").write_text(str(rows))
