"""Rows pushed one by one from Python, with Pathway."""

import csv
import time
from pathlib import Path

import pathway as pw


class Event(pw.Schema):
    word: str
    n: int


class Events(pw.io.python.ConnectorSubject):
    def __init__(self, rows: int) -> None:
        super().__init__()
        self.rows = rows

    def run(self) -> None:
        words = [f"word{i}" for i in range(1000)]
        for i in range(self.rows):
            self.next(word=words[i % 1000], n=i)


def run(inputs: Path, output: Path) -> dict[str, float]:
    rows = int((inputs / "rows.txt").read_text())
    events = pw.io.python.read(Events(rows), schema=Event, autocommit_duration_ms=100)
    totals = events.groupby(events.word).reduce(events.word, total=pw.reducers.sum(events.n))
    state: dict[str, int] = {}

    def on_change(key: pw.Pointer, row: dict, time: int, is_addition: bool) -> None:
        if is_addition:
            state[row["word"]] = row["total"]
        elif state.get(row["word"]) == row["total"]:
            del state[row["word"]]

    pw.io.subscribe(totals, on_change)
    started = time.perf_counter()
    pw.run(monitoring_level=pw.MonitoringLevel.NONE)
    seconds = time.perf_counter() - started
    with open(output / "result.csv", "w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["word", "total"])
        writer.writerows(state.items())
    return {"rows_per_second": rows / seconds}
