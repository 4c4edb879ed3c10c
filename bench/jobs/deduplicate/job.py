"""The newest reading of each sensor, as readings come: `deduplicate` with an acceptor in Python."""

import random
from pathlib import Path

TITLE = "deduplicate"
ROWS, QUICK_ROWS = 1_000_000, 20_000
ORDER = 70
RESULT = {"sensor": "BIGINT", "at": "BIGINT", "value": "BIGINT"}
TARGET = {"original": ">= 5x"}
SENSORS = 1000


def generate(folder: Path, rows: int) -> None:
    source = random.Random(7)
    # Readings may come late; their times are distinct, so that the newest is always the same.
    order = sorted(range(rows), key=lambda at: at + source.randrange(200))
    with open(folder / "readings.csv", "w", encoding="utf-8") as file:
        file.write("sensor,at,value\n")
        for at in order:
            file.write(f"{source.randrange(SENSORS)},{at},{source.getrandbits(30)}\n")
