"""Minimum and maximum under insertions and deletions, with Pathway."""

import csv
from pathlib import Path

import pathway as pw


class Row(pw.Schema):
    k: int = pw.column_definition(primary_key=True)
    g: int
    v: int


def run(inputs: Path, output: Path) -> None:
    with open(inputs / "changes.csv", newline="") as file:
        lines = csv.reader(file)
        next(lines)
        changes = [tuple(map(int, line)) for line in lines]
    rows = pw.debug.table_from_rows(Row, changes, is_stream=True)
    groups = rows.groupby(rows.g).reduce(spread=pw.reducers.max(rows.v) - pw.reducers.min(rows.v))
    result = groups.reduce(groups=pw.reducers.count(), spread=pw.reducers.sum(groups.spread))
    pw.io.csv.write(result, output / "result.csv")
    pw.run(monitoring_level=pw.MonitoringLevel.NONE)
