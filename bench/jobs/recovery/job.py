"""A join whose state is all of its input: from a checkpoint, against computing it from the files again.

After the first run one order comes, so that there is a result to wait for.
"""

import random
from pathlib import Path

from harness.jobs import Metric

TITLE = "join of 10 M rows of state"
ROWS, QUICK_ROWS = 10_000_000, 100_000
ORDER = 130
RESULT = {"region": "BIGINT", "n": "BIGINT", "total": "BIGINT"}
METRICS = (
    Metric("recompute_s", "computed from the files", "s"),
    Metric("recover_s", "recovered from a checkpoint", "s"),
    Metric("share", "share of the time", "", higher_is_better=False),
)
#: Its runs of ours are compared with each other: operators of the original have no state that it keeps.
WITHOUT = ("original",)
REGIONS = 50


def generate(folder: Path, rows: int) -> None:
    """A fifth of the rows are customers, the others are their orders."""
    source, customers = random.Random(3), rows // 5
    with open(folder / "customers.csv", "w", encoding="utf-8") as file:
        file.write("customer,region\n")
        file.writelines(f"{n},{source.randrange(REGIONS)}\n" for n in range(customers))
    with open(folder / "orders.csv", "w", encoding="utf-8") as file:
        file.write("customer,amount\n")
        bits = (source.getrandbits(60) for _ in range(rows - customers))
        file.writelines(f"{b % customers},{b >> 50}\n" for b in bits)
