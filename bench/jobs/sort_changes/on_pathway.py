"""A large table in order, and changes one by one, with Pathway."""

import csv
import threading
import time
from pathlib import Path

import pathway as pw


class Row(pw.Schema):
    k: int = pw.column_definition(primary_key=True)
    n: int


class Changes(pw.io.python.ConnectorSubject):
    """Each change at a time of its own, after the rows of the file have all been put in order."""

    def __init__(self, inputs: Path, first_key: int) -> None:
        super().__init__()
        self.changes = (inputs / "changes.txt").read_text().split(",")
        self.first_key = first_key
        self.loaded = threading.Event()
        self.started = 0.0

    def run(self) -> None:
        self.loaded.wait()
        self.started = time.perf_counter()
        for k, n in enumerate(self.changes, self.first_key):
            self.next(k=k, n=int(n))
            self.commit()


def run(inputs: Path, output: Path) -> dict[str, float]:
    with open(inputs / "rows.csv", "rb") as file:
        total = sum(1 for _ in file) - 1
    changes = Changes(inputs, total)
    loaded = pw.io.csv.read(inputs / "rows.csv", schema=Row, mode="static")
    changed = pw.io.python.read(changes, schema=Row, autocommit_duration_ms=100)
    pw.universes.promise_are_pairwise_disjoint(loaded, changed)
    table = loaded.concat(changed)
    order = table.sort(table.n)
    ends = order.reduce(
        first=pw.reducers.sum(pw.cast(int, order.prev.is_none())),
        last=pw.reducers.sum(pw.cast(int, order.next.is_none())),
        rows=pw.reducers.count(),
    )
    last: dict[str, int] = {}

    def on_change(key: pw.Pointer, row: dict, time: int, is_addition: bool) -> None:
        if is_addition:
            last.update(row)
            if row["rows"] >= total:
                changes.loaded.set()

    pw.io.subscribe(ends, on_change)
    pw.run(monitoring_level=pw.MonitoringLevel.NONE)
    seconds = time.perf_counter() - changes.started
    with open(output / "result.csv", "w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["first", "last", "rows"])
        writer.writerow([last["first"], last["last"], last["rows"]])
    return {"change_ms": seconds * 1000 / len(changes.changes)}
