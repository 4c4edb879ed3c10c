"""Minimum and maximum of groups whose rows come and go: what a deletion costs.

A fifth of the changes load the rows; then each time deletes some of them and inserts as many others.
Deletions hit extremes as often as other rows, so that the next ones have to be found.
"""

import random
from pathlib import Path

TITLE = "group by with min, max: insertions and deletions"
ROWS, QUICK_ROWS = 1_000_000, 20_000
ORDER = 35
RESULT = {"groups": "BIGINT", "spread": "BIGINT"}
TARGET = {"original": ">= 5x"}

TIMES, GROUPS = 400, 500


def generate(folder: Path, rows: int) -> None:
    source = random.Random(7)
    live: list[tuple[int, int, int]] = []
    loaded = rows // 5
    a_time = max(2, (rows - loaded) // TIMES)
    with open(folder / "changes.csv", "w", encoding="utf-8") as file:
        file.write("k,g,v,time,diff\n")

        def write(row: tuple[int, int, int], time: int, diff: int) -> None:
            file.write(f"{row[0]},{row[1]},{row[2]},{time},{diff}\n")

        for k in range(loaded + (rows - loaded) // 2):
            time = 2 if k < loaded else 4 + 2 * ((k - loaded) * 2 // a_time)
            row = (k, source.randrange(GROUPS), source.randrange(1_000_000))
            if time > 2:
                place = source.randrange(len(live))
                write(live[place], time, -1)
                live[place] = row
            else:
                live.append(row)
            write(row, time, 1)
