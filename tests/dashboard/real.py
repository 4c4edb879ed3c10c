"""A run of `flights.py`, as a user would start it, whose inputs a test makes."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

from ports import free_ports

PROGRAM = Path(__file__).with_name("flights.py")
#: Seconds: far longer than a run may take to begin or to end.
PATIENCE = 60


def place(start: str) -> str:
    """Where the line of the program is that begins like this, as the dashboard writes it."""
    lines = PROGRAM.read_text().splitlines()
    [number] = [number for number, line in enumerate(lines, 1) if line.strip().startswith(start)]
    return f"{PROGRAM.name}:{number}"


class Real:
    """The run, and its folder."""

    def __init__(self, folder: Path, *options: str, **variables: str) -> None:
        self.folder = folder
        self.options = options
        self.port = free_ports(1)
        self.variables = {**variables, "PATHWAY_MONITORING_HTTP_PORT": str(self.port)}
        self.files = 0
        (folder / "flights").mkdir()
        (folder / "airlines.csv").write_text("code,name\nAA,American\nDL,Delta\nUA,United\nWN,Southwest\n")

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.port}/"

    def start(self) -> None:
        """Starts it, and waits until it is served."""
        command = [sys.executable, str(PROGRAM), *self.options]
        with (self.folder / "log").open("a") as log:
            environment = {**os.environ, **self.variables}
            self.process = subprocess.Popen(
                command,
                cwd=self.folder,
                env=environment,
                stdout=log,
                stderr=log,
                # What a shell starts in the background ignores it, and so does all that this starts.
                preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL) and None,
            )
        deadline = time.monotonic() + PATIENCE
        while True:
            try:
                urllib.request.urlopen(self.address, timeout=PATIENCE).close()
                return
            except (urllib.error.URLError, ConnectionError):
                assert self.process.poll() is None, self.log()
                assert time.monotonic() < deadline, self.log()
                time.sleep(0.02)

    def log(self) -> str:
        return (self.folder / "log").read_text()

    def stop(self, how: signal.Signals = signal.SIGTERM) -> int:
        """Ends it, by a signal; what it says as its end."""
        self.process.send_signal(how)
        return self.wait()

    def wait(self) -> int:
        return self.process.wait(PATIENCE)

    def flights(self, *lines: str) -> None:
        """A new file of flights."""
        self.files += 1
        draft = self.folder / "draft"
        draft.write_text("\n".join(["carrier,delay,air_time", *lines, ""]))
        draft.rename(self.folder / "flights" / f"{self.files}.csv")

    def stop_feed(self) -> None:
        (self.folder / "stop").touch()


@contextlib.contextmanager
def started(folder: Path, *options: str, **variables: str) -> Iterator[Real]:
    run = Real(folder, *options, **variables)
    run.start()
    try:
        yield run
    finally:
        run.process.kill()
        run.process.wait()
