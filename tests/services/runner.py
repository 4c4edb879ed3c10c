"""Starts and stops the services that connector tests talk to.

A `Service` describes a program that listens on a port of this machine; `running` starts it in a scratch
folder, waits until it answers, and stops it by its process id afterwards.
"""

from __future__ import annotations

import contextlib
import importlib.util
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

FOLDER = Path(__file__).resolve().parent


class ServiceError(RuntimeError):
    """A service that is not installed, or did not start; the text holds the end of its log."""


@dataclass(frozen=True)
class Running:
    """A started service."""

    name: str
    port: int
    folder: Path
    #: Of the process, which leads a group of its own.
    pid: int


def accepts_connections(running: Running) -> bool:
    """The usual readiness check: something listens on the port."""
    with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", running.port), timeout=1):
        return True
    return False


@dataclass(frozen=True)
class Service:
    """How to run a service.

    `command` gets the port and an empty folder for data and configuration; `ready` is asked until it says
    yes. `package` is what to install if the program is missing.
    """

    name: str
    command: Callable[[int, Path], list[str]]
    package: str
    ready: Callable[[Running], bool] = accepts_connections
    environment: dict[str, str] | None = None
    start_limit_s: float = 60.0
    stop_limit_s: float = 20.0
    stop_signal: signal.Signals = signal.SIGTERM


def free_port() -> int:
    """A port that nobody listens on at the moment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextlib.contextmanager
def running(service: Service) -> Iterator[Running]:
    """The service, started; it is stopped when the block is left."""
    with tempfile.TemporaryDirectory(prefix=f"service-{service.name}-") as scratch:
        port, folder = free_port(), Path(scratch)
        command = service.command(port, folder)
        if shutil.which(command[0]) is None:
            raise ServiceError(f"{service.name}: {command[0]} is not installed (package {service.package})")
        log = folder / "service.log"
        with open(log, "wb") as sink:
            process = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=sink,
                stderr=subprocess.STDOUT,
                cwd=folder,
                env={**os.environ, **(service.environment or {})},
                start_new_session=True,
            )
        place = Running(service.name, port, folder, process.pid)
        try:
            _wait_until_ready(service, place, process, log)
            yield place
        finally:
            _stop(process, service.stop_signal, service.stop_limit_s)


def _wait_until_ready(service: Service, place: Running, process: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + service.start_limit_s
    while not service.ready(place):
        code = process.poll()
        if code is not None or time.monotonic() > deadline:
            what = f"ended with code {code}" if code is not None else f"did not answer on port {place.port}"
            tail = log.read_text(errors="replace")[-2000:]
            raise ServiceError(f"{service.name} {what}; its log ends with:\n{tail}")
        time.sleep(0.05)


def _stop(process: subprocess.Popen[bytes], stop_signal: signal.Signals, limit_s: float) -> None:
    """Ends the process and whatever it started (it leads a session of its own)."""
    if process.poll() is None:
        os.killpg(process.pid, stop_signal)
        try:
            process.wait(limit_s)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()


def all_services() -> list[Service]:
    """The services described in the folders next to this file."""
    services = []
    for path in sorted(FOLDER.glob("*/service.py")):
        spec = importlib.util.spec_from_file_location(f"service_{path.parent.name}", path)
        if spec is None or spec.loader is None:
            raise ServiceError(f"{path} cannot be loaded")
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        services.append(module.SERVICE)
    return services
