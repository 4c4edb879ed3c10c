"""Runs that tests start as a user would, by `pathway spawn`."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import textwrap
import time
from collections.abc import Iterator
from pathlib import Path

from ports import free_ports

#: Far longer than a run may take to end.
PATIENCE = 40

PRELUDE = """
import json, os, sys, time
import pathway as pw
PROCESS = os.environ.get("PATHWAY_PROCESS_ID", "0")

class Words(pw.Schema):
    word: str
    n: int

def run(**options):
    pw.run(monitoring_level=pw.MonitoringLevel.NONE, **options)

def print(*words):
    # One write for one line: all processes speak at the same time.
    os.write(1, (" ".join(map(str, words)) + chr(10)).encode())
"""


class Spawned:
    """`pathway spawn` and what it started."""

    def __init__(self, folder: Path, program: str, processes: int, *options: str) -> None:
        (folder / "program.py").write_text(PRELUDE + textwrap.dedent(program))
        ports = ["--first-port", str(free_ports(processes)), "--processes", str(processes)]
        command = [sys.executable, "-m", "pathway", "spawn", *ports, *options, sys.executable, "program.py"]
        self.output = (folder / "output").open("w+")
        environment = {**os.environ, "PYTHONUNBUFFERED": "1"}
        self.process = subprocess.Popen(
            command,
            cwd=folder,
            stdout=self.output,
            stderr=self.output,
            env=environment,
            start_new_session=True,
        )

    def text(self) -> str:
        self.output.seek(0)
        return self.output.read()

    def wait_for(self, text: str) -> None:
        deadline = time.monotonic() + PATIENCE
        while text not in self.text():
            assert self.process.poll() is None, self.text()
            assert time.monotonic() < deadline, self.text()
            time.sleep(0.02)

    def wait(self) -> int:
        return self.process.wait(PATIENCE)


@contextlib.contextmanager
def spawned(folder: Path, program: str, processes: int, *options: str) -> Iterator[Spawned]:
    run = Spawned(folder, program, processes, *options)
    try:
        yield run
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(run.process.pid, signal.SIGKILL)
        run.process.wait()
        run.output.close()
