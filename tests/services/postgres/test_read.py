"""Reading tables of a real server as they are."""

from __future__ import annotations

import functools
import threading
import time
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

import pathway as pw
from following import Followed, Step, rows_of
from pathway.internals.api import SnapshotAccess
from services.postgres.database import Database


class Order(pw.Schema):
    id: int = pw.column_definition(primary_key=True)
    item: str | None
    price: float


def test_a_static_read_reads_what_is_there(db: Database) -> None:
    db.run(
        "CREATE TABLE t (price numeric(8, 2), other int, id int PRIMARY KEY, item text)",
        "INSERT INTO t VALUES (1.5, 0, 1, 'ä\tb\n\\N'), (2, 0, 2, NULL), (3, 0, 3, '\\N'), (4, 0, 4, '')",
    )
    table = pw.io.postgres.read(db.settings(), "t", Order, mode="static")
    assert rows_of(table) == [(1, "ä\tb\n\\N", 1.5), (2, None, 2.0), (3, "\\N", 3.0), (4, "", 4.0)]


def test_the_rows_of_a_table_leave_together(db: Database) -> None:
    """They are one state of it, whatever the limit."""
    db.run(
        "CREATE TABLE t (id int PRIMARY KEY, item text, price real)",
        "INSERT INTO t SELECT n, 'x', n FROM generate_series(1, 10) AS n",
    )
    table = pw.io.postgres.read(db.settings(), "t", Order, mode="static", max_backlog_size=3)
    times: list[int] = []
    pw.io.subscribe(table, lambda key, row, time, is_addition: times.append(time))
    pw.run(monitoring_level=pw.MonitoringLevel.NONE)
    assert list(Counter(times).values()) == [10]


def test_a_static_read_that_loses_its_connection_ends(db: Database) -> None:
    """Nothing of the table has been delivered then: to read it is to start again."""
    db.run(
        "CREATE TABLE slow (id int PRIMARY KEY, item text, price real)",
        "INSERT INTO slow SELECT n, repeat('x', 1000), n FROM generate_series(1, 20000) AS n",
    )
    over = threading.Event()

    def cut() -> None:
        """Holds the copy up with a lock, and ends it there."""
        with db.connect() as locking, db.connect() as other, locking.transaction():
            locking.execute("LOCK TABLE slow IN ACCESS EXCLUSIVE MODE")
            locked.set()
            while not over.is_set():
                ended = other.execute(
                    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                    "WHERE datname = current_database() AND wait_event_type = 'Lock'"
                ).fetchall()
                if ended:
                    return
                time.sleep(0.01)

    locked = threading.Event()
    cutter = threading.Thread(target=cut)
    cutter.start()
    assert locked.wait(30)
    seen: list[int] = []
    table = pw.io.postgres.read(db.settings(), "slow", Order, mode="static")
    pw.io.subscribe(table, lambda key, row, time, is_addition: seen.append(row["id"]))
    try:
        with pytest.raises(OSError, match=r"postgres\(public\.slow\): cannot read: "):
            pw.run(monitoring_level=pw.MonitoringLevel.NONE)
    finally:
        over.set()
        cutter.join()
    assert seen == []
    pw.run(monitoring_level=pw.MonitoringLevel.NONE)
    assert len(seen) == 20000


def test_rows_are_identified_by_the_primary_key_of_the_schema(db: Database) -> None:
    db.run("CREATE TABLE t (id int, item text, price real)", "INSERT INTO t VALUES (7, 'a', 1)")
    table = pw.io.postgres.read(db.settings(), "t", Order, mode="static")
    same = table.select(same=table.id == table.pointer_from(7))
    assert rows_of(same) == [(True,)]


def test_columns_that_nobody_uses_are_not_read(db: Database) -> None:
    db.run("CREATE TABLE t (id int, item text, price real)", "INSERT INTO t VALUES (7, 'a', NULL)")
    table = pw.io.postgres.read(db.settings(), "t", Order, mode="static")
    assert rows_of(table.select(pw.this.item)) == [("a",)]


def test_what_cannot_be_read_is_a_dead_letter(db: Database) -> None:
    db.run(
        "CREATE TABLE t (id numeric, item text, price real)",
        "INSERT INTO t VALUES (7.5, 'a', 1), (8, 'b', NULL), (9, 'c', 2)",
    )
    table = pw.io.postgres.read(db.settings(), "t", Order, mode="static")
    reasons = rows_of(pw.io.dead_letters(table).select(pw.this.reason))
    assert len(reasons) == 2
    assert "not Optional" in reasons[0][0] or "not Optional" in reasons[1][0]
    table = pw.io.postgres.read(db.settings(), "t", Order, mode="static")
    assert rows_of(table) == [(9, "c", 2.0)]


def test_other_types_of_columns(db: Database) -> None:
    class Others(pw.Schema):
        uid: str
        day: pw.DateTimeNaive
        span: pw.Duration
        clock: pw.Duration
        numbers: list[list[int]]
        ip: str
        anything: Any

    db.run(
        "CREATE TABLE t (uid uuid, day date, span interval, clock time, numbers int2[], ip inet, "
        "anything point)",
        "INSERT INTO t VALUES ('C0FFEE00-0000-4000-8000-0123456789AB', '2025-01-17', '-1 day 2 seconds', "
        "'01:00:00.5', '{{1,2},{3,4}}', '10.0.0.1', '(1,2)')",
    )
    ((uid, day, span, clock, numbers, ip, anything),) = rows_of(
        pw.io.postgres.read(db.settings(), "t", Others, mode="static")
    )
    assert uid == "c0ffee00-0000-4000-8000-0123456789ab"
    assert day == pw.DateTimeNaive("2025-01-17")
    assert span == pw.Duration(days=-1, seconds=2)
    assert clock == pw.Duration(hours=1, milliseconds=500)
    assert (numbers, ip, anything) == (((1, 2), (3, 4)), "10.0.0.1", "(1,2)")


@pytest.mark.parametrize(
    ("statement", "text"),
    [
        ("SELECT 1", "no table public.t"),
        ("CREATE TABLE t (id int, item text)", 'no column "price"; its columns are id, item'),
        ("CREATE TABLE t (id text, item text, price real)", '"id" has the type text'),
        ("CREATE TABLE t (id int, item text, price real[])", r"has the type real\[\]"),
    ],
)
def test_tables_that_do_not_fit(db: Database, statement: str, text: str) -> None:
    db.run(statement)
    with pytest.raises(ValueError, match=text):
        rows_of(pw.io.postgres.read(db.settings(), "t", Order, mode="static"))


def test_views_and_many_rows_can_be_read(db: Database) -> None:
    db.run(
        "CREATE VIEW t AS SELECT n AS id, 'item ' || n AS item, n / 2.0 AS price "
        "FROM generate_series(1, 50000) n"
    )
    table = pw.io.postgres.read(db.settings(), "t", Order, mode="static")
    total = table.reduce(n=pw.reducers.count(), sum=pw.reducers.sum(table.price))
    assert rows_of(total) == [(50_000, 50_000 * 50_001 / 4)]


@pytest.mark.parametrize("has_key", [True, False])
def test_later_runs_see_what_has_changed(db: Database, tmp_path: Path, has_key: bool) -> None:
    db.run(
        "CREATE TABLE orders (id int, item text, price float)",
        "INSERT INTO orders VALUES (1, 'a', 0.5), (2, 'b', 1), (3, 'c', 2), (3, 'c', 2)"
        if not has_key
        else "INSERT INTO orders VALUES (1, 'a', 0.5), (2, 'b', 1), (3, 'c', 2)",
    )
    schema = Order if has_key else pw.schema_from_types(id=int, item=str | None, price=float)

    def changes() -> Counter[tuple[Any, ...]]:
        """What a run sees, added up."""
        pw.internals.parse_graph.G.clear()
        table = pw.io.postgres.read(db.settings(), "orders", schema, mode="static", name="orders")
        total = table.reduce(count=pw.reducers.count(), price=pw.reducers.sum(table.price))
        seen: Counter[tuple[Any, ...]] = Counter()

        def on_change(key: Any, row: dict[str, Any], time: int, is_addition: bool) -> None:
            seen[tuple(row.values())] += 1 if is_addition else -1

        pw.io.subscribe(table, on_change)
        pw.io.subscribe(total, on_change)
        config = pw.persistence.Config(pw.persistence.Backend.filesystem(tmp_path))
        pw.run(monitoring_level=pw.MonitoringLevel.NONE, persistence_config=config)
        return Counter({row: count for row, count in seen.items() if count})

    more = 0 if has_key else 1
    first = {(1, "a", 0.5): 1, (2, "b", 1.0): 1, (3, "c", 2.0): 1 + more, (3 + more, 3.5 + 2 * more): 1}
    assert changes() == first
    assert changes() == {}
    db.run("DELETE FROM orders WHERE id = 1", "UPDATE orders SET price = 3 WHERE id = 2")
    db.run("INSERT INTO orders VALUES (4, 'd', 1)")
    assert changes() == {
        (1, "a", 0.5): -1,
        (2, "b", 1.0): -1,
        (2, "b", 3.0): 1,
        (4, "d", 1.0): 1,
        (3 + more, 3.5 + 2 * more): -1,
        (3 + more, 6.0 + 2 * more): 1,
    }
    db.run("DELETE FROM orders")
    assert sum(changes().values()) == -(4 + more)


def test_a_table_that_was_read_is_not_followed(db: Database, tmp_path: Path) -> None:
    db.run(
        "CREATE TABLE orders (id int PRIMARY KEY, item text, price float)",
        "CREATE PUBLICATION p FOR TABLE orders",
    )
    config = pw.persistence.Config(pw.persistence.Backend.filesystem(tmp_path))
    read: Any = functools.partial(pw.io.postgres.read, db.settings(), "orders", Order, name="orders")
    pw.io.null.write(read(mode="static"))
    pw.run(monitoring_level=pw.MonitoringLevel.NONE, persistence_config=config)
    pw.internals.parse_graph.G.clear()
    pw.io.null.write(read(publication_name="p"))
    with pytest.raises(ValueError, match="another name"):
        pw.run(monitoring_level=pw.MonitoringLevel.NONE, persistence_config=config)


def test_recording_runs_read_all(db: Database, tmp_path: Path) -> None:
    """Each recording run reads all, and leaves no slot."""
    db.run(
        "CREATE TABLE orders (id int PRIMARY KEY, item text, price float)",
        "CREATE PUBLICATION p FOR TABLE orders",
        "INSERT INTO orders VALUES (1, 'a', 0.5), (2, 'b', 1)",
    )
    kinds: list[dict[str, Any]] = [{"mode": "static"}, {"publication_name": "p"}]
    seen: list[dict[str, Any]] = []
    for number, options in enumerate(kinds):
        backend = pw.persistence.Backend.filesystem(tmp_path / str(number))
        recording = pw.persistence.Config(backend, snapshot_access=SnapshotAccess.RECORD)
        followed = Followed()
        for _ in range(2):
            pw.internals.parse_graph.G.clear()
            table = pw.io.postgres.read(db.settings(), "orders", Order, name="orders", **options)
            if number == 0:
                seen.clear()
                pw.io.subscribe(table, lambda key, row, time, is_addition: seen.append(row))
                pw.run(monitoring_level=pw.MonitoringLevel.NONE, persistence_config=recording)
                assert len(seen) == 2
            else:
                steps: list[Step] = [(lambda: None, [(1, "a", 0.5), (2, "b", 1.0)])]
                followed.run(table, steps, persistence_config=recording)
        pw.internals.parse_graph.G.clear()
        assert db.rows("SELECT slot_name FROM pg_replication_slots WHERE NOT temporary") == []
