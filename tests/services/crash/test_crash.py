"""A program between Kafka and PostgreSQL is killed at random moments, and loses and repeats nothing.

`PATHWAY_CRASH_KILLS` says how often (`make crash`: 200), `PATHWAY_CRASH_SEED` repeats the choices of an
earlier run.
"""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from ports import free_ports
from services.crash import outputs
from services.crash.world import PARTITIONS, World
from services.kafka.client import Topic
from services.postgres.database import Database
from services.processes import until
from services.runner import Running

KILLS = int(os.environ.get("PATHWAY_CRASH_KILLS", "6"))
SEED = int(os.environ.get("PATHWAY_CRASH_SEED", "0")) or time.time_ns() % 1_000_000_000

PROGRAM = Path(__file__).parent / "program.py"
#: Processes and threads of a run. Most have two of each.
SHAPES = ((2, 2), (2, 2), (2, 2), (1, 1), (1, 3), (2, 1), (3, 1), (3, 2))


class Run:
    """The processes of one run, and what has started them."""

    def __init__(
        self, log: Path, settings: dict[str, object], first_port: int, processes: int, threads: int
    ) -> None:
        self.log = log
        self.processes = processes
        options = ["--processes", str(processes), "--threads", str(threads)]
        options += ["--first-port", str(first_port)]
        command = [sys.executable, "-m", "pathway", "spawn", *options, sys.executable, str(PROGRAM)]
        with open(log, "ab") as file:
            self._launcher = subprocess.Popen(
                [*command, json.dumps(settings)], stdout=file, stderr=file, start_new_session=True
            )

    def children(self) -> list[int]:
        """The processes that are there now."""
        pid = self._launcher.pid
        return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]

    def expect_alive(self) -> None:
        """Nothing but us ends a run."""
        assert self._launcher.poll() is None, self.end_of_log()

    def kill(self) -> None:
        """Kills all of it."""
        if self._launcher.poll() is None:
            os.killpg(self._launcher.pid, signal.SIGKILL)
        self._launcher.wait()

    def kill_one(self, number: int) -> float:
        """Kills one process, and waits for the others to end because of that; gives the seconds that took."""
        until(lambda: len(self.children()) == self.processes, "all processes are started")
        begin = time.monotonic()
        os.kill(self.children()[number], signal.SIGKILL)
        code = self._launcher.wait(60)
        assert code == 128 + signal.SIGKILL, f"exit code {code}: {self.end_of_log()}"
        return time.monotonic() - begin

    def stop(self) -> None:
        """Asks it to end, which it does in order."""
        self._launcher.terminate()
        code = self._launcher.wait(60)
        assert code == 128 + signal.SIGTERM, f"exit code {code}: {self.end_of_log()}"

    def end_of_log(self) -> str:
        """What the last runs have said."""
        return self.log.read_text(errors="replace")[-6000:]


class Crashes:
    """Runs of the program, one at a time."""

    def __init__(self, folder: Path, orders: Topic, db: Database) -> None:
        self.log = folder / "log"
        self.totals = f"{orders.name}-totals"
        self.server = orders.server
        self.db = db
        self.run: Run | None = None
        # Ports of a run that was killed are free.
        self._first_port = free_ports(max(processes for processes, _ in SHAPES))
        self._settings = {
            "server": orders.server,
            "orders": orders.name,
            "totals": self.totals,
            "postgres": db.settings(),
            "state": str(folder / "state"),
        }

    def start(self, processes: int, threads: int, interval: int) -> Run:
        settings = {**self._settings, "interval": interval}
        self.run = Run(self.log, settings, self._first_port, processes, threads)
        return self.run

    def end(self) -> None:
        """Ends what still runs."""
        if self.run is not None:
            self.run.kill()


@pytest.fixture
def orders(kafka: Running) -> Topic:
    return Topic(kafka, PARTITIONS)


@pytest.fixture
def db(postgres: Running) -> Iterator[Database]:
    database = Database(postgres)
    yield database
    database.clear()


@pytest.fixture
def crashes(tmp_path: Path, orders: Topic, db: Database) -> Iterator[Crashes]:
    crashes = Crashes(tmp_path, orders, db)
    yield crashes
    crashes.end()


@pytest.fixture
def world(orders: Topic, db: Database) -> Iterator[World]:
    world = World(orders, db, SEED)
    yield world
    world.stop()


def test_nothing_is_lost_and_nothing_comes_twice(crashes: Crashes, world: World) -> None:
    print(f"\nPATHWAY_CRASH_SEED={SEED} PATHWAY_CRASH_KILLS={KILLS}", flush=True)
    chance = random.Random(SEED)
    slowest, progress, written = 0.0, 0, 0
    for number in range(KILLS):
        processes, threads = chance.choice(SHAPES)
        run = crashes.start(processes, threads, chance.choice((0, 50, 300)))
        one = chance.choice((None, chance.randrange(processes)))
        time.sleep(chance.uniform(0.1, 1.5) if chance.random() < 0.4 else chance.uniform(1.5, 6.0))
        world.check()
        run.expect_alive()
        if one is None:
            run.kill()
        else:
            slowest = max(slowest, run.kill_one(one))
        now = outputs.count(crashes.db)
        if now != written:
            written, progress = now, progress + 1
        if (number + 1) % 10 == 0:
            print(f"{number + 1} kills, {len(world.orders)} orders", flush=True)
    world.stop()

    expected = world.expected()
    run = crashes.start(2, 2, 50)

    def has_arrived() -> bool:
        run.expect_alive()
        return outputs.current(crashes.db) == expected

    until(has_arrived, f"the table holds what is expected; {crashes.log}", 180)
    run.stop()
    in_topic = outputs.in_topic(crashes.server, crashes.totals)
    in_table = outputs.in_table(crashes.db)
    assert outputs.rows_left(in_topic) == expected
    assert outputs.rows_left(in_table) == expected
    assert outputs.current(crashes.db) == expected
    assert sorted(in_topic) == sorted(in_table), outputs.differences(in_topic, in_table)
    print(
        f"{KILLS} kills, {progress} of them of runs that had written, {len(world.orders)} orders, "
        f"{len(in_topic)} changes; the others have ended at most {slowest:.1f} s after one was killed"
    )
