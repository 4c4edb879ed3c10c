"""Programs in processes of their own, which may be killed at any moment."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path


class Processes:
    """Runs of one program, which all write to one log. What still runs at the end is killed."""

    def __init__(self, folder: Path) -> None:
        self._log = folder / "log"
        self._started: list[subprocess.Popen[bytes]] = []

    def start(self, program: str, *arguments: object, **environment: str) -> subprocess.Popen[bytes]:
        """Starts a program, which is given as text."""
        return self.start_command([sys.executable, "-c", program, *map(str, arguments)], **environment)

    def start_command(self, command: list[str], **environment: str) -> subprocess.Popen[bytes]:
        """Starts a command, in a group of processes of its own."""
        with open(self._log, "ab") as log:
            run = subprocess.Popen(
                command, stdout=log, stderr=log, env={**os.environ, **environment}, start_new_session=True
            )
        self._started.append(run)
        return run

    def log(self) -> str:
        """What all runs have said."""
        return self._log.read_text(errors="replace") if self._log.exists() else ""

    def kill(self) -> None:
        """Ends what still runs."""
        while self._started:
            kill(self._started.pop())


def kill(run: subprocess.Popen[bytes]) -> None:
    """Kills a run with all of its processes."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(run.pid, signal.SIGKILL)
    run.wait()


def until(condition: Callable[[], bool], what: str, seconds: float = 60) -> None:
    """Waits for a condition."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, f"after {seconds} s: {what}"
        time.sleep(0.02)
