"""Following the changes of tables of a real server."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import pathway as pw
from following import Done, Followed, Row, Step, follow, rows_of
from services.postgres.database import Database


class Item(pw.Schema):
    id: int = pw.column_definition(primary_key=True)
    name: str | None


class Added(pw.Schema):
    id: int
    name: str


TABLE = ("CREATE TABLE t (id int PRIMARY KEY, name text)", "CREATE PUBLICATION p FOR TABLE t")


def read(db: Database, schema: type[pw.Schema] = Item, table: str = "t", **options: Any) -> pw.Table[Any]:
    return pw.io.postgres.read(db.settings(), table, schema, publication_name="p", **options)


def doing(db: Database, *statements: str) -> Callable[[], None]:
    return lambda: db.run(*statements)


def test_rows_first_then_what_is_done_to_them(db: Database) -> None:
    db.run(*TABLE, "INSERT INTO t VALUES (1, 'a'), (2, NULL)")
    follow(
        read(db),
        [
            (lambda: None, [(1, "a"), (2, None)]),
            (doing(db, "INSERT INTO t VALUES (3, 'c\t\\')"), [(1, "a"), (2, None), (3, "c\t\\")]),
            (doing(db, "UPDATE t SET name = 'b' WHERE id = 2"), [(1, "a"), (2, "b"), (3, "c\t\\")]),
            (doing(db, "DELETE FROM t WHERE id = 1"), [(2, "b"), (3, "c\t\\")]),
            (doing(db, "UPDATE t SET id = 4 WHERE id = 3"), [(2, "b"), (4, "c\t\\")]),
            (doing(db, "TRUNCATE t"), []),
            (doing(db, "INSERT INTO t VALUES (4, 'x')"), [(4, "x")]),
        ],
    )


def test_transactions_are_never_split(db: Database) -> None:
    """Also large ones: the sum is the same at all times."""
    db.run(*TABLE, "INSERT INTO t SELECT n, '0' FROM generate_series(1, 40000) n", "UPDATE t SET name = '1'")
    table = read(db)
    count = table.groupby(table.name).reduce(table.name, n=pw.reducers.count())
    seen: list[Row] = []
    many = "INSERT INTO t SELECT n, '{}' FROM generate_series(1, 40000) n"

    def on_change(key: Any, row: dict[str, Any], time: int, is_addition: bool) -> None:
        if is_addition:
            seen.append(tuple(row.values()))
            if len(seen) == 1:
                db.run(
                    "UPDATE t SET name = '2'",
                    f"BEGIN; DELETE FROM t; {many.format(3)}; COMMIT",
                    f"BEGIN; TRUNCATE t; {many.format(4)}; COMMIT",
                )
            if row["name"] == "4":
                raise Done

    pw.io.subscribe(count, on_change)
    with pytest.raises(Done):
        pw.run(monitoring_level=pw.MonitoringLevel.NONE)
    assert seen == sorted(seen)
    assert {n for _, n in seen} == {40_000}


def test_changes_of_one_minibatch(db: Database) -> None:
    """A row that comes and goes, and comes again, in one transaction and before it is first seen."""
    db.run(*TABLE, "INSERT INTO t VALUES (1, 'a')")
    statements = (
        "BEGIN; INSERT INTO t VALUES (2, 'b'); UPDATE t SET id = 3 WHERE id = 2; DELETE FROM t WHERE id = 1; "
        "INSERT INTO t VALUES (1, 'z'); UPDATE t SET name = 'y' WHERE id = 1; INSERT INTO t VALUES (9, 'x'); "
        "DELETE FROM t WHERE id = 9; COMMIT"
    )
    follow(read(db), [(lambda: None, [(1, "a")]), (doing(db, statements), [(1, "y"), (3, "b")])])


def test_long_values_that_are_not_sent_again(db: Database) -> None:
    class Long(pw.Schema):
        id: int = pw.column_definition(primary_key=True)
        text: str
        n: int

    db.run(
        "CREATE TABLE t (id int PRIMARY KEY, text text, n int)",
        "ALTER TABLE t ALTER text SET STORAGE EXTERNAL",
        "CREATE PUBLICATION p FOR TABLE t",
        "INSERT INTO t VALUES (1, repeat('a', 10000), 0)",
    )
    table = read(db, Long)
    short = table.select(table.id, first=table.text.str.slice(0, 1), n=table.n, long=table.text.str.len())
    follow(
        short,
        [
            (lambda: None, [(1, "a", 0, 10_000)]),
            (doing(db, "UPDATE t SET n = 1"), [(1, "a", 1, 10_000)]),
            (
                doing(
                    db,
                    "BEGIN; INSERT INTO t VALUES (2, repeat('b', 20000), 0); UPDATE t SET n = n + 1; "
                    "UPDATE t SET n = n + 1; COMMIT",
                ),
                [(1, "a", 3, 10_000), (2, "b", 2, 20_000)],
            ),
            (
                doing(db, "ALTER TABLE t REPLICA IDENTITY FULL", "UPDATE t SET id = 7 WHERE id = 2"),
                [(1, "a", 3, 10_000), (7, "b", 2, 20_000)],
            ),
        ],
    )


def test_a_key_changed_under_long_values_is_an_error(db: Database) -> None:
    db.run(
        *TABLE,
        "ALTER TABLE t ALTER name SET STORAGE EXTERNAL",
        "INSERT INTO t VALUES (1, repeat('a', 10000))",
    )
    table = read(db).select(pw.this.id, n=pw.this.name.str.len())
    pw.io.subscribe(table, on_change=lambda key, row, time, is_addition: db.run("UPDATE t SET id = id + 1"))
    with pytest.raises(ValueError, match="REPLICA IDENTITY FULL"):
        pw.run(monitoring_level=pw.MonitoringLevel.NONE)


def test_keys_of_several_columns_in_any_order(db: Database) -> None:
    class Pair(pw.Schema):
        v: str
        b: str = pw.column_definition(primary_key=True)
        a: int = pw.column_definition(primary_key=True)

    db.run(
        "CREATE TABLE t (a int, v text, b text, other int DEFAULT 0, PRIMARY KEY (a, b))",
        "CREATE PUBLICATION p FOR ALL TABLES",
        "INSERT INTO t VALUES (1, 'x', 'k'), (2, 'y', 'k')",
    )
    table = read(db, Pair)
    table = table.select(*table, same=table.id == table.pointer_from(table.b, table.a))
    follow(
        table,
        [
            (lambda: None, [("x", "k", 1, True), ("y", "k", 2, True)]),
            (doing(db, "UPDATE t SET b = 'l' WHERE a = 1"), [("x", "l", 1, True), ("y", "k", 2, True)]),
            (doing(db, "DELETE FROM t WHERE a = 2"), [("x", "l", 1, True)]),
        ],
    )


def test_other_identities_of_rows(db: Database) -> None:
    db.run(
        "CREATE TABLE t (id int NOT NULL, name text)",
        "CREATE UNIQUE INDEX one ON t (id)",
        "ALTER TABLE t REPLICA IDENTITY USING INDEX one",
        "CREATE PUBLICATION p FOR TABLE t",
        "INSERT INTO t VALUES (1, 'a')",
    )
    follow(
        read(db),
        [
            (lambda: None, [(1, "a")]),
            (doing(db, "UPDATE t SET id = 2"), [(2, "a")]),
            (doing(db, "DELETE FROM t"), []),
        ],
    )


def test_columns_that_are_added_and_dropped(db: Database) -> None:
    db.run(*TABLE, "INSERT INTO t VALUES (1, 'a')")

    def drop() -> None:
        db.run("ALTER TABLE t DROP name", "INSERT INTO t VALUES (3)")

    with pytest.raises(ValueError, match='no column "name" any longer'):
        follow(
            read(db),
            [
                (lambda: None, [(1, "a")]),
                (
                    doing(
                        db,
                        "ALTER TABLE t ADD more int DEFAULT 5",
                        "ALTER TABLE t ALTER id TYPE bigint",
                        "INSERT INTO t (more, name, id) VALUES (7, 'b', 2)",
                    ),
                    [(1, "a"), (2, "b")],
                ),
                (drop, []),
            ],
        )


def test_rows_that_are_only_added_need_no_key(db: Database) -> None:
    db.run(
        "CREATE TABLE t (id int, name text)",
        "CREATE PUBLICATION p FOR TABLE t",
        "INSERT INTO t VALUES (1, 'a')",
    )
    follow(
        read(db, Added, is_append_only=True),
        [
            (lambda: None, [(1, "a")]),
            (
                doing(db, "INSERT INTO t SELECT n, 'b' FROM generate_series(1, 3) n"),
                [(1, "a"), (1, "b"), (2, "b"), (3, "b")],
            ),
        ],
    )


@pytest.mark.parametrize(
    ("statement", "text"),
    [
        ("UPDATE t SET name = 'x'", "were updated"),
        ("DELETE FROM t", "were deleted"),
        ("TRUNCATE t", "were truncated"),
    ],
)
def test_rows_that_are_only_added_cannot_change(db: Database, statement: str, text: str) -> None:
    db.run(*TABLE, "INSERT INTO t VALUES (1, 'a')")
    table = read(db, Added, is_append_only=True)
    pw.io.subscribe(table, on_change=lambda key, row, time, is_addition: db.run(statement))
    with pytest.raises(ValueError, match=text):
        pw.run(monitoring_level=pw.MonitoringLevel.NONE)


def test_rows_and_columns_that_the_publication_has(db: Database) -> None:
    class Wide(Item):
        secret: str

    db.run(
        "CREATE TABLE t (id int PRIMARY KEY, name text, secret text)",
        "CREATE PUBLICATION p FOR TABLE t (id, name) WHERE (id < 10)",
        "INSERT INTO t VALUES (1, 'a', ''), (11, 'b', '')",
    )
    follow(
        read(db),
        [
            (lambda: None, [(1, "a")]),
            (doing(db, "INSERT INTO t VALUES (2, 'c', ''), (12, 'd', '')"), [(1, "a"), (2, "c")]),
            (doing(db, "UPDATE t SET id = id + 9"), []),
        ],
    )
    pw.internals.parse_graph.G.clear()
    with pytest.raises(ValueError, match='leaves out column "secret"'):
        rows_of(read(db, Wide))


@pytest.mark.parametrize(
    ("statements", "text"),
    [
        ((TABLE[0],), "no publication"),
        ((TABLE[0], "CREATE PUBLICATION p"), "does not have the table"),
        (("CREATE TABLE t (id int, name text)", TABLE[1]), "neither a primary key nor"),
        (("CREATE TABLE t (id int, name text PRIMARY KEY)", TABLE[1]), '"id" of the schema is not among'),
        (("CREATE TABLE t (id int, name text, PRIMARY KEY (id, name))", TABLE[1]), "does not tell all rows"),
        (
            ("CREATE TABLE t (id int, name text)", "ALTER TABLE t REPLICA IDENTITY FULL", TABLE[1]),
            "does not tell all rows",
        ),
        (
            (
                "CREATE TABLE t (id int PRIMARY KEY, name text GENERATED ALWAYS AS ('x') STORED)",
                TABLE[1],
            ),
            "computed by the server",
        ),
    ],
)
def test_what_cannot_be_followed(db: Database, statements: tuple[str, ...], text: str) -> None:
    db.run(*statements)
    with pytest.raises(ValueError, match=text):
        rows_of(read(db))


def test_users_without_the_right_to_follow(db: Database) -> None:
    db.run(*TABLE, "DROP USER IF EXISTS reader", "CREATE USER reader", "GRANT SELECT ON t TO reader")
    table = pw.io.postgres.read(db.settings(user="reader"), "t", Item, publication_name="p")
    with pytest.raises(ValueError, match="replication role"):
        rows_of(table)


def test_the_slot_goes_with_the_run(db: Database) -> None:
    db.run(*TABLE)
    slots = "SELECT temporary, active FROM pg_replication_slots WHERE database = current_database()"
    found: list[Row] = []

    def look() -> None:
        found.extend(db.rows(slots))
        db.run("INSERT INTO t VALUES (2, 'b')")

    follow(
        read(db),
        [(doing(db, "INSERT INTO t VALUES (1, 'a')"), [(1, "a")]), (look, [(1, "a"), (2, "b")])],
    )
    assert found == [(True, True)]
    deadline = time.monotonic() + 10
    while db.rows(slots) and time.monotonic() < deadline:
        time.sleep(0.02)
    assert db.rows(slots) == []


def test_the_server_forgets_what_is_done_with(db: Database) -> None:
    db.run(*TABLE)
    place = "SELECT confirmed_flush_lsn::text FROM pg_replication_slots WHERE database = current_database()"

    def wait_for_progress() -> None:
        (before,) = db.rows(place)
        db.run("INSERT INTO t VALUES (2, 'b')")
        threading.Thread(target=watch, args=(before,)).start()

    def watch(before: Row) -> None:
        deadline = time.monotonic() + 30
        while db.rows(place) == [before] and time.monotonic() < deadline:
            time.sleep(0.02)
        db.run("INSERT INTO t VALUES (3, 'c')")
        moved.append(db.rows(place) != [before])

    moved: list[bool] = []
    follow(
        read(db),
        [
            (doing(db, "INSERT INTO t VALUES (1, 'a')"), [(1, "a")]),
            (wait_for_progress, [(1, "a"), (2, "b"), (3, "c")]),
        ],
    )
    assert moved == [True]


def test_a_lost_connection_is_made_again(db: Database) -> None:
    """Without persistence the rows are read again; what has not changed is not seen twice."""
    db.run(*TABLE, "INSERT INTO t VALUES (1, 'a'), (2, 'b')")

    def cut(*statements: str) -> Callable[[], None]:
        def cut_and_change() -> None:
            with db.connect() as connection:
                connection.execute("SELECT pg_terminate_backend(active_pid) FROM pg_replication_slots")
            db.run(*statements)

        return cut_and_change

    def restart() -> None:
        db.restart_server()
        db.run("DELETE FROM t WHERE id = 3", "INSERT INTO t VALUES (5, 'e')")

    changes: list[Row] = []
    table = read(db)
    pw.io.subscribe(
        table, on_change=lambda key, row, time, is_addition: changes.append((row["id"], is_addition))
    )
    follow(
        table,
        [
            (lambda: None, [(1, "a"), (2, "b")]),
            (cut("DELETE FROM t WHERE id = 1", "INSERT INTO t VALUES (3, 'c')"), [(2, "b"), (3, "c")]),
            (restart, [(2, "b"), (5, "e")]),
            (doing(db, "TRUNCATE t"), []),
        ],
    )
    assert changes.count((2, True)) == 1


def test_a_lost_connection_ends_what_cannot_be_made_up_for(db: Database) -> None:
    db.run(*TABLE, "INSERT INTO t VALUES (1, 'a')")

    def cut(key: Any, row: dict[str, Any], time: int, is_addition: bool) -> None:
        db.run("SELECT pg_terminate_backend(active_pid) FROM pg_replication_slots")

    pw.io.subscribe(read(db, Added, is_append_only=True), on_change=cut)
    with pytest.raises(ValueError, match="without persistence"):
        pw.run(monitoring_level=pw.MonitoringLevel.NONE)


@pytest.mark.parametrize("persistent", [False, True])
def test_rows_are_read_again_if_the_connection_is_lost_meanwhile(
    db: Database, tmp_path: Path, caplog: pytest.LogCaptureFixture, persistent: bool
) -> None:
    many = 300_000
    db.run(*TABLE, f"INSERT INTO t SELECT n, 'x' FROM generate_series(1, {many}) n")
    cut: list[Row] = []
    over = threading.Event()

    def watch() -> None:
        """Ends two copies."""
        with db.connect() as connection:
            while len(cut) < 2 and not over.is_set():
                ended = connection.execute(
                    "SELECT pg_terminate_backend(pid), pid FROM pg_stat_activity "
                    "WHERE datname = current_database() AND state = 'active' AND query LIKE 'COPY%'"
                )
                cut.extend(ended.fetchall())

    watcher = threading.Thread(target=watch)
    watcher.start()
    seen: list[Row] = []
    table = read(db)
    pw.io.subscribe(table, lambda key, row, time, is_addition: seen.append((row["id"], is_addition)))
    options = {"persistence_config": kept(tmp_path)} if persistent else {}
    try:
        follow(
            table.reduce(n=pw.reducers.count()),
            [(lambda: None, [(many,)]), (doing(db, "DELETE FROM t WHERE id = 1"), [(many - 1,)])],
            **options,
        )
    finally:
        over.set()
        watcher.join()
    assert len(cut) >= 2
    assert "connecting again" in caplog.text
    assert len(seen) == many + 1
    slots = "SELECT count(*) FROM pg_replication_slots WHERE database = current_database() AND NOT temporary"
    assert db.rows(slots) == [(int(persistent),)]


# --- persistence ------------------------------------------------------------------------------------------


def kept(tmp_path: Path) -> pw.persistence.Config:
    backend = pw.persistence.Backend.filesystem(tmp_path / "state")
    return pw.persistence.Config(backend, snapshot_interval_ms=20)


def when_held(db: Database, *statements: str) -> Callable[[], None]:
    """Statements that are run as soon as the server knows that a checkpoint holds what was done before."""

    def start() -> None:
        ((lsn,),) = db.rows("SELECT pg_current_wal_insert_lsn()::text")
        behind = "SELECT 1 FROM pg_replication_slots WHERE database = current_database() "
        behind += f"AND confirmed_flush_lsn < '{lsn}'"
        # What is not ours makes the log go on past the last transaction.
        db.run("INSERT INTO t VALUES (1000, '')", "DELETE FROM t WHERE id = 1000")

        def wait() -> None:
            deadline = time.monotonic() + 30
            while db.rows(behind) and time.monotonic() < deadline:
                time.sleep(0.02)
            db.run(*statements)

        threading.Thread(target=wait).start()

    return start


def test_a_persistent_run_goes_on_where_it_was(db: Database, tmp_path: Path) -> None:
    db.run(*TABLE, "INSERT INTO t VALUES (1, 'a'), (2, 'b')")
    slots = "SELECT slot_name, temporary FROM pg_replication_slots WHERE database = current_database()"

    def run(steps: list[Step]) -> list[Row]:
        """All changes that are seen."""
        pw.internals.parse_graph.G.clear()
        followed.run(read(db, name="items"), steps, persistence_config=kept(tmp_path))
        return [(*row, is_addition) for row, is_addition in followed.changes]

    followed = Followed()
    first = run(
        [
            (lambda: None, [(1, "a"), (2, "b")]),
            (doing(db, "INSERT INTO t VALUES (3, 'c')"), [(1, "a"), (2, "b"), (3, "c")]),
            (when_held(db, "INSERT INTO t VALUES (5, 'e')"), [(1, "a"), (2, "b"), (3, "c"), (5, "e")]),
        ]
    )
    assert {(1, "a", True), (2, "b", True), (3, "c", True)} <= set(first)
    ((slot, temporary),) = db.rows(slots)
    assert slot.startswith("pathway_items_")
    assert not temporary
    db.run(
        "UPDATE t SET name = 'z' WHERE id = 1", "INSERT INTO t VALUES (4, 'd')", "DELETE FROM t WHERE id = 4"
    )
    second = run(
        [
            (doing(db, "DELETE FROM t WHERE id = 2"), [(1, "z"), (3, "c"), (5, "e")]),
            (when_held(db, "DELETE FROM t WHERE id = 5"), [(1, "z"), (3, "c")]),
        ]
    )
    # Changes since the last checkpoint may be seen again, rows of before are not.
    assert (2, "b", True) not in second
    assert (1, "a", True) not in second

    # All rows go, also those of earlier runs; meanwhile the server has crashed.
    def restart() -> None:
        db.restart_server()
        db.run(*[f"INSERT INTO t VALUES ({n}, 'n')" for n in range(3)])

    third = run([(doing(db, "TRUNCATE t"), []), (restart, [(0, "n"), (1, "n"), (2, "n")])])
    assert {(1, "z", False), (3, "c", False)} <= set(third)
    assert db.rows(slots) == [(slot, False)]


def test_a_long_transaction_goes_on_where_the_connection_was_lost(
    db: Database, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """Of what was handed over before nothing comes again, and what was not comes."""
    db.run(*TABLE, "INSERT INTO t VALUES (0, 'x')")
    many = 150_000
    seen: list[int] = []
    cuts = threading.Event()

    def cut() -> None:
        """Ends connections while they send the transaction."""
        while not cuts.is_set():
            db.run(
                "SELECT pg_terminate_backend(active_pid) FROM pg_replication_slots "
                "WHERE database = current_database()"
            )
            cuts.wait(0.15)

    cutter = threading.Thread(target=cut)
    late = threading.Timer(5, cuts.set)

    def start() -> None:
        db.run(f"INSERT INTO t SELECT n, 'x' FROM generate_series(1, {many}) n")
        cutter.start()
        late.start()

    table = read(db)
    pw.io.subscribe(
        table, on_change=lambda key, row, time, is_addition: seen.append(row["id"] if is_addition else -1)
    )
    total = table.reduce(n=pw.reducers.count())
    try:
        follow(
            total,
            [(lambda: None, [(1,)]), (start, [(many + 1,)])],
            persistence_config=kept(tmp_path),
        )
    finally:
        cuts.set()
        cutter.join()
        late.cancel()
    assert "connecting again" in caplog.text
    assert len(seen) == many + 1
    assert set(seen) == set(range(many + 1))


@pytest.mark.parametrize(
    ("statement", "text"),
    [
        ("SELECT pg_drop_replication_slot(slot_name) FROM pg_replication_slots WHERE NOT active", "is gone"),
        (
            "SELECT pg_replication_slot_advance(slot_name, pg_current_wal_lsn()) FROM pg_replication_slots "
            "WHERE NOT temporary",
            "somebody else has read",
        ),
        (
            "DROP TABLE t; CREATE TABLE t (id int PRIMARY KEY, name text); ALTER PUBLICATION p ADD TABLE t",
            "anew",
        ),
    ],
)
def test_what_is_lost_meanwhile_is_told(db: Database, tmp_path: Path, statement: str, text: str) -> None:
    db.run(*TABLE, "INSERT INTO t VALUES (1, 'a')")
    steps = [
        (lambda: None, [(1, "a")]),
        (when_held(db, "INSERT INTO t VALUES (3, 'c')"), [(1, "a"), (3, "c")]),
    ]
    follow(read(db), steps, persistence_config=kept(tmp_path))
    pw.internals.parse_graph.G.clear()
    db.run("INSERT INTO t VALUES (2, 'b')")
    deadline = time.monotonic() + 10
    while db.rows("SELECT 1 FROM pg_replication_slots WHERE active") and time.monotonic() < deadline:
        time.sleep(0.02)
    db.run(*statement.split("; "))
    pw.io.null.write(read(db))
    with pytest.raises(ValueError, match=text):
        pw.run(monitoring_level=pw.MonitoringLevel.NONE, persistence_config=kept(tmp_path))
