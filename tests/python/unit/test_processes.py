"""Runs of several processes, started as a user would: by `pathway spawn`."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import textwrap
from collections import Counter
from pathlib import Path

import pytest

from ports import free_ports
from spawning import PATIENCE, PRELUDE, Spawned, spawned


def write_words(folder: Path) -> Counter[str]:
    """Some files; how often each word is in them."""
    counts: Counter[str] = Counter()
    (folder / "in").mkdir(exist_ok=True)
    for file in range(6):
        words = [f"w{(file * 7 + i) % 23}" for i in range(50 + file)]
        counts.update(words)
        lines = (json.dumps({"word": word, "n": 1}) for word in words)
        (folder / "in" / f"{file}.jsonl").write_text("\n".join(lines) + "\n")
    return counts


def totals(path: Path) -> dict[str, int]:
    """The rows that the changes in a file leave."""
    rows: Counter[tuple[str, int]] = Counter()
    for line in path.read_text().splitlines():
        change = json.loads(line)
        rows[change["word"], change["n"]] += change["diff"]
    assert set(rows.values()) <= {0, 1}, rows
    return {word: n for (word, n), there in rows.items() if there}


def test_processes_share_the_work_and_write_one_output(tmp_path: Path) -> None:
    counts = write_words(tmp_path)
    program = """
        words = pw.io.jsonlines.read("in", schema=Words, mode="static")
        counts = words.groupby(words.word).reduce(words.word, n=pw.reducers.sum(words.n))
        rows = [(f"w{i}", i) for i in range(23)]
        labels = pw.debug.table_from_rows(pw.schema_from_types(word=str, label=int), rows)
        both = counts.join(labels, counts.word == labels.word).select(counts.word, counts.n, labels.label)
        pw.io.jsonlines.write(both, "out.jsonl")
        pw.io.subscribe(both, on_change=lambda **change: None, on_end=lambda: print("end of", PROCESS))
        pw.debug.compute_and_print(counts.reduce(total=pw.reducers.sum(counts.n)), include_id=False)
        print("rows of", PROCESS, len(pw.debug.table_to_dicts(labels)[0]))
        run()
    """
    with spawned(tmp_path, program, 3, "--threads", "2") as run:
        assert run.wait() == 0, run.text()
        text = run.text()
    assert "Preparing 3 processes (6 total workers)" in text
    assert totals(tmp_path / "out.jsonl") == counts
    assert text.count("end of") == 1
    assert "end of 0" in text
    assert text.count("total") == 2, "only the first process prints"
    assert sorted(line for line in text.splitlines() if line.startswith("rows of")) == [
        "rows of 0 23",
        "rows of 1 0",
        "rows of 2 0",
    ]


def test_an_exception_in_one_process_ends_all(tmp_path: Path) -> None:
    write_words(tmp_path)
    program = """
        words = pw.io.jsonlines.read("in", schema=Words)
        @pw.udf(deterministic=True)
        def check(word: str) -> str:
            if word == "w5":
                raise ValueError(f"{word} is not wanted")
            return word
        checked = words.select(word=check(words.word))
        pw.io.null.write(checked.groupby(checked.word).reduce(checked.word))
        run()
    """
    with spawned(tmp_path, program, 3) as run:
        assert run.wait() == 1, run.text()
        text = run.text()
    assert "ValueError: w5 is not wanted" in text
    assert "OtherWorkerError" not in text, "the failure of another process is not repeated"


STREAM = """
    words = pw.io.jsonlines.read("in", schema=Words, autocommit_duration_ms=20)
    counts = words.groupby(words.word).reduce(words.word, n=pw.reducers.sum(words.n))
    pw.io.subscribe(counts, on_change=lambda key, row, time, is_addition: print("row", row["word"]))
    print("pid", PROCESS, os.getpid())
    run()
"""


def pids(run: Spawned, processes: int) -> dict[int, int]:
    for process in range(processes):
        run.wait_for(f"pid {process} ")
    lines = (line.split() for line in run.text().splitlines() if line.startswith("pid "))
    return {int(process): int(pid) for _, process, pid in lines}


@pytest.mark.parametrize("killed", [0, 1])
def test_a_process_that_is_killed_ends_all(tmp_path: Path, killed: int) -> None:
    write_words(tmp_path)
    with spawned(tmp_path, STREAM, 2) as run:
        run.wait_for("row w")
        pid = pids(run, 2)[killed]
        os.kill(pid, signal.SIGKILL)
        assert run.wait() == 128 + signal.SIGKILL, run.text()


def test_a_lost_process_is_an_error_of_its_own(tmp_path: Path) -> None:
    write_words(tmp_path)
    program = STREAM.replace(
        "    run()\n",
        """
    try:
        run()
    except pw.engine.OtherWorkerError as error:
        print("told", PROCESS, error)
        raise SystemExit(3)
    """,
    )
    environment = "PATHWAY_SUPPRESS_OTHER_WORKER_ERRORS"
    program = f'import os; os.environ["{environment}"] = "0"\n' + textwrap.dedent(program)
    (tmp_path / "inner.py").write_text(PRELUDE + program)
    runner = f"""
        os.environ["{environment}"] = "0"
        os.execv(sys.executable, [sys.executable, "inner.py"])
    """
    with spawned(tmp_path, runner, 2) as run:
        run.wait_for("row w")
        os.kill(pids(run, 2)[1], signal.SIGKILL)
        run.wait()
        text = run.text()
    assert "told 0 process 1 (127.0.0.1:" in text
    assert "is gone" in text


def test_sigterm_ends_all_and_the_next_run_goes_on(tmp_path: Path) -> None:
    program = """
        words = pw.io.jsonlines.read("in", schema=Words, name="words", autocommit_duration_ms=20)
        # What is held back for later is not let go by the end of the run.
        late = words.windowby(
            words.n, window=pw.temporal.tumbling(10), behavior=pw.temporal.exactly_once_behavior()
        ).reduce(n=pw.this._pw_window_start, word=pw.reducers.min(pw.this.word))
        counts = words.groupby(words.word).reduce(words.word, n=pw.reducers.sum(words.n))
        pw.io.jsonlines.write(counts, "out.jsonl")
        pw.io.jsonlines.write(late, "late.jsonl")
        pw.io.subscribe(counts, on_change=lambda row, **change: print("row", row["word"], row["n"]))
        backend = pw.persistence.Backend.filesystem("state")
        run(persistence_config=pw.persistence.Config(backend, snapshot_interval_ms=10_000))
    """
    (tmp_path / "in").mkdir()

    def add(file: str, *rows: tuple[str, int]) -> None:
        lines = "".join(json.dumps({"word": word, "n": n}) + "\n" for word, n in rows)
        (tmp_path / "in" / file).write_text(lines)

    add("1", ("a", 1), ("b", 2))
    with spawned(tmp_path, program, 2) as run:
        run.wait_for("row a 1")
        run.wait_for("row b 2")
        run.process.send_signal(signal.SIGTERM)
        assert run.wait() == 128 + signal.SIGTERM, run.text()
    assert totals(tmp_path / "out.jsonl") == {"a": 1, "b": 2}
    assert totals(tmp_path / "late.jsonl") == {}
    add("2", ("a", 3), ("c", 25))
    with spawned(tmp_path, program, 3) as run:
        run.wait_for("row a 4")
        run.wait_for("row c 25")
        text = run.text()
        run.process.send_signal(signal.SIGTERM)
        assert run.wait() == 128 + signal.SIGTERM, run.text()
    assert "row b" not in text, "what has been delivered does not come again"
    assert totals(tmp_path / "out.jsonl") == {"a": 4, "b": 2, "c": 25}
    assert totals(tmp_path / "late.jsonl") == {"a": 0}


def test_a_process_that_waits_for_others_can_be_asked_to_end(tmp_path: Path) -> None:
    write_words(tmp_path)
    # The other one ends before it can be reached.
    program = """
        if PROCESS == "1":
            while "process 0 waits for 1" not in open("output").read():
                time.sleep(0.01)
            os.kill(os.getpid(), 9)
    """
    with spawned(tmp_path, textwrap.dedent(program) + textwrap.dedent(STREAM), 2) as run:
        assert run.wait() == 128 + signal.SIGKILL, run.text()
        assert "does not finish in time" not in run.text()


def test_strangers_do_not_hold_up_a_run(tmp_path: Path) -> None:
    write_words(tmp_path)
    port = free_ports(2)
    (tmp_path / "program.py").write_text(PRELUDE + textwrap.dedent(STREAM))
    environment = {
        **os.environ,
        "PATHWAY_PROCESSES": "2",
        "PATHWAY_FIRST_PORT": str(port),
        "PATHWAY_CLUSTER_SECRET": "among friends",
        "PYTHONUNBUFFERED": "1",
    }

    def start(process: int, secret: str) -> subprocess.Popen[str]:
        variables = {**environment, "PATHWAY_PROCESS_ID": str(process), "PATHWAY_CLUSTER_SECRET": secret}
        command = [sys.executable, "program.py"]
        pipe = subprocess.PIPE
        return subprocess.Popen(
            command, cwd=tmp_path, env=variables, stdout=pipe, stderr=subprocess.STDOUT, text=True
        )

    first = start(0, "among friends")
    stranger = start(1, "let me in")
    second = None
    try:
        text, _ = stranger.communicate(timeout=PATIENCE)
        assert stranger.returncode == 1
        assert "the same secret (PATHWAY_CLUSTER_SECRET)" in text
        second = start(1, "among friends")
        assert first.stdout is not None
        for line in first.stdout:
            if line.startswith("row "):
                break
        else:
            pytest.fail("the run has ended without a row")
    finally:
        for process in (first, stranger, second):
            if process is not None:
                process.kill()
                process.communicate()


def test_a_process_that_does_not_come_is_named(tmp_path: Path) -> None:
    (tmp_path / "program.py").write_text(PRELUDE + textwrap.dedent(STREAM))
    environment = {
        **os.environ,
        "PATHWAY_PROCESSES": "2",
        "PATHWAY_PROCESS_ID": "0",
        "PATHWAY_FIRST_PORT": str(free_ports(2)),
        "PATHWAY_CLUSTER_PATIENCE_MS": "300",
    }
    (tmp_path / "in").mkdir()
    command = [sys.executable, "program.py"]
    run = subprocess.run(
        command, cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=PATIENCE, check=False
    )
    assert run.returncode == 1
    assert "process 1 (127.0.0.1:" in run.stderr
    assert "start all processes" in run.stderr
