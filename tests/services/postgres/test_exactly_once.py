"""Into tables, each change once, with runs that are killed at any moment."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

import pathway as pw
from services.postgres.database import Database
from services.processes import Processes, until

KILLS = int(os.environ.get("PATHWAY_POSTGRES_KILLS", "8"))

PROGRAM = """
import json, sys
import pathway as pw

mode, settings, folder, state = sys.argv[1:]
settings = json.loads(settings)

class Order(pw.Schema):
    number: int
    shop: str

orders = pw.io.jsonlines.read(folder, schema=Order, mode=mode, autocommit_duration_ms=5)
for rest in range(2):
    part = orders.filter(orders.number % 2 == rest)
    size = rest * 7 or None
    pw.io.postgres.write(part, settings, "orders", init_mode="create_if_not_exists", max_batch_size=size)
pw.io.postgres.write(orders, settings, "again", init_mode="replace")
totals = orders.groupby(orders.shop).reduce(orders.shop, count=pw.reducers.count())
pw.io.postgres.write(totals, settings, "changes", init_mode="replace")
pw.io.postgres.write(
    totals, settings, "totals", init_mode="replace", output_table_type="snapshot", primary_key=[totals.shop],
    max_batch_size=2,
)
pw.run(
    monitoring_level=pw.MonitoringLevel.NONE,
    persistence_config=pw.persistence.Config(pw.persistence.Backend.filesystem(state)),
)
"""

SHOPS = 5


class Orders:
    """Files of orders, and a program that writes them to tables."""

    def __init__(self, db: Database, processes: Processes, folder: Path, program: str = PROGRAM) -> None:
        self.db = db
        self.processes = processes
        self.program = program
        self.files = folder / "orders"
        self.files.mkdir()
        self.state = folder / "state"
        self.sent = 0
        self._files_sent = 0

    def send(self, count: int) -> None:
        """Writes a file of orders, whole or not at all."""
        lines = [
            json.dumps({"number": number, "shop": f"shop {number % SHOPS}"}) + "\n"
            for number in range(self.sent, self.sent + count)
        ]
        self.sent += count
        self._files_sent += 1
        new = self.files.parent / "new"
        new.write_text("".join(lines))
        new.rename(self.files / f"{self._files_sent}.jsonl")

    def start(self, mode: str = "streaming", **environment: str) -> subprocess.Popen[bytes]:
        settings = json.dumps(self.db.settings())
        return self.processes.start(self.program, mode, settings, self.files, self.state, **environment)

    def finish(self) -> None:
        """A run to the end of the input."""
        assert self.start("static").wait(120) == 0, self.processes.log()

    def numbers(self, table: str = "orders") -> list[int]:
        return [number for (number,) in self.db.rows(f"SELECT number FROM {table}")]


@pytest.fixture
def orders(db: Database, processes: Processes, tmp_path: Path) -> Orders:
    return Orders(db, processes, tmp_path)


def test_changes_are_written_once_however_often_runs_are_killed(orders: Orders) -> None:
    chance = random.Random(1)
    orders.send(50)
    for _ in range(KILLS):
        run = orders.start(PATHWAY_THREADS=str(chance.randint(1, 3)))
        begin, length = time.monotonic(), chance.uniform(0.3, 2.5)
        while time.monotonic() < begin + length:
            orders.send(chance.randint(1, 20))
            time.sleep(0.01)
        assert run.poll() is None, orders.processes.log()
        run.kill()
        run.wait()
    orders.finish()

    for table in ("orders", "again"):
        found = orders.db.rows(f"SELECT number, diff FROM {table}")
        assert sorted(found) == [(number, 1) for number in range(orders.sent)]
    expected = [(f"shop {shop}", len(range(shop, orders.sent, SHOPS))) for shop in range(SHOPS)]
    assert orders.db.rows("SELECT shop, count FROM totals") == expected
    left = "SELECT shop, count FROM changes GROUP BY shop, count HAVING sum(diff) <> 0"
    assert orders.db.rows(left) == expected
    often = "SELECT shop, count FROM changes GROUP BY shop, count HAVING count(*) > 2"
    assert orders.db.rows(often) == []
    # The outputs are told from each other.
    assert orders.db.rows("SELECT count(DISTINCT output), count(*) FROM pathway_commits") == [(5, 5)]


ONE = """
import json, sys
import pathway as pw

mode, settings, folder, state = sys.argv[1:]
schema = pw.schema_from_types(number=int, shop=str)
orders = pw.io.jsonlines.read(folder, schema=schema, mode=mode, autocommit_duration_ms=5)
pw.io.postgres.write(orders, json.loads(settings), "orders", init_mode="replace", name="orders")
pw.run(
    monitoring_level=pw.MonitoringLevel.NONE,
    persistence_config=pw.persistence.Config(pw.persistence.Backend.filesystem(state)),
)
"""


class Gate:
    """While it is closed, transactions that write to the table wait where they are committed."""

    def __init__(self, db: Database) -> None:
        self.db = db
        self._key = db.connect()
        db.run(
            "CREATE FUNCTION pass() RETURNS trigger LANGUAGE plpgsql AS "
            "'BEGIN PERFORM pg_advisory_xact_lock_shared(7); RETURN NULL; END'",
            "CREATE CONSTRAINT TRIGGER gate AFTER INSERT ON orders DEFERRABLE INITIALLY DEFERRED "
            "FOR EACH ROW EXECUTE FUNCTION pass()",
        )
        self._key.execute("SELECT pg_advisory_lock(7)")

    def open(self) -> None:
        self._key.close()

    def waiting(self) -> list[int]:
        """Those who wait: their processes of the server."""
        found = self.db.rows("SELECT pid FROM pg_locks WHERE locktype = 'advisory' AND NOT granted")
        return [pid for (pid,) in found]


@pytest.fixture
def one(db: Database, processes: Processes, tmp_path: Path) -> Orders:
    """A run that has written three orders, and ended."""
    orders = Orders(db, processes, tmp_path, ONE)
    orders.send(3)
    orders.finish()
    assert orders.numbers() == [0, 1, 2]
    return orders


@contextmanager
def closed(db: Database) -> Iterator[Gate]:
    gate = Gate(db)
    try:
        yield gate
    finally:
        gate.open()


@pytest.mark.parametrize("is_committed", [True, False])
def test_a_run_is_killed_while_it_commits(one: Orders, is_committed: bool) -> None:
    with closed(one.db) as gate:
        run = one.start()
        one.send(4)
        until(lambda: len(gate.waiting()) == 1, "the run commits")
        run.kill()
        run.wait()
        if is_committed:
            # The server has not noticed that nobody waits for the answer.
            gate.open()
            until(lambda: len(one.numbers()) == 7, "the transaction is committed")
        else:
            # The next run does not wait for one that comes to no end.
            (lost,) = gate.waiting()
            other = one.start("static")
            until(lambda: gate.waiting() not in ([], [lost]), "the next run commits", 30)
            gate.open()
            assert other.wait(60) == 0, one.processes.log()
            assert f"process {lost} of the server" in one.processes.log()
    one.finish()
    one.send(1)
    one.finish()
    assert one.numbers() == list(range(8))


def test_a_connection_is_lost_while_it_commits(one: Orders) -> None:
    """The run finds out whether the server has committed."""
    with closed(one.db) as gate:
        one.send(2)
        run = one.start("static")
        until(lambda: len(gate.waiting()) == 1, "the run commits")
        (first,) = gate.waiting()
        one.db.run(f"SELECT pg_terminate_backend({first})")
        until(lambda: gate.waiting() not in ([], [first]), "the run commits again")
        gate.open()
        assert run.wait(60) == 0, one.processes.log()
    assert one.numbers() == list(range(5))


def test_a_run_whose_place_another_has_taken_ends(one: Orders) -> None:
    with closed(one.db) as gate:
        stale = one.start()
        one.send(2)
        until(lambda: len(gate.waiting()) == 1, "the first run commits")
        (first,) = gate.waiting()
        other = one.start()
        until(lambda: gate.waiting() not in ([], [first]), "the second run commits", 30)
        gate.open()
        until(lambda: stale.poll() is not None, "the first run ends")
    assert stale.returncode == 1
    assert "in the name of this one" in one.processes.log()
    one.send(1)
    until(lambda: len(one.numbers()) == 6, "the second run goes on")
    other.send_signal(signal.SIGTERM)
    assert other.wait(60) == 128 + signal.SIGTERM
    assert one.numbers() == list(range(6))


def test_a_table_that_is_gone_cannot_be_gone_on_with(one: Orders) -> None:
    one.db.run("DROP TABLE orders")
    one.send(1)
    assert one.start("static").wait(60) == 1
    assert "the table is gone to which earlier runs have written" in one.processes.log()


def test_numbers_that_are_too_high_are_told_and_left_behind(one: Orders) -> None:
    """As after a checkpoint whose files are damaged."""
    one.db.run("UPDATE pathway_commits SET number = 1000")
    one.send(2)
    one.finish()
    assert "checkpoint 1000, which cannot be used" in one.processes.log()
    assert one.numbers() == list(range(5))
    ((number,),) = one.db.rows("SELECT number FROM pathway_commits")
    assert number < 1000


def test_a_new_store_begins_anew(one: Orders, tmp_path: Path) -> None:
    one.state = tmp_path / "other"
    one.send(1)
    one.finish()
    assert one.numbers() == list(range(4))


def test_a_source_that_starts_over_finds_an_empty_table(one: Orders) -> None:
    """Also after a run that was killed, which had more for the table."""
    mode = "persistence_mode=pw.PersistenceMode.SELECTIVE_PERSISTING"
    one.program = ONE.replace("filesystem(state)", f"filesystem(state), {mode}")
    one.finish()
    assert one.numbers() == [0, 1, 2]
    run = one.start()
    until(lambda: one.numbers() == [0, 1, 2], "the table is written anew")
    one.send(2)
    until(lambda: len(one.numbers()) == 5, "the run goes on")
    run.kill()
    run.wait()
    one.send(1)
    one.finish()
    assert one.numbers() == list(range(6))


def config(folder: Path) -> pw.persistence.Config:
    return pw.persistence.Config(pw.persistence.Backend.filesystem(folder))


def test_delivery_at_least_once_needs_no_table_of_commits(db: Database, tmp_path: Path) -> None:
    def write(folder: str, **options: Any) -> None:
        pw.internals.parse_graph.G.clear()
        table = pw.demo.range_stream(nb_rows=3, input_rate=1000)
        pw.io.postgres.write(table, db.settings(), "t", delivery="at-least-once", **options)
        pw.run(monitoring_level=pw.MonitoringLevel.NONE, persistence_config=config(tmp_path / folder))

    write("a", init_mode="create_if_not_exists")
    assert db.rows("SELECT count(*) FROM t") == [(3,)]
    assert db.rows("SELECT to_regclass('pathway_commits') IS NULL") == [(True,)]
    with pytest.raises(ValueError, match=r'init_mode="replace" may remove'):
        write("b", init_mode="replace")
    assert db.rows("SELECT count(*) FROM t") == [(3,)]


def test_users_who_may_not_make_the_table_of_commits(db: Database, tmp_path: Path) -> None:
    db.run(
        "CREATE TABLE t (value double precision, time bigint, diff smallint)",
        "DROP USER IF EXISTS writer",
        "CREATE USER writer",
        "REVOKE CREATE ON SCHEMA public FROM public",
        "GRANT INSERT ON t TO writer",
    )

    def write() -> None:
        pw.internals.parse_graph.G.clear()
        table = pw.demo.range_stream(nb_rows=3, input_rate=1000)
        pw.io.postgres.write(table, db.settings(user="writer"), "t", init_mode="create_if_not_exists")
        pw.run(monitoring_level=pw.MonitoringLevel.NONE, persistence_config=config(tmp_path))

    with pytest.raises(ValueError, match=r"CREATE TABLE \"public\".\"pathway_commits\" \(.*at-least-once"):
        write()
    db.run(
        "CREATE TABLE pathway_commits (output text PRIMARY KEY, run bigint NOT NULL, number bigint, "
        "written bigint)",
        "GRANT SELECT, INSERT, UPDATE ON pathway_commits TO writer",
    )
    write()
    assert db.rows("SELECT count(*) FROM t") == [(3,)]


def test_the_table_of_commits_is_not_written_to(db: Database) -> None:
    with pytest.raises(ValueError, match="write to another one"):
        pw.io.postgres.write(pw.Table.empty(k=int), db.settings(), "pathway_commits")
