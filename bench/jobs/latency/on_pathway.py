"""End-to-end latency of a group-by under a steady stream, with Pathway."""

import csv
import time
from pathlib import Path

import pathway as pw

BATCH, PERIOD_S, WARM_UP_S = 100, 0.010, 1.0


class Tick(pw.Schema):
    slot: int
    sent: int


class Ticks(pw.io.python.ConnectorSubject):
    def __init__(self, rows: int) -> None:
        super().__init__()
        self.rows = rows

    def run(self) -> None:
        started = time.perf_counter()
        for batch in range(self.rows // BATCH):
            pause = started + batch * PERIOD_S - time.perf_counter()
            if pause > 0:
                time.sleep(pause)
            for i in range(BATCH):
                self.next(slot=i, sent=time.perf_counter_ns())
            self.commit()


def run(inputs: Path, output: Path) -> dict[str, float]:
    rows = int((inputs / "rows.txt").read_text())
    ticks = pw.io.python.read(Ticks(rows), schema=Tick, autocommit_duration_ms=60_000)
    newest = ticks.groupby(ticks.slot).reduce(
        ticks.slot, rows=pw.reducers.count(), sent=pw.reducers.max(ticks.sent)
    )
    arrivals: list[tuple[int, int]] = []
    counts: dict[int, int] = {}

    def on_change(key: pw.Pointer, row: dict, time: int, is_addition: bool) -> None:
        if is_addition:
            arrivals.append((row["sent"], now()))
            counts[row["slot"]] = row["rows"]

    now = time.perf_counter_ns
    pw.io.subscribe(newest, on_change)
    pw.run(monitoring_level=pw.MonitoringLevel.NONE)
    warm = arrivals[0][0] + int(WARM_UP_S * 1e9) if rows >= 50_000 else 0
    delays = sorted((seen - sent) / 1e6 for sent, seen in arrivals if sent >= warm)
    with open(output / "result.csv", "w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["slot", "rows"])
        writer.writerows(counts.items())
    return {"p50_ms": delays[len(delays) // 2], "p99_ms": delays[len(delays) * 99 // 100]}
