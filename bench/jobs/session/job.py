"""Session windows: readings of a sensor that are less than twenty seconds apart, 283,000 sessions."""

from pathlib import Path

from harness.data import readings

TITLE = "session windows"
ROWS, QUICK_ROWS = 2_000_000, 20_000
ORDER, SCALES = 43, True
RESULT = {"sensor": "BIGINT", "start": "BIGINT", "rows": "BIGINT", "total": "BIGINT", "largest": "BIGINT"}
TARGET = {"original": ">= 15x"}


def generate(folder: Path, rows: int) -> None:
    readings(folder / "readings.csv", rows, seed=24)
