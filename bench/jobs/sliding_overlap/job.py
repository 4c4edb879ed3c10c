"""Sliding windows of an hour, one every minute: a reading of one of 20 sensors is in sixty of them."""

from pathlib import Path

from harness.data import readings

TITLE = "sliding windows, 60 at once"
ROWS, QUICK_ROWS = 500_000, 10_000
ORDER, SCALES = 42, True
RESULT = {"sensor": "BIGINT", "start": "BIGINT", "rows": "BIGINT", "total": "BIGINT", "largest": "BIGINT"}
TARGET = {"original": ">= 15x"}


def generate(folder: Path, rows: int) -> None:
    readings(folder / "readings.csv", rows, seed=23, sensors=20)
