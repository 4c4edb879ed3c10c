"""PageRank, five rounds of `pw.iterate` over a graph of communities; then the links of a few of them change.

400,000 links (`ROWS`) between 100,000 vertices (a quarter) in communities of 400. What changes is 1 % of the
links, all in the same communities. The result is how many vertices have each rank in the end.
"""

import random
from pathlib import Path

from harness.jobs import Metric

TITLE = "PageRank, then 1 % of the links change"
ROWS, QUICK_ROWS = 400_000, 4_000
ORDER = 50
RESULT = {"rank": "BIGINT", "vertices": "BIGINT"}
METRICS = [Metric("batch_s", "all links", "s"), Metric("step_s", "1 % of them", "s")]
TARGET = {"original": ">= 5x; 1 % of the links <= 10 % of the time for all"}

COMMUNITY = 400


def generate(folder: Path, rows: int) -> None:
    source = random.Random(7)
    communities = max(1, rows // 4 // COMMUNITY)

    def link(community: int) -> tuple[int, int]:
        first = community * COMMUNITY
        return first + source.randrange(COMMUNITY), first + source.randrange(COMMUNITY)

    links = [link(source.randrange(communities)) for _ in range(rows)]
    changing = range(max(1, communities // 100))
    chosen = [i for i, (a, _) in enumerate(links) if a // COMMUNITY in changing][: rows // 100]
    with open(folder / "links.csv", "w", encoding="utf-8") as file:
        file.write("k,a,b\n")
        file.writelines(f"{i},{a},{b}\n" for i, (a, b) in enumerate(links))
    with open(folder / "changes.csv", "w", encoding="utf-8") as file:
        file.write("k,a,b\n")
        for i in chosen:
            a, b = link(links[i][0] // COMMUNITY)
            file.write(f"{i},{a},{b}\n")
