"""Runs whose state does not fit into their memory."""

from __future__ import annotations

import logging
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

import pathway as pw
from pathway.internals.memory import MemoryLimit, parse_size


class Order(pw.Schema):
    number: int = pw.column_definition(primary_key=True)
    customer: int
    amount: float


class Customer(pw.Schema):
    number: int = pw.column_definition(primary_key=True)
    name: str


Rows = dict[pw.Pointer[Any], dict[str, Any]]


def _results(folder: Path, gone: Path | None = None, files: bool = True, **options: Any) -> dict[str, Rows]:
    """What a program with state of many kinds gives in the end, by output. A folder may be gone by then."""
    pw.internals.parse_graph.G.clear()

    class Orders(pw.io.python.ConnectorSubject):
        def run(self) -> None:
            if gone is not None:
                gone.rmdir()
            for number in range(600):
                self.next(number=number, customer=number * 7 % 90, amount=number / 4)
                if number % 60 == 59:
                    self.commit()

    orders = pw.io.python.read(Orders(), schema=Order)
    customers = pw.io.csv.read(folder / "customers.csv", schema=Customer, mode="static")
    joined = orders.join_outer(customers, orders.customer == customers.number).select(
        customers.name, orders.amount, order=orders.number
    )
    tables = {
        "joined": joined,
        "totals": joined.groupby(joined.name).reduce(
            joined.name,
            total=pw.reducers.sum(pw.coalesce(joined.amount, 0.0)),
            orders=pw.reducers.sorted_tuple(joined.order, skip_nones=True),
            biggest=pw.reducers.max(joined.amount),
        ),
        "without": orders.difference(orders.filter(orders.amount > 50)),
        "names": orders.select(name=customers.ix(orders.pointer_from(orders.customer % 60)).name),
    }
    results: dict[str, Rows] = {name: {} for name in tables}

    def take(name: str) -> Any:
        def on_change(key: pw.Pointer[Any], row: dict[str, Any], time: int, is_addition: bool) -> None:
            if is_addition:
                assert key not in results[name], "removed rows come first"
                results[name][key] = row
            else:
                assert results[name].pop(key) == row

        return on_change

    for name, table in tables.items():
        pw.io.subscribe(table, on_change=take(name))
        if files:
            pw.io.csv.write(table, folder / f"{name}.csv")
    pw.run(monitoring_level=pw.MonitoringLevel.NONE, **options)
    return results


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    lines = "".join(f"{number},customer {number}\n" for number in range(80))
    (tmp_path / "customers.csv").write_text("number,name\n" + lines)
    return tmp_path


@pytest.mark.parametrize("threads", ["1", "3"])
@pytest.mark.parametrize("limit", [1, 20_000, "1MB"])
def test_results_are_the_same(
    folder: Path, limit: int | str, threads: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    expected = _results(folder)
    files = {path.name: len(path.read_text().splitlines()) for path in folder.glob("*.csv")}
    monkeypatch.setenv("PATHWAY_THREADS", threads)
    assert _results(folder, memory_limit=limit) == expected
    assert len(expected["joined"]) > 500
    assert len(expected["totals"]) == 81
    again = {path.name: len(path.read_text().splitlines()) for path in folder.glob("*.csv")}
    assert again.keys() == files.keys()
    assert again["without.csv"] > 1


def test_the_environment_gives_a_limit(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    expected = _results(folder)
    monkeypatch.setenv("PATHWAY_MEMORY_LIMIT", "1kB")
    monkeypatch.setenv("PATHWAY_SPILL_DIRECTORY", str(folder))
    assert MemoryLimit.of(None, None) == MemoryLimit(1000, str(folder))
    assert MemoryLimit.of("2MB", "/") == MemoryLimit(2_000_000, "/")
    assert _results(folder) == expected
    assert not [path for path in folder.iterdir() if path.suffix != ".csv"], "files have no names"


def test_without_a_limit_there_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PATHWAY_MEMORY_LIMIT", raising=False)
    assert MemoryLimit.of(None, None) is None


def test_a_directory_that_takes_no_files_is_told_once(folder: Path, caplog: pytest.LogCaptureFixture) -> None:
    expected = _results(folder)
    with caplog.at_level(logging.WARNING):
        gone = folder / "gone"
        gone.mkdir()
        assert _results(folder, gone, memory_limit=1, spill_directory=gone) == expected
    told = [record.getMessage() for record in caplog.records if "stays in memory" in record.getMessage()]
    assert len(told) == 1
    assert str(gone) in told[0]


_ON_A_FULL_DISK = """
import resource, sys
from pathlib import Path
import pathway as pw
from test_memory_limit import _results

limit, size = int(sys.argv[2]), int(sys.argv[3])
expected = _results(Path(sys.argv[1]), files=False)
resource.setrlimit(resource.RLIMIT_FSIZE, (size, size))
assert _results(Path(sys.argv[1]), files=False, memory_limit=limit) == expected
"""


@pytest.mark.parametrize("size", [100, 4_000])
@pytest.mark.parametrize("limit", [1, 50_000])
def test_nothing_is_lost_when_files_cannot_grow(folder: Path, limit: int, size: int) -> None:
    program = [sys.executable, "-c", _ON_A_FULL_DISK, str(folder), str(limit), str(size)]
    path = os.pathsep.join([str(Path(__file__).parent), os.environ.get("PYTHONPATH", "")])
    ran = subprocess.run(
        program, capture_output=True, text=True, check=False, env={**os.environ, "PYTHONPATH": path}
    )
    assert ran.returncode == 0, ran.stderr
    assert ran.stderr.count("stays in memory from now on") == 1, ran.stderr


def test_a_run_goes_on_with_state_in_files(folder: Path) -> None:
    config = pw.persistence.Config(
        pw.persistence.Backend.filesystem(folder / "state"), snapshot_interval_ms=0
    )

    def totals(limit: int | None) -> dict[str, int]:
        pw.internals.parse_graph.G.clear()
        events = pw.io.plaintext.read(folder / "events", mode="static", name="events")
        counts = events.groupby(pw.this.data).reduce(pw.this.data, count=pw.reducers.count())
        pw.io.jsonlines.write(counts, folder / "counts.jsonl")
        seen: dict[str, int] = {}

        def on_change(key: pw.Pointer[Any], row: dict[str, Any], time: int, is_addition: bool) -> None:
            if is_addition:
                seen[row["data"]] = row["count"]

        pw.io.subscribe(counts, on_change=on_change)
        pw.run(monitoring_level=pw.MonitoringLevel.NONE, persistence_config=config, memory_limit=limit)
        return seen

    (folder / "events").mkdir()
    (folder / "events" / "1").write_text("".join(f"word {number % 300}\n" for number in range(900)))
    assert totals(1) == {f"word {number}": 3 for number in range(300)}
    (folder / "events" / "2").write_text("".join(f"word {number}\n" for number in range(290, 310)))
    expected = {f"word {number}": 4 if number < 300 else 1 for number in range(290, 310)}
    assert totals(1) == expected
    (folder / "events" / "3").write_text("word 0\nword 305\n")
    assert totals(None) == {"word 0": 4, "word 305": 2}


@pytest.mark.filterwarnings("ignore:terminate_on_error=False mode is experimental")
@pytest.mark.parametrize("limit", [None, 1])
def test_groups_with_errors_and_without(limit: int | None) -> None:
    """Sums of what has errors and of what has none are shipped with columns of other types."""
    seen: dict[int, tuple[Any, int]] = {}

    class Numbers(pw.io.python.ConnectorSubject):
        def run(self) -> None:
            for number in range(40):
                self.next(group=number % 4, by=number % 5)
                if number % 7 == 0:
                    self.commit()

    pw.internals.parse_graph.G.clear()
    numbers = pw.io.python.read(Numbers(), schema=pw.schema_from_types(group=int, by=int))
    parts = numbers.select(numbers.group, part=60 // numbers.by)
    sums = parts.groupby(parts.group).reduce(
        parts.group, total=pw.reducers.sum(parts.part), count=pw.reducers.count()
    )

    def on_change(key: pw.Pointer[Any], row: dict[str, Any], time: int, is_addition: bool) -> None:
        if is_addition:
            seen[row["group"]] = (row["total"], row["count"])

    pw.io.subscribe(sums, on_change=on_change)
    pw.run(monitoring_level=pw.MonitoringLevel.NONE, terminate_on_error=False, memory_limit=limit)
    assert seen == {group: (250, 10) for group in range(4)}


@pytest.mark.parametrize("size", ["", "much", "2XB", "-1", "1.2.3", "5iB", True, 1.5, None])
def test_what_is_no_size(size: Any) -> None:
    with pytest.raises(ValueError, match="no amount of memory"):
        parse_size(size)


def test_bad_arguments() -> None:
    with pytest.raises(ValueError, match="has to be positive"):
        pw.run(memory_limit=0)
    with pytest.raises(FileNotFoundError, match="'/nowhere' for state that does not fit"):
        pw.run(memory_limit="1GB", spill_directory="/nowhere")
