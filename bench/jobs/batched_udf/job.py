"""A function of arrays of numbers in Python: the original gives it lists, ours the columns as they are."""

import random
from pathlib import Path

TITLE = "batched Python UDF"
ROWS, QUICK_ROWS = 2_000_000, 20_000
ORDER = 55
RESULT = {"bucket": "BIGINT", "total": "BIGINT"}
TARGET = {"original": ">= 20x"}


def generate(folder: Path, rows: int) -> None:
    source = random.Random(6)
    with open(folder / "rows.csv", "w", encoding="utf-8") as file:
        file.write("a,b\n")
        for _ in range(rows):
            bits = source.getrandbits(40)
            file.write(f"{bits % 1_000_000},{bits >> 20}\n")
