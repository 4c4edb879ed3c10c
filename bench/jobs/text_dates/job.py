"""Expressions over text and dates: parsing, parts, formatting, searching, replacing; then a group by."""

import random
from pathlib import Path

TITLE = "text and date expressions"
ROWS, QUICK_ROWS = 2_000_000, 20_000
ORDER, SCALES = 25, True
RESULT = {"month": "VARCHAR", "kind": "VARCHAR", "n": "BIGINT", "letters": "BIGINT", "hours": "BIGINT"}
TARGET = {"original": ">= 10x"}

KINDS = ["Error", "warning", "INFO", "Debug"]
HOSTS = ["db-1.example.org", "web-07.example.org", "cache.example.net"]


def generate(folder: Path, rows: int) -> None:
    source = random.Random(8)
    with open(folder / "log.csv", "w", encoding="utf-8") as file:
        file.write("at,message\n")
        for _ in range(rows):
            bits = source.getrandbits(64)
            day, second = 1 + bits % 28, (bits >> 8) % 86_400
            time = f"{second // 3600:02d}:{second // 60 % 60:02d}:{second % 60:02d}"
            kind, host = KINDS[(bits >> 40) % 4], HOSTS[(bits >> 60) % 3]
            text = f"  {kind}: request {(bits >> 44) % 99_991} on {host} "
            file.write(f"2024-{1 + (bits >> 32) % 12:02d}-{day:02d} {time},{text}\n")
