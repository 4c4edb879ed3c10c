"""A large table kept in order while rows come one by one: what does a change cost?

A thousand rows are added, each at a time of its own, once the table is there.
"""

import random
from pathlib import Path

from harness.jobs import Metric

TITLE = "sort, then 1,000 changes"
ROWS, QUICK_ROWS = 1_000_000, 10_000
ORDER = 80
RESULT = {"first": "BIGINT", "last": "BIGINT", "rows": "BIGINT"}
METRICS = [Metric("seconds", "time", "s"), Metric("change_ms", "time of a change", "ms")]
TARGET = {"original": ">= 10x"}
CHANGES = 1000


def generate(folder: Path, rows: int) -> None:
    source = random.Random(8)
    with open(folder / "rows.csv", "w", encoding="utf-8") as file:
        file.write("k,n\n")
        for k in range(rows):
            file.write(f"{k},{source.getrandbits(40)}\n")
    changes = ",".join(str(source.getrandbits(40)) for _ in range(min(CHANGES, rows)))
    (folder / "changes.txt").write_text(changes)
