"""Runs whose state is in a store that a network reaches."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest

import pathway as pw
from services.runner import Running

PROGRAM = """
import sys, time
import pathway as pw

mode, folder, out, backend = sys.argv[1:]


class Lines(pw.io.python.ConnectorSubject):
    def run(self):
        with open("lines") as lines:
            while True:
                line = lines.readline()
                if line:
                    self.next(data=line.strip())
                else:
                    time.sleep(0.01)


class Word(pw.Schema):
    data: str


mode_of_files = "static" if mode == "static" else "streaming"
words = pw.io.plaintext.read(folder, mode=mode_of_files, autocommit_duration_ms=5)
if mode == "lines":
    others = pw.io.python.read(Lines(), schema=Word, autocommit_duration_ms=5)
    words = pw.Table.concat_reindex(words, others)
counts = words.groupby(words.data).reduce(word=words.data, count=pw.reducers.count())
pw.io.jsonlines.write(counts, out)
config = pw.persistence.Config(eval(backend))
pw.run(monitoring_level=pw.MonitoringLevel.NONE, persistence_config=config)
"""


def _changes(out: Path) -> list[tuple[str, int, int]]:
    text = out.read_text()
    lines = [json.loads(line) for line in text[: text.rfind("\n") + 1].splitlines()]
    return sorted((line["word"], line["count"], line["diff"]) for line in lines)


def count(folder: Path, out: Path, backend: pw.persistence.Backend) -> list[tuple[str, int, int]]:
    """Counts the words of the files of a folder, going on from what is in the store; gives the changes."""
    pw.internals.parse_graph.G.clear()
    words = pw.io.plaintext.read(folder, mode="static")
    counts = words.groupby(words.data).reduce(word=words.data, count=pw.reducers.count())
    pw.io.jsonlines.write(counts, out)
    config = pw.persistence.Config(backend)
    pw.run(monitoring_level=pw.MonitoringLevel.NONE, persistence_config=config)
    pw.internals.parse_graph.G.clear()
    return _changes(out)


def goes_on(backend: pw.persistence.Backend, tmp_path: Path) -> None:
    """A second run goes on from the first one's state."""
    folder, out = tmp_path / "in", tmp_path / "out.jsonl"
    folder.mkdir()
    (folder / "1.txt").write_text("a\nb\na\n")
    assert count(folder, out, backend) == [("a", 2, 1), ("b", 1, 1)]
    (folder / "2.txt").write_text("a\nc\n")
    assert count(folder, out, backend) == [("a", 2, -1), ("a", 3, 1), ("c", 1, 1)]
    (folder / "1.txt").unlink()
    assert count(folder, out, backend) == [("a", 1, 1), ("a", 3, -1), ("b", 1, -1)]


def counted(out: Path) -> Counter[str]:
    """The rows that the changes leave; each is there once."""
    balance: Counter[tuple[str, int]] = Counter()
    for word, number, diff in _changes(out) if out.exists() else []:
        balance[word, number] += diff
    there = {row: n for row, n in balance.items() if n}
    assert set(there.values()) <= {1}, there
    return Counter({word: number for word, number in there})


def start(backend: str, mode: str, tmp_path: Path) -> subprocess.Popen[bytes]:
    """Starts a run that counts words in the folder `in`, with this backend, an expression."""
    with (tmp_path / "log").open("ab") as log:
        arguments = [mode, str(tmp_path / "in"), str(tmp_path / "out.jsonl"), backend]
        program = [sys.executable, "-c", PROGRAM, *arguments]
        return subprocess.Popen(program, cwd=tmp_path, stdout=log, stderr=log)


def survives_kills(backend: str, tmp_path: Path, kills: int = 4) -> None:
    """Runs with this backend, an expression, are killed; the last one has counted every word once."""
    folder, out, log = tmp_path / "in", tmp_path / "out.jsonl", tmp_path / "log"
    folder.mkdir()
    written = 0
    for kill in range(kills):
        with start(backend, "streaming", tmp_path) as run:
            deadline = time.monotonic() + 1.5 + 0.3 * kill
            while time.monotonic() < deadline:
                (folder / f"{written}.txt").write_text(f"word {written % 7}\n")
                written += 1
                time.sleep(0.01)
            assert run.poll() is None, log.read_text()
            run.kill()
    with start(backend, "static", tmp_path) as run:
        assert run.wait(120) == 0, log.read_text()
    assert counted(out) == Counter(f"word {number % 7}" for number in range(written))


def is_waited_for(backend: str, service: Running, checkpoints: Callable[[], int], tmp_path: Path) -> None:
    """A run goes on while its store does not answer, and writes checkpoints when it does again.

    Files wait: what was read of them is kept in the store. `checkpoints` gives the number of the last one.
    """
    log = tmp_path / "log"
    (tmp_path / "in").mkdir()
    words: Counter[str] = Counter()

    def add(word: str) -> None:
        words[word] += 1
        with (tmp_path / "lines").open("a") as lines:
            lines.write(f"{word}\n")

    def add_file(word: str) -> None:
        words[word] += 1
        (tmp_path / "in" / f"{word}.txt").write_text(f"{word}\n")

    def wait_for(condition: Callable[[], bool]) -> None:
        deadline = time.monotonic() + 60
        while not condition():
            assert run.poll() is None, log.read_text()
            assert time.monotonic() < deadline, log.read_text()
            time.sleep(0.02)

    def is_counted() -> bool:
        return counted(tmp_path / "out.jsonl") == words

    (tmp_path / "lines").touch()
    with start(backend, "lines", tmp_path) as run:
        try:
            add("before")
            add_file("a file before")
            wait_for(lambda: is_counted() and checkpoints() > 0)
            os.kill(service.pid, signal.SIGSTOP)
            add("meanwhile")
            wait_for(is_counted)
            add_file("a file meanwhile")
            os.kill(service.pid, signal.SIGCONT)
            last = checkpoints()
            add("after")
            wait_for(lambda: is_counted() and checkpoints() > last)
            run.terminate()
            assert run.wait(60) == 128 + signal.SIGTERM, log.read_text()
        finally:
            os.kill(service.pid, signal.SIGCONT)
            run.kill()


def is_refused(backend: pw.persistence.Backend, tmp_path: Path, *why: str) -> None:
    """A run with this backend ends at once, and says where and why."""
    (tmp_path / "in").mkdir(exist_ok=True)
    with pytest.raises(pw.engine.EngineError) as error:
        count(tmp_path / "in", tmp_path / "out.jsonl", backend)
    assert all(part in str(error.value) for part in (backend.path, *why)), error.value
