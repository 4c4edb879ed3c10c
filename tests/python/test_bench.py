"""The benchmark jobs compute what they claim: each on a small input, against plain Python."""

from __future__ import annotations

import csv
import itertools
import json
import math
from collections import Counter, defaultdict
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from harness import compare, jobs, report
from harness.measure import Sample
from pathway.internals.parse_graph import G

JOBS = {job.name: job for job in jobs.all_jobs()}
Rows = Counter[tuple[str, ...]]


def read(path: Path) -> list[dict[str, str]]:
    with open(path, newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def word_count(inputs: Path) -> Rows:
    words = Counter(json.loads(line)["word"] for line in (inputs / "words.jsonl").read_text().splitlines())
    return Counter((word, str(count)) for word, count in words.items())


def csv_etl(inputs: Path) -> Rows:
    rows: Rows = Counter()
    for order in read(inputs / "orders.csv"):
        if order["paid"] == "true" and int(order["quantity"]) > 5:
            total = int(order["quantity"]) * float(order["price"]) * (1.0 - float(order["discount"]))
            kept = (order["order_id"], order["user"], order["country"], order["quantity"])
            rows[(*kept, repr(total), str(total > 1000.0))] += 1
    return rows


def join_group(inputs: Path) -> Rows:
    customers = {row["customer"]: row for row in read(inputs / "customers.csv")}
    groups: defaultdict[tuple[str, str], list[int]] = defaultdict(list)
    for order in read(inputs / "orders.csv"):
        customer = customers[order["buyer"]]
        groups[customer["city"], customer["segment"]].append(int(order["amount"]))
    return Counter((*key, str(len(v)), str(sum(v)), str(max(v))) for key, v in groups.items())


def pagerank(inputs: Path) -> Rows:
    links = {row["k"]: (row["a"], row["b"]) for row in read(inputs / "links.csv")}
    links |= {row["k"]: (row["a"], row["b"]) for row in read(inputs / "changes.csv")}
    degree = Counter(a for a, _ in links.values())
    ranks = dict.fromkeys([end for link in links.values() for end in link], 6000)
    for _ in range(5):
        new = dict.fromkeys(ranks, 1000)
        for a, b in links.values():
            new[b] += ranks[a] * 5 // (degree[a] * 6)
        ranks = new
    return Counter((str(rank), str(count)) for rank, count in Counter(ranks.values()).items())


def python_connector(inputs: Path) -> Rows:
    totals: Counter[str] = Counter()
    for i in range(int((inputs / "rows.txt").read_text())):
        totals[f"word{i % 1000}"] += i
    return Counter((word, str(total)) for word, total in totals.items())


def python_udf(inputs: Path) -> Rows:
    totals: Counter[int] = Counter()
    for row in read(inputs / "rows.csv"):
        totals[int(row["a"]) % 10] += int(row["a"]) * 31 + len(row["s"])
    return Counter((str(bucket), str(total)) for bucket, total in totals.items())


def batched_udf(inputs: Path) -> Rows:
    totals: Counter[int] = Counter()
    for row in read(inputs / "rows.csv"):
        a, b = int(row["a"]), int(row["b"])
        totals[a % 10] += (a * 31 + b * 17) % 1009 + abs(a - b) // 3
    return Counter((str(bucket), str(total)) for bucket, total in totals.items())


def text_dates(inputs: Path) -> Rows:
    totals: defaultdict[tuple[str, str], list[int]] = defaultdict(lambda: [0, 0, 0])
    for row in read(inputs / "log.csv"):
        text = row["message"].strip().lower().replace("example.", "")
        total = totals[row["at"][:7], "error" if text.startswith("error") else "other"]
        for i, value in enumerate((1, len(text) + text.find("on"), 2 * int(row["at"][11:13]))):
            total[i] += value
    return Counter((*key, *map(str, total)) for key, total in totals.items())


def min_max_churn(inputs: Path) -> Rows:
    live: Counter[tuple[str, str, str]] = Counter()
    for row in read(inputs / "changes.csv"):
        live[row["k"], row["g"], row["v"]] += int(row["diff"])
    groups: defaultdict[str, list[int]] = defaultdict(list)
    for _, group, value in live.elements():
        groups[group].append(int(value))
    return Counter({(str(len(groups)), str(sum(max(v) - min(v) for v in groups.values()))): 1})


def latency(inputs: Path) -> Rows:
    return Counter((str(slot), "3") for slot in range(100))


def deduplicate(inputs: Path) -> Rows:
    newest: dict[str, tuple[int, str]] = {}
    for row in read(inputs / "readings.csv"):
        newest[row["sensor"]] = max(newest.get(row["sensor"], (-1, "")), (int(row["at"]), row["value"]))
    return Counter((sensor, str(at), value) for sensor, (at, value) in newest.items())


def sort_changes(inputs: Path) -> Rows:
    rows = len(read(inputs / "rows.csv")) + len((inputs / "changes.txt").read_text().split(","))
    return Counter([("1", "1", str(rows))])


def nearest(inputs: Path) -> Rows:
    lines = {name: (inputs / f"{name}.jsonl").read_text().splitlines() for name in ("items", "queries")}
    items = [json.loads(line) for line in lines["items"]]
    rows: Rows = Counter()
    for query in map(json.loads, lines["queries"]):
        _, item = min((math.dist(query["v"], item["v"]), item["item"]) for item in items)
        rows[str(query["query"]), str(item)] += 1
    return rows


def asof_join(inputs: Path) -> Rows:
    quotes: defaultdict[str, list[tuple[int, str]]] = defaultdict(list)
    for row in read(inputs / "quotes.csv"):
        quotes[row["stock"]].append((int(row["t"]), row["price"]))
    rows: Rows = Counter()
    for trade in read(inputs / "trades.csv"):
        before = [price for t, price in quotes[trade["stock"]] if t <= int(trade["t"])]
        rows[trade["trade"], trade["stock"], trade["amount"], before[-1] if before else "0"] += 1
    return rows


def interval_join(inputs: Path) -> Rows:
    measured: defaultdict[str, list[tuple[int, str]]] = defaultdict(list)
    for row in read(inputs / "measured.csv"):
        measured[row["device"]].append((int(row["t"]), row["value"]))
    rows: Rows = Counter()
    for event in read(inputs / "events.csv"):
        for t, value in measured[event["device"]]:
            if abs(apart := t - int(event["t"])) <= 150_000:
                rows[event["event"], event["device"], value, str(apart)] += 1
    return rows


def windows(inputs: Path, starts: Callable[[int], range]) -> Rows:
    values: defaultdict[tuple[int, str], list[int]] = defaultdict(list)
    for row in read(inputs / "readings.csv"):
        for start in starts(int(row["t"])):
            values[start, row["sensor"]].append(int(row["value"]))
    return Counter(
        (sensor, str(start), str(len(v)), str(sum(v)), str(max(v))) for (start, sensor), v in values.items()
    )


def tumbling(inputs: Path) -> Rows:
    return windows(inputs, lambda t: range(t // 600 * 600, t + 1, 600))


def sliding(inputs: Path) -> Rows:
    return windows(inputs, lambda t: range(t // 300 * 300 - 900, t + 1, 300))


def sliding_overlap(inputs: Path) -> Rows:
    return windows(inputs, lambda t: range(t // 60 * 60 - 3540, t + 1, 60))


def session(inputs: Path) -> Rows:
    readings: defaultdict[str, list[tuple[int, int]]] = defaultdict(list)
    for row in read(inputs / "readings.csv"):
        readings[row["sensor"]].append((int(row["t"]), int(row["value"])))
    rows: Rows = Counter()
    for sensor, of_sensor in readings.items():
        of_sensor.sort()
        begins = [i for i, (t, _) in enumerate(of_sensor) if i == 0 or t - of_sensor[i - 1][0] >= 20]
        for begin, end in itertools.pairwise([*begins, len(of_sensor)]):
            values = [value for _, value in of_sensor[begin:end]]
            start = str(of_sensor[begin][0])
            rows[sensor, start, str(len(values)), str(sum(values)), str(max(values))] += 1
    return rows


def recovery(inputs: Path) -> Rows:
    regions = {row["customer"]: row["region"] for row in read(inputs / "customers.csv")}
    # One order comes later.
    orders = [*read(inputs / "orders.csv"), {"customer": "0", "amount": "1"}]
    amounts: defaultdict[str, list[int]] = defaultdict(list)
    for order in orders:
        amounts[regions[order["customer"]]].append(int(order["amount"]))
    return Counter((region, str(len(found)), str(sum(found))) for region, found in amounts.items())


MODELS: dict[str, tuple[Callable[[Path], Rows], int]] = {
    "word_count": (word_count, 500),
    "csv_etl": (csv_etl, 300),
    "join_group": (join_group, 400),
    "python_connector": (python_connector, 2500),
    "python_udf": (python_udf, 300),
    "batched_udf": (batched_udf, 300),
    "text_dates": (text_dates, 300),
    "min_max_churn": (min_max_churn, 3000),
    "latency": (latency, 300),
    "pagerank": (pagerank, 2000),
    "deduplicate": (deduplicate, 2000),
    "sort_changes": (sort_changes, 50),
    "nearest": (nearest, 200),
    "asof_join": (asof_join, 3000),
    "interval_join": (interval_join, 8000),
    "tumbling": (tumbling, 2000),
    "sliding": (sliding, 2000),
    "sliding_overlap": (sliding_overlap, 1000),
    "session": (session, 2000),
    "recovery": (recovery, 300),
}


@pytest.mark.parametrize("name", JOBS)
def test_job(name: str, tmp_path: Path) -> None:
    G.clear()
    model, rows = MODELS[name]
    job, inputs, output = JOBS[name], tmp_path / "in", tmp_path / "out"
    inputs.mkdir()
    output.mkdir()
    job.generate(inputs, rows)
    figures = job.load_program("ours").run(inputs, output) or {}
    found: Rows = Counter()
    for row in read(output / "result.csv"):
        found[tuple(row[column] for column in job.result)] += int(row.get("diff", 1))
    assert Counter({row: count for row, count in found.items() if count}) == model(inputs)
    assert {metric.key for metric in job.metrics} <= {"seconds", *figures}


def test_data_is_the_same_every_time(tmp_path: Path) -> None:
    for name, job in JOBS.items():
        for turn in ("1", "2"):
            folder = tmp_path / turn / name
            folder.mkdir(parents=True)
            job.generate(folder, 200)
        for path in (tmp_path / "1" / name).iterdir():
            assert path.read_bytes() == (tmp_path / "2" / name / path.name).read_bytes()


def test_results_that_differ_are_noticed() -> None:
    assert compare.verdict({"ours": "3 rows, 17", "original": "3 rows, 17"})[0]
    agree, text = compare.verdict({"ours": "3 rows, 17", "original": "3 rows, 18", "duckdb": "3 rows, 18"})
    assert not agree
    assert "ours: 3 rows, 17" in text
    assert not compare.verdict({"ours": "unreadable: no result"})[0]
    assert not compare.verdict({})[0]


def sample(seconds: float, peak_mb: float, foreign: float = 0.0) -> Sample:
    return Sample({"seconds": seconds}, peak_mb, seconds, seconds, foreign)


def test_the_table_shows_medians_and_ratios() -> None:
    table = report.Table()
    samples: dict[tuple[str, int], list[Any]] = {
        ("ours", 1): [sample(2.0, 100), sample(1.0, 110), sample(9.0, 90)],
        ("ours", 2): [sample(1.0, 120)],
        ("original", 1): [sample(16.0, 400)],
        ("duckdb", 1): [sample(4.0, 50)],
    }
    table.add_job(JOBS["word_count"], 5_000_000, samples, (True, "all agree"))
    lines = table.markdown().splitlines()
    cells = [cell.strip() for cell in lines[2].strip("|").split("|")]
    header = [cell.strip() for cell in lines[0].strip("|").split("|")]
    row = dict(zip(header, cells, strict=True))
    assert row["ours"] == "2 s"
    assert row["ours is faster"] == "8.00x"
    assert row["ours / DuckDB"] == "0.50x"
    assert row["ours / original"] == "0.25x"
    assert row["2 workers"] == "2.00x"
    assert row["results"] == "agree"
    assert "Polars" not in header


def test_foreign_load_is_marked() -> None:
    table = report.Table()
    table.add_job(JOBS["word_count"], 1, {("ours", 1): [sample(1.0, 1, foreign=0.5)]}, (False, ""))
    assert "~ word count" in table.markdown()
    assert "DIFFER" in table.markdown()
