"""Runs whose number of processes follows the load."""

from __future__ import annotations

import json
import signal
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

import pathway as pw
from pathway.internals.scaling import scaling_window
from ports import free_ports
from spawning import started

PROGRAM = """
import os, sys, time
import pathway as pw

SLOW_WITH, JUDGED_WITH = map(int, sys.argv[1:])
PROCESSES = int(os.environ["PATHWAY_PROCESSES"])

class Words(pw.Schema):
    word: str

@pw.udf(deterministic=True)
def read(word: str) -> str:
    if PROCESSES == SLOW_WITH:
        time.sleep(0.01)
    return word

words = pw.io.jsonlines.read("in", schema=Words, name="words", autocommit_duration_ms=20)
words = words.select(word=read(words.word))
counts = words.groupby(words.word).reduce(words.word, n=pw.reducers.count())
pw.io.jsonlines.write(counts, "out.jsonl")
config = pw.persistence.Config(
    pw.persistence.Backend.filesystem("state"),
    worker_scaling_enabled=True,
    workload_tracking_window_ms=300 if PROCESSES == JUDGED_WITH else 10**9,
)
pw.run(persistence_config=config)
print("the run has ended by itself", flush=True)
"""


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    (tmp_path / "program.py").write_text(PROGRAM)
    (tmp_path / "in").mkdir()
    return tmp_path


def counted(folder: Path) -> Counter[str]:
    """The rows that the changes in the output leave; no change is in it twice."""
    rows: Counter[tuple[str, int]] = Counter()
    path = folder / "out.jsonl"
    text = path.read_text() if path.exists() else ""
    for line in text[: text.rfind("\n") + 1].splitlines():
        change = json.loads(line)
        rows[change["word"], change["n"]] += change["diff"]
        assert rows[change["word"], change["n"]] in (0, 1), line
    return Counter({word: n for (word, n), there in rows.items() if there})


def add(folder: Path, name: str, counts: Counter[str]) -> None:
    words = [f"w{i % 11}" for i in range(200)]
    counts.update(words)
    (folder / "new").write_text("".join(json.dumps({"word": word}) + "\n" for word in words))
    (folder / "new").rename(folder / "in" / f"{name}.jsonl")


@pytest.mark.parametrize(("before", "after", "slow_with"), [(1, 2, 1), (3, 1, 0)])
def test_the_number_of_processes_follows_the_load(
    folder: Path, before: int, after: int, slow_with: int
) -> None:
    counts: Counter[str] = Counter()
    add(folder, "first", counts)
    ports = ["--first-port", str(free_ports(4)), "--processes", str(before)]
    program = [sys.executable, "program.py", str(slow_with), str(before)]
    with started(folder, *ports, *program) as run:
        run.wait_for(f"Updating the processes number from {before} to {after}")
        run.wait_for(f"Preparing {after} process")
        add(folder, "second", counts)
        run.wait_until(lambda: counted(folder) == counts)
        run.process.send_signal(signal.SIGTERM)
        assert run.wait() == 128 + signal.SIGTERM, run.text()
        assert counted(folder) == counts
        assert "the run has ended by itself" not in run.text()


ENDS = """
import os, sys
here = (os.environ["PATHWAY_PROCESSES"], os.environ["PATHWAY_PROCESS_ID"])
os.write(1, ("/".join(here) + chr(10)).encode())
codes = dict(code.split("=") for code in sys.argv[1:])
sys.exit(int(codes.get("/".join(here), "0")))
"""


@pytest.mark.parametrize(
    ("options", "codes", "updates", "code"),
    [
        (["-n", "1"], ["1/0=12"], ["1 to 2"], 0),
        (["-n", "3"], ["3/1=10"], ["3 to 1"], 0),
        (["-n", "2"], ["2/0=10", "2/1=10"], ["2 to 1"], 0),
        (["-n", "2", "--max-processes", "3"], ["2/0=12", "2/1=12", "3/0=10"], ["2 to 3", "3 to 1"], 0),
        (["-n", "1"], ["1/0=12", "2/0=12", "2/1=12", "4/2=5"], ["1 to 2", "2 to 4"], 5),
        (["-n", "1"], ["1/0=11"], [], 11),
    ],
)
def test_exit_codes_of_processes_change_their_number(
    tmp_path: Path, options: list[str], codes: list[str], updates: list[str], code: int
) -> None:
    ports = ["--first-port", str(free_ports(4))]
    with started(tmp_path, *ports, *options, sys.executable, "-c", ENDS, *codes) as run:
        assert run.wait() == code, run.text()
        lines = run.text().splitlines()
        told = [line.removeprefix("Updating the processes number from ") for line in lines if "Upd" in line]
        assert told == updates


def test_most_processes_are_checked(tmp_path: Path) -> None:
    with started(tmp_path, "-n", "3", "--max-processes", "2", "true") as run:
        assert run.wait() == 2
        assert "--max-processes must be at least --processes" in run.text()


def test_who_starts_the_processes_again(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    backend = pw.persistence.Backend.filesystem(tmp_path)
    config = pw.persistence.Config(backend, worker_scaling_enabled=True, workload_tracking_window_ms=7)
    monkeypatch.delenv("PATHWAY_RUN_ID", raising=False)
    monkeypatch.delenv("PATHWAY_ADDRESSES", raising=False)
    assert scaling_window(None) is None
    assert scaling_window(pw.persistence.Config(backend)) is None
    with pytest.raises(ValueError, match="must only be executed via `pathway spawn`"):
        scaling_window(config)
    monkeypatch.setenv("PATHWAY_RUN_ID", "x")
    assert scaling_window(config) == 7
    monkeypatch.setenv("PATHWAY_ADDRESSES", "127.0.0.1:1,127.0.0.1:2")
    assert scaling_window(config) is None


@pytest.mark.parametrize(
    "options",
    [
        {"persistence_mode": pw.PersistenceMode.UDF_CACHING},
        {"persistence_mode": pw.PersistenceMode.BATCH},
        {"snapshot_access": pw.internals.api.SnapshotAccess.RECORD},
    ],
)
def test_without_state_the_number_stays(tmp_path: Path, options: dict[str, object]) -> None:
    backend = pw.persistence.Backend.filesystem(tmp_path)
    config = pw.persistence.Config(backend, worker_scaling_enabled=True, **options)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="keeps the state of operators"):
        pw.run(persistence_config=config)


def test_windows_have_a_length(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="workload_tracking_window_ms has to be at least 1"):
        pw.persistence.Config(pw.persistence.Backend.filesystem(tmp_path), workload_tracking_window_ms=0)
