"""Runs that tests start as a user would, by `pathway spawn`."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import textwrap
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from ports import free_ports

#: Far longer than a run may take to end.
PATIENCE = 60

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

    def __init__(self, folder: Path, *arguments: str) -> None:
        self._output = folder / "output"
        with self._output.open("w") as output:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "pathway", "spawn", *arguments],
                cwd=folder,
                stdout=output,
                stderr=output,
                env={**os.environ, "PYTHONUNBUFFERED": "1"},
                start_new_session=True,
            )

    def text(self) -> str:
        """What all processes have printed and logged."""
        return self._output.read_text()

    def wait_for(self, text: str) -> None:
        """Waits until a text has been printed."""
        self.wait_until(lambda: text in self.text())

    def wait_until(self, holds: Callable[[], bool]) -> None:
        """Waits until something holds, which it does before the end."""
        deadline = time.monotonic() + PATIENCE
        while not holds():
            assert self.process.poll() is None, self.text()
            assert time.monotonic() < deadline, self.text()
            time.sleep(0.02)

    def wait(self) -> int:
        """Waits for the end; returns the exit code."""
        return self.process.wait(PATIENCE)


@contextlib.contextmanager
def started(folder: Path, *arguments: str) -> Iterator[Spawned]:
    """`pathway spawn` with these arguments; what is left of it at the end is killed."""
    run = Spawned(folder, *arguments)
    try:
        yield run
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(run.process.pid, signal.SIGKILL)
        run.process.wait()


@contextlib.contextmanager
def spawned(folder: Path, program: str, processes: int, *options: str) -> Iterator[Spawned]:
    """The same for a program, with what is above before it, in some processes."""
    (folder / "program.py").write_text(PRELUDE + textwrap.dedent(program))
    ports = ["--first-port", str(free_ports(processes)), "--processes", str(processes)]
    with started(folder, *ports, *options, sys.executable, "program.py") as run:
        yield run
