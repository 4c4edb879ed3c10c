"""The nearest of many vectors for each of a tenth as many: a search without an approximation, or with one.

Every vector that is asked for is one of those there, so that an approximate index finds it, too, and all
results are the same.
"""

import json
import random
from pathlib import Path

TITLE = "nearest of 64 dimensions"
ROWS, QUICK_ROWS = 10_000, 500
ORDER = 85
RESULT = {"query": "BIGINT", "item": "BIGINT"}
TARGET = {"original": ">= 5x"}
DIMENSIONS = 64
#: So many items for each query.
PER_QUERY = 10


def generate(folder: Path, rows: int) -> None:
    source = random.Random(9)
    vectors = []
    with open(folder / "items.jsonl", "w", encoding="utf-8") as file:
        for item in range(rows):
            vector = [round(source.gauss(0.0, 1.0), 3) for _ in range(DIMENSIONS)]
            vectors.append(vector)
            file.write(json.dumps({"item": item, "v": vector}) + "\n")
    with open(folder / "queries.jsonl", "w", encoding="utf-8") as file:
        for query in range(rows // PER_QUERY):
            file.write(json.dumps({"query": query, "v": vectors[source.randrange(rows)]}) + "\n")
