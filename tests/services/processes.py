"""Programs in processes of their own, which may be killed at any moment."""

from __future__ import annotations

import os
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
        with open(self._log, "ab") as log:
            run = subprocess.Popen(
                [sys.executable, "-c", program, *map(str, arguments)],
                stdout=log,
                stderr=log,
                env={**os.environ, **environment},
            )
        self._started.append(run)
        return run

    def log(self) -> str:
        """What all runs have said."""
        return self._log.read_text(errors="replace") if self._log.exists() else ""

    def kill(self) -> None:
        """Ends what still runs."""
        while self._started:
            with self._started.pop() as run:
                run.kill()


def until(condition: Callable[[], bool], what: str, seconds: float = 60) -> None:
    """Waits for a condition."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, f"after {seconds} s: {what}"
        time.sleep(0.02)
