"""PageRank by iteration over links that change, with Pathway."""

import csv
import threading
import time
from collections import Counter
from pathlib import Path

import pathway as pw

ROUNDS = 5


class Link(pw.Schema):
    k: int = pw.column_definition(primary_key=True)
    a: int
    b: int


def read(path: Path) -> list[tuple[int, int, int]]:
    with open(path, newline="", encoding="utf-8") as file:
        return [(int(row["k"]), int(row["a"]), int(row["b"])) for row in csv.DictReader(file)]


class Links(pw.io.python.ConnectorSubject):
    """All links; when their ranks have come, the changes."""

    def __init__(self, inputs: Path, ranked: threading.Semaphore) -> None:
        super().__init__(session_type="upsert")
        self.parts = [read(inputs / "links.csv"), read(inputs / "changes.csv")]
        self.ranked = ranked
        self.sent: list[float] = []

    def run(self) -> None:
        for part in self.parts:
            for k, a, b in part:
                self.next(k=k, a=a, b=b)
            self.commit()
            self.sent.append(time.perf_counter())
            self.ranked.acquire()


def step(ranks: pw.Table, vertices: pw.Table, links: pw.Table) -> dict[str, pw.Table]:
    passed = vertices.select(
        part=pw.if_else(vertices.degree == 0, 0, ranks.rank * 5 // (vertices.degree * 6))
    )
    received = links.select(links.v, part=passed.ix(links.u).part)
    sums = received.groupby(id=received.v).reduce(rank=1000 + pw.reducers.sum(received.part))
    return {"ranks": vertices.select(rank=1000) << sums.promise_universe_is_subset_of(vertices)}


def run(inputs: Path, output: Path) -> dict[str, float]:
    ranked = threading.Semaphore(0)
    subject = Links(inputs, ranked)
    links = pw.io.python.read(subject, schema=Link, autocommit_duration_ms=None)
    links = links.select(u=links.pointer_from(links.a), v=links.pointer_from(links.b))
    outgoing = links.groupby(id=links.u).reduce(degree=pw.reducers.count())
    ends = links.groupby(id=links.v).reduce(degree=0 * pw.reducers.count())
    vertices = ends.update_rows(outgoing)
    start = vertices.select(rank=6000)
    ranks = pw.iterate(step, iteration_limit=ROUNDS, ranks=start, vertices=vertices, links=links).ranks
    found: dict[pw.Pointer, int] = {}
    came: list[float] = []
    changed = False

    def on_change(key: pw.Pointer, row: dict, time: int, is_addition: bool) -> None:
        nonlocal changed
        changed = True
        if is_addition:
            found[key] = row["rank"]
        elif found.get(key) == row["rank"]:
            del found[key]

    def on_time_end(_: int) -> None:
        nonlocal changed
        if changed:
            changed = False
            came.append(time.perf_counter())
            ranked.release()

    pw.io.subscribe(ranks, on_change, on_time_end=on_time_end)
    pw.run(monitoring_level=pw.MonitoringLevel.NONE)
    with open(output / "result.csv", "w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["rank", "vertices"])
        writer.writerows(Counter(found.values()).items())
    batch, part = (arrived - sent for arrived, sent in zip(came, subject.sent, strict=True))
    return {"batch_s": batch, "step_s": part}
