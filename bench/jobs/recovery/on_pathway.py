"""Runs of one program, each a process: from files alone, with checkpoints, and from a checkpoint."""

import csv
import json
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path
from time import perf_counter

import pathway as pw


class Customer(pw.Schema):
    customer: int
    region: int


class Order(pw.Schema):
    customer: int
    amount: int


def follow(inputs: Path, rows: int, state: str, report: Path) -> None:
    """Joins the files until so many orders have met their customer."""
    customers = pw.io.csv.read(inputs / "customers", schema=Customer)
    orders = pw.io.csv.read(inputs / "orders", schema=Order)
    joined = orders.join(customers, orders.customer == customers.customer)
    regions = joined.select(customers.region, orders.amount).groupby(pw.this.region)
    regions = regions.reduce(pw.this.region, n=pw.reducers.count(), total=pw.reducers.sum(pw.this.amount))
    all_orders = regions.reduce(n=pw.reducers.sum(regions.n))
    reached: list[float] = []

    def on_change(key: pw.Pointer, row: dict, time: int, is_addition: bool) -> None:
        if is_addition and row["n"] == rows:
            reached.append(perf_counter())
            os.kill(os.getpid(), signal.SIGTERM)

    pw.io.subscribe(all_orders, on_change)
    pw.io.jsonlines.write(regions, report.with_suffix(".changes" if state else ".others"))
    config = None
    if state:
        backend = pw.persistence.Backend.filesystem(state)
        config = pw.persistence.Config(backend, snapshot_interval_ms=1000)
    began = perf_counter()
    try:
        pw.run(monitoring_level=pw.MonitoringLevel.NONE, persistence_config=config)
    except SystemExit:
        report.write_text(json.dumps(reached[0] - began))


def seconds(inputs: Path, rows: int, state: str, report: Path) -> float:
    """The time of such a run, in a process of its own."""
    arguments = [str(inputs), str(rows), state, str(report)]
    subprocess.run([sys.executable, __file__, *arguments], check=True)
    return float(json.loads(report.read_text()))


def run(inputs: Path, output: Path) -> dict[str, float]:
    files = output / "in"
    for name in ("customers", "orders"):
        (files / name).mkdir(parents=True)
        os.link(inputs / f"{name}.csv", files / name / "all.csv")
    with open(inputs / "orders.csv", "rb") as file:
        rows = sum(1 for _ in file) - 1
    state, report = str(output / "state"), output / "report"
    seconds(files, rows, state, report)
    (files / "orders" / "one.csv").write_text("customer,amount\n0,1\n")
    recover = seconds(files, rows + 1, state, report)
    recompute = seconds(files, rows + 1, "", report)
    balance: dict[tuple[int, int, int], int] = {}
    with open(report.with_suffix(".changes"), encoding="utf-8") as changes:
        for change in map(json.loads, changes):
            row = (change["region"], change["n"], change["total"])
            balance[row] = balance.get(row, 0) + change["diff"]
    with open(output / "result.csv", "w", newline="", encoding="utf-8") as file_:
        out = csv.writer(file_)
        out.writerow(["region", "n", "total"])
        out.writerows(row for row, diff in balance.items() if diff)
    shutil.rmtree(state)
    return {"recompute_s": recompute, "recover_s": recover, "share": recover / recompute}


if __name__ == "__main__":
    follow(Path(sys.argv[1]), int(sys.argv[2]), sys.argv[3], Path(sys.argv[4]))
