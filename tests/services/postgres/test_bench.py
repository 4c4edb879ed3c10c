"""The benchmark jobs with PostgreSQL do what they claim, on a small input."""

from __future__ import annotations

import csv
from collections import Counter
from pathlib import Path

import pytest

from harness import jobs
from services.runner import Running

JOBS = {job.name: job for job in jobs.all_jobs(jobs.SERVICES) if job.service == "postgres"}


def rows(path: Path, columns: list[str]) -> Counter[tuple[str, ...]]:
    with open(path, newline="", encoding="utf-8") as file:
        return Counter(tuple(row[column] for column in columns) for row in csv.DictReader(file))


def comparable(row: tuple[str, ...], types: list[str]) -> tuple[str | float, ...]:
    return tuple(float(cell) if kind == "DOUBLE" else cell for cell, kind in zip(row, types, strict=True))


@pytest.mark.parametrize("name", JOBS)
def test_jobs_compute_what_they_claim(
    name: str, postgres: Running, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = JOBS[name]
    monkeypatch.setenv("BENCH_PORT", str(postgres.port))
    inputs, output = tmp_path / "in", tmp_path / "out"
    inputs.mkdir()
    output.mkdir()
    job.generate(inputs, 500)
    assert job.prepare is not None
    job.prepare(postgres.port, inputs)
    figures = job.load_program("ours").run(inputs, output) or {}
    assert {metric.key for metric in job.metrics} <= {"seconds", *figures}
    if job.collect is not None:
        job.collect(postgres.port, output)
    columns, types = list(job.result), list(job.result.values())
    found = Counter(comparable(row, types) for row in rows(output / "result.csv", columns))
    with open(inputs / "orders.csv", newline="", encoding="utf-8") as file:
        orders = list(csv.DictReader(file))
    if name == "postgres_follow":
        assert found == {("500", str(sum(int(order["quantity"]) for order in orders))): 1}
    else:
        expected = (tuple(order[column] for column in columns) for order in orders)
        assert found == Counter(comparable(row, types) for row in expected)
