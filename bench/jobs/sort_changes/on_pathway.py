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
    """The rows of the file at one time, then each change at another."""

    def __init__(self, inputs: Path) -> None:
        super().__init__()
        self.inputs = inputs
        self.loaded = threading.Event()
        self.started = 0.0
        self.count = 0

    def run(self) -> None:
        rows = 0
        with open(self.inputs / "rows.csv", newline="") as file:
            for row in csv.DictReader(file):
                self.next(k=int(row["k"]), n=int(row["n"]))
                rows += 1
        self.commit()
        self.loaded.wait()
        self.started = time.perf_counter()
        changes = (self.inputs / "changes.txt").read_text().split(",")
        self.count = len(changes)
        for i, n in enumerate(changes):
            self.next(k=rows + i, n=int(n))
            self.commit()


def run(inputs: Path, output: Path) -> dict[str, float]:
    changes = Changes(inputs)
    table = pw.io.python.read(changes, schema=Row, autocommit_duration_ms=600_000)
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
            changes.loaded.set()

    pw.io.subscribe(ends, on_change)
    pw.run(monitoring_level=pw.MonitoringLevel.NONE)
    seconds = time.perf_counter() - changes.started
    with open(output / "result.csv", "w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["first", "last", "rows"])
        writer.writerow([last["first"], last["last"], last["rows"]])
    return {"change_ms": seconds * 1000 / changes.count}
