"""Are the results of the feed, added up, those of the finished files? Exits with 1 if not."""

import csv
import json
import sys
from collections import Counter
from pathlib import Path

from pipeline import OUT

FILES = (
    "by_carrier.csv",
    "by_route.csv",
    "by_day.jsonl",
    "worst.jsonl",
    "hourly.jsonl",
    "busiest.jsonl",
    "by_visibility.jsonl",
    "by_duty.jsonl",
    "hubs.jsonl",
)

Rows = Counter[tuple[tuple[str, str], ...]]


def final_rows(path: Path) -> tuple[Rows, int]:
    """What is left when all changes of a file are added up, and how many changes there were."""
    rows: Rows = Counter()
    changes = 0
    with open(path, newline="", encoding="utf-8") as file:
        records = (json.loads(line) for line in file) if path.suffix == ".jsonl" else csv.DictReader(file)
        for record in records:
            diff = int(record.pop("diff"))
            del record["time"]
            rows[tuple((name, str(value)) for name, value in record.items())] += diff
            changes += 1
    return Counter({row: count for row, count in rows.items() if count}), changes


def main() -> int:
    wrong = 0
    for name in FILES:
        (static, _), (live, changes) = final_rows(OUT / "static" / name), final_rows(OUT / "live" / name)
        if static == live and static:
            print(f"verify: {name:20} {len(static):4} rows, equal after {changes:,} changes")
            continue
        wrong += 1
        print(f"verify: {name:20} DIFFERENT")
        for label, rows in (("only static", static - live), ("only live", live - static)):
            for row in list(rows.elements())[:5]:
                print(f"    {label}: {dict(row)}")
    print("verify: the live results equal the static ones" if not wrong else "verify: FAILED")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
