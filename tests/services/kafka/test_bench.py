"""The benchmark jobs with Kafka do what they claim, on a small input."""

from __future__ import annotations

import csv
from collections import Counter
from pathlib import Path

import pytest

import pathway as pw
from harness import jobs, kafka
from services.runner import Running

JOBS = {job.name: job for job in jobs.all_jobs(jobs.SERVICES) if job.service == "kafka"}


def test_jobs_with_a_service_have_programs() -> None:
    assert set(JOBS) == {"kafka_words", "kafka_latency", "kafka_latency_own"}
    for name, job in JOBS.items():
        assert job.program("ours") is not None
        assert (job.program("original") is None) == (name == "kafka_latency_own")


@pytest.mark.parametrize(("name", "rows", "sent"), [("kafka_words", 3000, 3000), ("kafka_latency", 500, 651)])
def test_words_are_counted(
    name: str, rows: int, sent: int, kafka_: Running, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pw.internals.parse_graph.G.clear()
    monkeypatch.setenv("BENCH_PORT", str(kafka_.port))
    monkeypatch.setenv("PATHWAY_BENCH_CACHE", str(tmp_path))
    monkeypatch.setattr(kafka, "PHASE_S", 1.0)
    job, inputs, output = JOBS[name], tmp_path / "in", tmp_path / "out"
    inputs.mkdir()
    output.mkdir()
    job.generate(inputs, rows)
    assert job.prepare is not None
    assert job.figures is not None
    job.prepare(kafka_.port, inputs)
    measured = job.load_program("ours").run(inputs, output)
    figures = job.figures(jobs.Done("ours", kafka_.port, inputs, output, measured))
    assert {metric.key for metric in job.metrics} == set(figures)
    with open(output / "result.csv", newline="", encoding="utf-8") as file:
        found = {row["word"]: int(row["count"]) for row in csv.DictReader(file)}
    assert found == Counter(kafka.words()[kafka.word_at(number)] for number in range(sent))
    if name == "kafka_words":
        assert kafka.rate_of("ours") == figures["rate"]


@pytest.fixture
def kafka_(request: pytest.FixtureRequest) -> Running:
    """The broker; its fixture has the name of the module."""
    broker: Running = request.getfixturevalue("kafka")
    return broker
