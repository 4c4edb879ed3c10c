"""Sliding windows: as the tumbling ones, each of twenty minutes and one every five: a reading is in four."""

from pathlib import Path

from harness.data import readings

TITLE = "sliding windows"
ROWS, QUICK_ROWS = 2_000_000, 20_000
ORDER, SCALES = 41, True
RESULT = {"sensor": "BIGINT", "start": "BIGINT", "rows": "BIGINT", "total": "BIGINT", "largest": "BIGINT"}
TARGET = {"original": ">= 15x"}


def generate(folder: Path, rows: int) -> None:
    readings(folder / "readings.csv", rows, seed=22)
