"""A Python function called for each row: how cheap is the way into Python and back?"""

import random
from pathlib import Path

TITLE = "per-row Python UDF"
ROWS, QUICK_ROWS = 2_000_000, 20_000
ORDER = 50
RESULT = {"bucket": "BIGINT", "total": "BIGINT"}
TARGET = {"original": ">= 3x"}


def generate(folder: Path, rows: int) -> None:
    source = random.Random(5)
    with open(folder / "rows.csv", "w", encoding="utf-8") as file:
        file.write("a,s\n")
        for _ in range(rows):
            bits = source.getrandbits(40)
            file.write(f"{bits % 1_000_000},{'x' * ((bits >> 20) % 12)}{bits >> 30}\n")
