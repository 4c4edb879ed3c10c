"""From the moment a row is sent until its group's new value arrives: 10,000 rows/s, a commit each 10 ms."""

from pathlib import Path

from harness.jobs import Metric

TITLE = "end-to-end latency at 10 k rows/s, commit each 10 ms"
ROWS, QUICK_ROWS = 100_000, 10_000
ORDER = 60
RESULT = {"slot": "BIGINT", "rows": "BIGINT"}
METRICS = [Metric("p50_ms", "p50", "ms"), Metric("p99_ms", "p99", "ms")]
TARGET = {"original": ">= 2x"}


def generate(folder: Path, rows: int) -> None:
    (folder / "rows.txt").write_text(str(rows))
