"""Metrics that are recorded: databases that outlive their runs, and the web dashboard that shows them."""

from __future__ import annotations

import contextlib
import json
import logging
import os
import sqlite3
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import pathway as pw
from pathway.internals import monitoring_config
from ports import free_ports
from spawning import PATIENCE, spawned

QUIET = pw.MonitoringLevel.NONE


@pytest.fixture(autouse=True)
def _nothing_configured(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(monitoring_config, "_given", None)
    monkeypatch.delenv("PATHWAY_RUN_ID", raising=False)


#: Waits for the first sample, then destroys the database.
BREAKS = """
import sqlite3, sys, time
database = sqlite3.connect(sys.argv[1], timeout=30, isolation_level=None)
while not database.execute("SELECT 1 FROM Metrics LIMIT 1").fetchall():
    time.sleep(0.02)
database.execute("DROP VIEW MetricsAgg")
database.execute("DROP TABLE Metrics")
"""


class Numbers(pw.Schema):
    n: int


def halves(folder: Path) -> None:
    """Builds a program of three operators over four rows."""
    (folder / "in.jsonl").write_text("".join(f'{{"n": {n}}}\n' for n in range(4)))
    numbers = pw.io.jsonlines.read(folder / "in.jsonl", schema=Numbers, mode="static", name="numbers")
    even = numbers.filter(pw.this.n % 2 == 0)
    pw.io.jsonlines.write(even, folder / "out.jsonl", name="halves")


def databases(folder: Path) -> list[Path]:
    return sorted(folder.glob("metrics_*.db"))


def query(path: Path, sql: str) -> list[tuple[Any, ...]]:
    with contextlib.closing(sqlite3.connect(path, timeout=PATIENCE)) as database:
        return database.execute(sql).fetchall()


@pytest.mark.parametrize("by_variable", [False, True])
def test_a_run_is_recorded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, by_variable: bool) -> None:
    folder = tmp_path / "made" / "metrics"
    if by_variable:
        monkeypatch.setenv("PATHWAY_DETAILED_METRICS_DIR", str(folder))
    else:
        pw.set_monitoring_config(detailed_metrics_dir=folder)
    halves(tmp_path)
    pw.run(monitoring_level=QUIET)
    [path] = databases(folder)
    columns = {name: query(path, f"PRAGMA table_info({name})") for name in ("Metrics", "Resources")}
    assert [(name, kind, key) for _, name, kind, _, _, key in columns["Metrics"]] == [
        ("worker_id", "INTEGER", 1),
        ("timestamp", "INTEGER", 2),
        ("operator_id", "INTEGER", 3),
        ("name", "TEXT", 4),
        ("value", "NUMERIC", 0),
    ]
    assert [name for _, name, *_ in columns["Resources"]] == ["run_id", "graph"]
    assert query(path, "PRAGMA journal_mode") == [("wal",)]
    [(run, text)] = query(path, "SELECT run_id, graph FROM Resources")
    assert path.name == f"metrics_{run}.db"
    graph = json.loads(text)
    assert set(graph) == {"nodes", "edges", "groups"}
    nodes = {node["operator_type"]: node for node in graph["nodes"]}
    assert set(nodes) == {"input(json)", "filter", "output(jsonlines)"}
    chosen = nodes["filter"]
    assert chosen["user_frame_function"] == "halves"
    assert chosen["user_frame_filename"] == __file__
    assert chosen["user_frame_line"] == "even = numbers.filter(pw.this.n % 2 == 0)"
    assert chosen["level"] == 0
    groups = {group["id"]: group for group in graph["groups"]}
    assert groups[chosen["parent"]]["parent"] == chosen["grand_parent"]
    edges = {(edge["source"], edge["target"]) for edge in graph["edges"]}
    assert edges == {
        (nodes["input(json)"]["id"], chosen["id"]),
        (chosen["id"], nodes["output(jsonlines)"]["id"]),
    }
    last = "SELECT latency_ms, rows_positive, rows_negative FROM MetricsAgg WHERE operator_id = {} "
    last += "ORDER BY timestamp DESC LIMIT 1"
    assert query(path, last.format(chosen["id"])) == [(-1, 2, 0)]
    assert query(path, last.format(nodes["input(json)"]["id"])) == [(-1, 4, 0)]
    names = query(path, "SELECT DISTINCT name FROM Metrics WHERE operator_id IS NULL")
    assert {"process.memory.usage", "process.cpu.utime", "process.cpu.stime"} <= {name for (name,) in names}


def test_each_run_has_a_database_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pw.set_monitoring_config(detailed_metrics_dir=tmp_path)
    halves(tmp_path)
    pw.run(monitoring_level=QUIET)
    pw.run(monitoring_level=QUIET)
    assert len(databases(tmp_path)) == 2
    pw.debug.compute_and_print(pw.debug.table_from_markdown("a\n1"))
    assert len(databases(tmp_path)) == 2, "tables that are looked at make no records"
    pw.set_monitoring_config()
    monkeypatch.setenv("PATHWAY_DETAILED_METRICS_DIR", str(tmp_path))
    pw.run(monitoring_level=QUIET)
    assert len(databases(tmp_path)) == 2, "nothing was configured"


def test_a_folder_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    pw.set_monitoring_config(detailed_metrics_dir=tmp_path / "file" / "metrics")
    halves(tmp_path)
    with pytest.raises(OSError, match=r"metrics cannot be written to .*file/metrics/metrics_.*\.db: "):
        pw.run(monitoring_level=QUIET)


def test_a_database_that_breaks_does_not_end_the_run(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    folder = tmp_path / "metrics"
    pw.set_monitoring_config(detailed_metrics_dir=folder)

    class Breaking(pw.io.python.ConnectorSubject):
        def run(self) -> None:
            self.next(n=1)
            self.commit()
            # In another process: Python has a SQLite of its own, and two in one process do not see each
            # other.
            command = [sys.executable, "-c", BREAKS, str(databases(folder)[0])]
            subprocess.run(command, check=True, timeout=PATIENCE)
            deadline = time.monotonic() + PATIENCE
            while "recorded no more" not in caplog.text:
                assert time.monotonic() < deadline, caplog.text
                time.sleep(0.02)
            self.next(n=2)

    rows: list[int] = []
    table = pw.io.python.read(Breaking(), schema=Numbers)
    pw.io.subscribe(table, lambda key, row, time, is_addition: rows.append(row["n"]))
    with caplog.at_level(logging.WARNING):
        pw.run(monitoring_level=QUIET)
    assert sorted(rows) == [1, 2]


def test_processes_write_to_one_database(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATHWAY_DETAILED_METRICS_DIR", "metrics")
    (tmp_path / "in.jsonl").write_text("".join(f'{{"word": "w{n}", "n": {n}}}\n' for n in range(40)))
    program = """
        words = pw.io.jsonlines.read("in.jsonl", schema=Words, mode="static", name="words")
        counts = words.groupby(words.word).reduce(words.word, n=pw.reducers.sum(words.n))
        pw.io.jsonlines.write(counts, "out.jsonl", name="out")
        run()
    """
    with spawned(tmp_path, program, 2) as run:
        assert run.wait() == 0, run.text()
    [path] = databases(tmp_path / "metrics")
    sql = "SELECT worker_id, MAX(value) FROM Metrics WHERE name = 'operator.insertions' GROUP BY worker_id"
    assert [worker for worker, _ in query(path, sql)] == [0, 1]
    assert query(path, "SELECT COUNT(*) FROM Resources") == [(1,)]


@contextlib.contextmanager
def web_dashboard(folder: Path) -> Iterator[tuple[int, subprocess.Popen[str]]]:
    port = free_ports(1)
    command = [sys.executable, "-m", "pathway", "web-dashboard", "--detailed-metrics-dir", str(folder)]
    process = subprocess.Popen(
        [*command, "--port", str(port), "--address", "127.0.0.1"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONUNBUFFERED": "1"},
    )
    assert process.stdout is not None
    try:
        assert (
            process.stdout.readline() == f"Web dashboard of the runs in {folder}: http://127.0.0.1:{port}/\n"
        )
        yield port, process
    finally:
        process.kill()
        process.communicate()


def ask(port: int, path: str) -> Any:
    deadline = time.monotonic() + PATIENCE
    while True:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=PATIENCE) as answer:
                assert answer.headers["Access-Control-Allow-Origin"] == "*"
                return json.loads(answer.read())
        except (urllib.error.URLError, ConnectionError):
            assert time.monotonic() < deadline
            time.sleep(0.02)


def test_the_web_dashboard_shows_the_last_run(tmp_path: Path) -> None:
    folder = tmp_path / "metrics"
    with web_dashboard(folder) as (port, process):
        assert process.stderr is not None
        assert process.stderr.readline() == "No metrics database found. Retrying in 10s...\n"
        pw.set_monitoring_config(detailed_metrics_dir=folder)
        halves(tmp_path)
        pw.run(monitoring_level=QUIET)
        graph = ask(port, "/graph")
        assert len(graph["nodes"]) == 3
        latest = ask(port, "/metrics/latest")
        assert {row["operator_id"] for row in latest} == {int(node["id"]) for node in graph["nodes"]}
        assert set(latest[0]) == {
            "timestamp",
            "worker_id",
            "operator_id",
            "latency_ms",
            "rows_positive",
            "rows_negative",
        }
        [point, *_] = ask(port, "/metrics/charts")
        assert set(point) == {"timestamp", "max_latency", "memory"}
        limits = ask(port, "/metrics/available_range")
        assert limits["min"] <= latest[0]["timestamp"] <= limits["max"]
        assert ask(port, f"/metrics/at/{latest[0]['timestamp'] + 1}") == latest
        assert ask(port, "/metrics/at/0") == []
        run = ask(port, "/api/run")
        assert run["program"] == Path(__file__).name
        assert len(run["outline"]["nodes"]) == 3
        assert ask(port, "/api/now")["snapshot"]["connectors"][0]["messages"] == 4


def test_a_port_that_is_taken(tmp_path: Path) -> None:
    with web_dashboard(tmp_path) as (port, _):
        command = [sys.executable, "-m", "pathway", "web-dashboard", "--port", str(port)]
        done = subprocess.run(
            [*command, "--address", "127.0.0.1"], capture_output=True, text=True, timeout=PATIENCE
        )
        assert done.returncode == 1
        assert f"metrics cannot be served on 127.0.0.1:{port}: " in done.stderr
