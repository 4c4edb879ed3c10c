"""Three hosts work on one run: one is killed, one is cut off, and later runs go on."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from services.hosts.network import Host, network

#: Far longer than anything takes.
PATIENCE = 60
#: After so much silence a process is lost, in milliseconds.
SILENCE = 2000

PROGRAM = """
import os
import pathway as pw

class Words(pw.Schema):
    word: str

words = pw.io.jsonlines.read("in", schema=Words, name="words", autocommit_duration_ms=20)
counts = words.groupby(words.word).reduce(words.word, n=pw.reducers.count())
pw.io.jsonlines.write(counts, "out.jsonl")
backend = pw.persistence.Backend.filesystem("state")
try:
    pw.run(persistence_config=pw.persistence.Config(backend))
except pw.engine.OtherWorkerError as error:
    print("told:", error)
    raise SystemExit(3)
"""


@pytest.fixture
def hosts() -> Iterator[Sequence[Host]]:
    if os.geteuid() != 0 or shutil.which("ip") is None:
        pytest.skip("hosts are network namespaces, which need root and iproute2")
    with network(3) as hosts:
        yield hosts


class Run:
    """One process on each host, started by `pathway spawn` or, to be killed alone, by itself."""

    def __init__(self, folder: Path, hosts: Sequence[Host], *, spawn: bool = False, **variables: str) -> None:
        self.folder = folder
        self.hosts = hosts
        self.spawn = spawn
        self.addresses = ",".join(f"{host.address}:9000" for host in hosts)
        self.variables = {
            **os.environ,
            "PATHWAY_CLUSTER_SECRET": "of three hosts",
            "PATHWAY_CLUSTER_SILENCE_MS": str(SILENCE),
            "PYTHONUNBUFFERED": "1",
            **variables,
        }
        self.processes: list[subprocess.Popen[bytes]] = []

    def start(self, *numbers: int, **variables: str) -> list[subprocess.Popen[bytes]]:
        """Starts the processes of these hosts."""
        started = []
        for number in numbers:
            own = {**self.variables, **variables}
            command = [sys.executable, "program.py"]
            if self.spawn:
                options = ["--addresses", self.addresses, "--process-id", str(number)]
                command = [sys.executable, "-m", "pathway", "spawn", *options, *command]
            else:
                own["PATHWAY_PROCESSES"] = str(len(self.hosts))
                own["PATHWAY_PROCESS_ID"] = str(number)
                own["PATHWAY_ADDRESSES"] = self.addresses
                own["PATHWAY_SUPPRESS_OTHER_WORKER_ERRORS"] = "0"
            with (self.folder / f"log-{number}").open("a") as log:
                process = subprocess.Popen(
                    self.hosts[number].command(*command),
                    cwd=self.folder,
                    env=own,
                    stdout=log,
                    stderr=log,
                    start_new_session=True,
                )
            started.append(process)
        self.processes += started
        return started

    def logs(self) -> str:
        logs = (self.folder / f"log-{number}" for number in range(len(self.hosts)))
        return "\n".join(log.read_text() for log in logs if log.exists())

    def wait_for(self, counts: Counter[str]) -> None:
        """Waits until the output has these counts."""
        deadline = time.monotonic() + PATIENCE
        while counted(self.folder) != counts:
            assert all(process.poll() is None for process in self.processes), self.logs()
            assert time.monotonic() < deadline, f"{counted(self.folder)}, {self.logs()}"
            time.sleep(0.05)

    def end_code(self, number: int) -> int:
        return self.processes[number].wait(PATIENCE)

    def kill(self) -> None:
        for process in self.processes:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()


@contextlib.contextmanager
def running(folder: Path, hosts: Sequence[Host]) -> Iterator[Run]:
    """A run of all these hosts."""
    for log in folder.glob("log-*"):
        log.unlink()
    run = Run(folder, hosts)
    try:
        run.start(*range(len(hosts)))
        yield run
    finally:
        run.kill()


def counted(folder: Path) -> Counter[str]:
    """The rows that the changes in the output leave; no change is in it twice."""
    rows: Counter[tuple[str, int]] = Counter()
    path = folder / "out.jsonl"
    lines = path.read_text().splitlines() if path.exists() else []
    for line in lines:
        with contextlib.suppress(json.JSONDecodeError):  # It may be in the writing.
            change = json.loads(line)
            rows[change["word"], change["n"]] += change["diff"]
            assert rows[change["word"], change["n"]] in (0, 1), line
    return Counter({word: n for (word, n), there in rows.items() if there})


def add(folder: Path, name: str, counts: Counter[str]) -> None:
    words = [f"{name}-{i % 17}" for i in range(100)] + [f"w{i % 11}" for i in range(60)]
    counts.update(words)
    lines = "".join(json.dumps({"word": word}) + "\n" for word in words)
    (folder / "new").write_text(lines)
    (folder / "new").rename(folder / "in" / f"{name}.jsonl")


def test_three_hosts_of_which_one_is_killed_and_one_is_cut_off(tmp_path: Path, hosts: Sequence[Host]) -> None:
    (tmp_path / "program.py").write_text(PROGRAM)
    (tmp_path / "in").mkdir()
    counts: Counter[str] = Counter()
    for number in range(4):
        add(tmp_path, f"a{number}", counts)
    with running(tmp_path, hosts) as run:
        run.wait_for(counts)
        add(tmp_path, "b", counts)
        run.wait_for(counts)
        run.processes[1].send_signal(signal.SIGKILL)
        assert [run.end_code(0), run.end_code(2)] == [3, 3], run.logs()
        assert run.logs().count("process 1 (10.77.0.2:9000) is gone") == 2
    add(tmp_path, "c", counts)
    with running(tmp_path, hosts) as run:
        run.wait_for(counts)
        hosts[2].unplug()
        begin = time.monotonic()
        assert [run.end_code(0), run.end_code(1), run.end_code(2)] == [3, 3, 3], run.logs()
        assert time.monotonic() - begin < PATIENCE
        assert run.logs().count("process 2 (10.77.0.3:9000) is gone") >= 2
    hosts[2].plug_in()
    add(tmp_path, "d", counts)
    with running(tmp_path, hosts[:2]) as run:
        run.wait_for(counts)
        for process in run.processes:
            process.send_signal(signal.SIGTERM)
        assert [run.end_code(0), run.end_code(1)] == [128 + signal.SIGTERM] * 2, run.logs()
    assert counted(tmp_path) == counts


def test_hosts_that_are_missing_and_strangers(tmp_path: Path, hosts: Sequence[Host]) -> None:
    """Hosts are waited for, up to a limit; who does not know the secret is no host."""
    (tmp_path / "program.py").write_text(PROGRAM)
    (tmp_path / "in").mkdir()
    counts: Counter[str] = Counter()
    add(tmp_path, "a", counts)
    late = Run(tmp_path, hosts, spawn=True, PATHWAY_CLUSTER_PATIENCE_MS="1000")
    run = Run(tmp_path, hosts, spawn=True)
    try:
        assert [process.wait(PATIENCE) for process in late.start(0, 1)] == [1, 1], late.logs()
        assert late.logs().count(" 2 (10.77.0.3:9000)") == 2, late.logs()

        there = run.start(0, 1)
        (stranger,) = run.start(
            2, PATHWAY_CLUSTER_SECRET="of somebody else", PATHWAY_CLUSTER_PATIENCE_MS="1000"
        )
        assert stranger.wait(PATIENCE) == 1
        assert "the same secret (PATHWAY_CLUSTER_SECRET)" in run.logs()
        run.processes.remove(stranger)
        assert [process.poll() for process in there] == [None, None], run.logs()
        assert not counted(tmp_path)
        run.start(2)
        run.wait_for(counts)
        run.processes[0].send_signal(signal.SIGTERM)
        assert run.processes[0].wait(PATIENCE) == 128 + signal.SIGTERM, run.logs()
        run.processes[1].wait(PATIENCE)
        run.processes[2].wait(PATIENCE)
    finally:
        late.kill()
        run.kill()
    assert counted(tmp_path) == counts
