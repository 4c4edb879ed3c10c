"""Starts the processes of a run, and sees to it that they end together."""

from __future__ import annotations

import contextlib
import os
import secrets
import signal
import subprocess
import sys
import time
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from types import FrameType

from pathway.internals.scaling import SCALE_DOWN, SCALE_UP

#: How long processes that are told to end may take before they are killed, in seconds.
_PATIENCE = 30.0
#: How long after the end of one that failed the others are told to end, in seconds.
_NOTICE = 2.0
#: How often it is looked whether a process has ended, in seconds.
_LOOK = 0.02
_HIGHEST_PORT = 65535


class NotStarted(Exception):
    """The program cannot be started."""


@dataclass(frozen=True)
class Launch:
    """Which processes are started here, and how they find each other."""

    threads: int
    processes: int = 1
    first_port: int = 10000
    #: Those of all processes of the run, of which only `process_id` is started here.
    addresses: tuple[str, ...] = ()
    process_id: int = 0
    #: The most that there may be when the load says so.
    most: int | None = None

    @property
    def total(self) -> int:
        """How many processes the run has."""
        return len(self.addresses) or self.processes

    @property
    def here(self) -> Sequence[int]:
        """The numbers of those that are started here."""
        return [self.process_id] if self.addresses else range(self.processes)

    def scaled(self, code: int) -> Launch:
        """The same with twice or half as many processes, as they wish.

        >>> Launch(threads=1, processes=3).scaled(SCALE_DOWN).processes
        1
        >>> Launch(threads=1, processes=3, most=4).scaled(SCALE_UP).processes
        4
        """
        if code == SCALE_DOWN:
            return replace(self, processes=max(1, self.processes // 2))
        most = _HIGHEST_PORT + 1 - self.first_port
        if self.most is not None:
            most = min(most, self.most)
        return replace(self, processes=max(self.processes, min(2 * self.processes, most)))

    def variables(self) -> dict[str, str]:
        """What all processes are told through the environment.

        >>> Launch(threads=2, processes=3).variables()["PATHWAY_PROCESSES"]
        '3'
        """
        variables = {
            "PATHWAY_THREADS": str(self.threads),
            "PATHWAY_PROCESSES": str(self.total),
            "PATHWAY_RUN_ID": str(uuid.uuid4()),
            "PATHWAY_SUPPRESS_OTHER_WORKER_ERRORS": "1",
            "PATHWAY_START_TIMESTAMP_MS": str(time.time_ns() // 1_000_000),
        }
        if self.addresses:
            variables["PATHWAY_ADDRESSES"] = ",".join(self.addresses)
        else:
            variables["PATHWAY_FIRST_PORT"] = str(self.first_port)
            # Processes that are all started here can have one that nobody else knows.
            secret = os.environ.get("PATHWAY_CLUSTER_SECRET") or secrets.token_hex(32)
            variables["PATHWAY_CLUSTER_SECRET"] = secret
        return variables


def launch(
    plan: Launch,
    command: Sequence[str],
    *,
    folder: Path | None = None,
    variables: Mapping[str, str] | None = None,
) -> int:
    """Runs a command in the processes of a plan, with more variables in their environment, until all have
    ended; gives the exit code. If they end with the wish for another number of processes, that is started.

    Raises:
        NotStarted: the command cannot be executed.
    """
    while True:
        ended = _launch_once(plan, command, folder, variables or {})
        if ended.wish is None or plan.addresses:
            return ended.code
        scaled = plan.scaled(ended.wish)
        before, after = plan.processes, scaled.processes
        print(f"Updating the processes number from {before} to {after}", file=sys.stderr, flush=True)
        plan = scaled


@dataclass(frozen=True)
class _Ended:
    """How the processes have ended."""

    code: int
    #: `SCALE_UP` or `SCALE_DOWN`, if that is all that they have to say.
    wish: int | None


def _launch_once(
    plan: Launch, command: Sequence[str], folder: Path | None, variables: Mapping[str, str]
) -> _Ended:
    workers = plan.threads * plan.total
    processes = "1 process" if plan.total == 1 else f"{plan.total} processes"
    total = "1 total worker" if workers == 1 else f"{workers} total workers"
    print(f"Preparing {processes} ({total})", file=sys.stderr, flush=True)
    environment = {**os.environ, **variables, **plan.variables()}
    if plan.addresses:
        # A list of addresses takes the place of ports that an earlier launcher may have set.
        environment.pop("PATHWAY_FIRST_PORT", None)
    else:
        environment.pop("PATHWAY_ADDRESSES", None)
    children = _Children()
    with children.told_to_end_by_signals():
        try:
            for process in plan.here:
                children.start(command, {**environment, "PATHWAY_PROCESS_ID": str(process)}, folder)
        except OSError as error:
            children.end()
            raise NotStarted(f"{command[0]} cannot be executed: {error.strerror}") from error
        return children.wait()


class _Children:
    """Processes that end together."""

    def __init__(self) -> None:
        self.children: list[subprocess.Popen[bytes]] = []
        #: When they were told to end.
        self.told: float | None = None
        #: Whether somebody has told us so.
        self.signalled = False

    def start(self, command: Sequence[str], environment: dict[str, str], folder: Path | None) -> None:
        self.children.append(subprocess.Popen(command, env=environment, cwd=folder))

    def tell(self, number: int = int(signal.SIGTERM)) -> None:
        """Tells those that still run to end."""
        self.told = self.told or time.monotonic()
        for child in self.children:
            if child.poll() is None:
                # It may end right now.
                with contextlib.suppress(ProcessLookupError):
                    child.send_signal(number)

    def end(self) -> None:
        """Tells all to end unless they have been told, and waits until they have."""
        # A second signal would have them end at once, without the order of the first.
        if self.told is None:
            self.tell()
        while any(child.poll() is None for child in self.children):
            if self.told is not None and time.monotonic() - self.told > _PATIENCE:
                self.tell(signal.SIGKILL)
            time.sleep(_LOOK)

    def wait(self) -> _Ended:
        """Waits until all have ended, the others soon after one that fails."""
        while self.told is None and any(child.poll() is None for child in self.children):
            failed = [child for child in self.children if child.poll()]
            if failed:
                return self._end_after(failed)
            time.sleep(_LOOK)
        failed = [child for child in self.children if child.poll()]
        self.end()
        return self._ended(failed or self.children)

    def _end_after(self, failed: list[subprocess.Popen[bytes]]) -> _Ended:
        # The others notice that one is gone, and can say more of it than that they were told to end.
        deadline = time.monotonic() + _NOTICE
        while self.told is None and time.monotonic() < deadline:
            if all(child.poll() is not None for child in self.children):
                break
            time.sleep(_LOOK)
        self.end()
        return self._ended(failed)

    def _ended(self, decisive: list[subprocess.Popen[bytes]]) -> _Ended:
        """What these say: the others have ended because of them."""
        codes = {_exit_code(child) for child in decisive}
        wishes = codes & {SCALE_UP, SCALE_DOWN}
        # One that has failed has more to say, and so has who wants the run to end.
        is_wish = wishes == codes and not self.signalled
        return _Ended(max(codes), max(wishes) if is_wish else None)

    @contextlib.contextmanager
    def told_to_end_by_signals(self) -> Iterator[None]:
        """SIGTERM and SIGINT are passed on; a second one kills."""

        def passed_on(number: int, frame: FrameType | None) -> None:
            self.signalled = True
            self.tell(signal.SIGKILL if self.told is not None else number)

        before: dict[int, Callable[[int, FrameType | None], object] | int | None] = {}
        for which in (signal.SIGTERM, signal.SIGINT):
            before[which] = signal.signal(which, passed_on)
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)


def _exit_code(child: subprocess.Popen[bytes]) -> int:
    """The exit code as a shell has it: 128 and the number of the signal that killed the process."""
    code = child.poll() or 0
    return code if code >= 0 else 128 - code
