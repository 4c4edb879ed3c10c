"""Tumbling windows: of each sensor and each ten minutes how many readings, their sum and the largest.

100 sensors with ten readings a second in all, an eighth of them late: 33,400 windows of 60 readings.
"""

from pathlib import Path

from harness.data import readings

TITLE = "tumbling windows"
ROWS, QUICK_ROWS = 2_000_000, 20_000
ORDER, SCALES = 40, True
RESULT = {"sensor": "BIGINT", "start": "BIGINT", "rows": "BIGINT", "total": "BIGINT", "largest": "BIGINT"}
TARGET = {"original": ">= 25x", "duckdb": "<= 2x"}


def generate(folder: Path, rows: int) -> None:
    readings(folder / "readings.csv", rows, seed=21)
