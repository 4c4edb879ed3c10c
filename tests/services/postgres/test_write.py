"""Writing to tables of a real server."""

from __future__ import annotations

import datetime
import decimal
import uuid
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import pathway as pw
from services.postgres.database import Database
from services.processes import until


def run() -> None:
    pw.run(monitoring_level=pw.MonitoringLevel.NONE)
    pw.internals.parse_graph.G.clear()


def changes() -> pw.Table[Any]:
    return pw.debug.table_from_markdown(
        """
        k | v | __time__ | __diff__
        1 | a | 2        | 1
        2 | b | 2        | 1
        1 | a | 4        | -1
        1 | c | 4        | 1
        2 | b | 6        | -1
        3 | d | 6        | 1
        """
    )


def test_every_change_is_a_row(db: Database) -> None:
    db.run("CREATE TABLE t (v text, k bigint, time bigint, diff smallint)")
    for _ in range(2):
        pw.io.postgres.write(changes(), db.settings(), "t")
        run()
    expected = [
        (1, "a", 2, 1),
        (1, "a", 4, -1),
        (1, "c", 4, 1),
        (2, "b", 2, 1),
        (2, "b", 6, -1),
        (3, "d", 6, 1),
    ]
    assert db.rows("SELECT k, v, time, diff FROM t") == sorted(expected * 2, key=repr)


@pytest.mark.parametrize("max_batch_size", [None, 1])
def test_a_snapshot_holds_the_current_rows(db: Database, max_batch_size: int | None) -> None:
    db.run("CREATE TABLE t (v text, k bigint UNIQUE)", "INSERT INTO t VALUES ('x', 1), ('y', 9)")
    table = changes()
    pw.io.postgres.write(
        table,
        db.settings(),
        "t",
        output_table_type="snapshot",
        primary_key=[table.k],
        max_batch_size=max_batch_size,
    )
    run()
    assert db.rows("SELECT k, v FROM t") == [(1, "c"), (3, "d"), (9, "y")]


def test_a_snapshot_of_keys_alone(db: Database) -> None:
    table = changes().select(pw.this.k, pw.this.v)
    pw.io.postgres.write(
        table,
        db.settings(),
        "t",
        output_table_type="snapshot",
        primary_key=[table.v, table.k],
        init_mode="create_if_not_exists",
    )
    run()
    assert db.rows("SELECT * FROM t") == [(1, "c"), (3, "d")]


def test_a_replaced_row_is_never_missing(db: Database) -> None:
    """Also where the order of changes would put the new row before the removal of the old one."""
    table = pw.debug.table_from_markdown(
        """
        k | v | __time__ | __diff__
        1 | 2 | 2        | 1
        1 | 2 | 4        | -1
        1 | 1 | 4        | 1
        """
    )
    pw.io.postgres.write(
        table,
        db.settings(),
        "t",
        output_table_type="snapshot",
        primary_key=[table.k],
        init_mode="replace",
        sort_by=[table.v],
    )
    run()
    assert db.rows("SELECT * FROM t") == [(1, 1)]


def test_sort_by_orders_the_changes_of_one_time(db: Database) -> None:
    table = pw.debug.table_from_rows(pw.schema_from_types(k=int), [(k,) for k in (3, 1, 2)])
    pw.io.postgres.write(table, db.settings(), "t", init_mode="replace", sort_by=[table.k])
    run()
    with db.connect() as connection:
        assert connection.execute("SELECT k FROM t ORDER BY ctid").fetchall() == [(1,), (2,), (3,)]


def test_old_snapshots_have_time_and_diff(db: Database) -> None:
    with pytest.warns(DeprecationWarning, match="write_snapshot"):
        pw.io.postgres.write_snapshot(changes(), db.settings(), "t", ["k"], init_mode="replace")
    run()
    assert db.rows("SELECT k, v, time, diff FROM t") == [(1, "c", 4, 1), (3, "d", 6, 1)]
    assert db.columns("t") == [
        ("k", "bigint", False),
        ("v", "text", False),
        ("time", "bigint", False),
        ("diff", "smallint", False),
    ]


def test_signs_can_come_from_a_column(db: Database) -> None:
    table = pw.debug.table_from_markdown(
        """
        k | v | d  | __time__
        1 | a | 1  | 2
        2 | b | 1  | 2
        1 | a | -1 | 4
        """
    )
    pw.io.postgres.write(
        table,
        db.settings(),
        "t",
        init_mode="replace",
        output_table_type="snapshot",
        primary_key=[table.k],
        _external_diff_column=table.d,
    )
    run()
    assert db.rows("SELECT * FROM t") == [(2, "b", 1)]


def test_tables_are_made_or_made_anew(db: Database) -> None:
    def write(mode: Any, name: str) -> None:
        pw.io.postgres.write(changes(), db.settings(), name, init_mode=mode)
        run()

    write("create_if_not_exists", "a")
    write("create_if_not_exists", "a")
    assert len(db.rows("SELECT * FROM a")) == 12
    write("replace", "a")
    assert len(db.rows("SELECT * FROM a")) == 6
    empty = pw.Table.empty(k=int)
    pw.io.postgres.write(empty, db.settings(), "a", init_mode="replace")
    run()
    assert db.columns("a") == [("k", "bigint", False), ("time", "bigint", False), ("diff", "smallint", False)]


def test_any_name_is_a_name(db: Database) -> None:
    db.run('CREATE SCHEMA "my.schema"')
    table = changes().select(**{'we"ird. Name': pw.this.k, "select": pw.this.v})
    name = "ta.ble\"; DROP TABLE x; --'"
    pw.io.postgres.write(table, db.settings(), name, schema_name="my.schema", init_mode="replace")
    run()
    quoted = name.replace('"', '""')
    assert len(db.rows(f'SELECT "we""ird. Name", "select" FROM "my.schema"."{quoted}"')) == 6


class Everything(pw.Schema):
    flag: bool
    number: int
    ratio: float
    text: str
    data: bytes
    naive: pw.DateTimeNaive
    utc: pw.DateTimeUtc
    span: pw.Duration
    doc: pw.Json
    numbers: list[int]
    pair: tuple[str, str]
    nested: list[list[float]]
    missing: int | None
    holes: list[str | None]
    ints: np.ndarray[Any, np.dtype[np.int64]]
    floats: np.ndarray[Any, np.dtype[np.float64]]


class EverythingAndPointer(Everything):
    pointer: pw.Pointer[Any]


MOMENT = datetime.datetime(2025, 1, 17, 1, 2, 3, 456789)
ROW = (
    True,
    -(2**63),
    0.1,
    "ä\n\t\\",
    b"\x00\xff",
    pw.DateTimeNaive("2025-01-17T01:02:03.456789999"),
    pw.DateTimeUtc("1969-12-31T23:59:59.000001+00:00"),
    pw.Duration(days=-1, microseconds=5),
    pw.Json({"b": [1, None], "a": "x"}),
    [1, 2],
    ("x", "y,z"),
    [[1.5, float("inf")], [2.5, -3.0]],
    None,
    ["a", None],
    np.array([[1, 2], [3, 4]]),
    np.array([0.5, 1.5]),
)


def test_every_type_has_a_column(db: Database) -> None:
    table = pw.debug.table_from_rows(Everything, [ROW])
    table = table.with_columns(pointer=table.pointer_from(table.number))
    pw.io.postgres.write(table, db.settings(), "t", init_mode="replace")
    run()
    types = {name: (kind, optional) for name, kind, optional in db.columns("t")}
    assert types == {
        "flag": ("boolean", False),
        "number": ("bigint", False),
        "ratio": ("double precision", False),
        "text": ("text", False),
        "data": ("bytea", False),
        "naive": ("timestamp without time zone", False),
        "utc": ("timestamp with time zone", False),
        "span": ("bigint", False),
        "doc": ("jsonb", False),
        "numbers": ("bigint[]", False),
        "pair": ("text[]", False),
        "nested": ("double precision[]", False),
        "missing": ("bigint", True),
        "holes": ("text[]", False),
        "ints": ("bigint[]", False),
        "floats": ("double precision[]", False),
        "pointer": ("text", False),
        "time": ("bigint", False),
        "diff": ("smallint", False),
    }
    ((*row, pointer, _time, diff),) = db.rows("SELECT * FROM t")
    assert row == [
        True,
        -(2**63),
        0.1,
        "ä\n\t\\",
        b"\x00\xff",
        MOMENT,
        datetime.datetime(1969, 12, 31, 23, 59, 59, 1, tzinfo=datetime.timezone.utc),
        -86_400_000_000 + 5,
        {"b": [1, None], "a": "x"},
        [1, 2],
        ["x", "y,z"],
        [[1.5, float("inf")], [2.5, -3.0]],
        None,
        ["a", None],
        [[1, 2], [3, 4]],
        [0.5, 1.5],
    ]
    assert diff == 1
    assert pointer.startswith("^")
    # What was written is read back.
    back = pw.io.postgres.read(db.settings(), "t", EverythingAndPointer, mode="static")
    found: list[dict[str, Any]] = []
    pw.io.subscribe(back, lambda key, row, time, is_addition: found.append(row))
    run()
    (values,) = found
    assert str(values.pop("pointer")) == pointer
    rows: list[Any] = list(ROW)
    for (name, value), expected in zip(values.items(), rows, strict=True):
        if name == "naive":
            expected = pw.DateTimeNaive("2025-01-17T01:02:03.456789")
        np.testing.assert_equal(value, tuple(map(tuple, expected)) if name == "nested" else _tuples(expected))


def _tuples(value: Any) -> Any:
    return tuple(value) if isinstance(value, list) else value


def test_narrower_and_other_types_of_columns(db: Database) -> None:
    db.run(
        "CREATE TYPE mood AS ENUM ('glad', 'sad')",
        "CREATE DOMAIN percent AS smallint CHECK (value <= 100)",
        "CREATE TABLE t (i2 smallint, i4 integer, f4 real, vc varchar(5), ch char(3), nm name, uid uuid, "
        "ip inet, md mood, pc percent, dt date, iv interval, tm time, js json, ia int2[], fa real[], "
        "time bigint, diff int, extra text DEFAULT 'd')",
    )
    number = "c0ffee00-0000-4000-8000-0123456789ab"
    span = pw.Duration(hours=1, microseconds=1)
    schema = pw.schema_from_types(
        i2=int,
        i4=int,
        f4=float,
        vc=str,
        ch=str,
        nm=str,
        uid=str,
        ip=str,
        md=str,
        pc=int,
        dt=pw.DateTimeNaive,
        iv=pw.Duration,
        tm=pw.Duration,
        js=pw.Json,
        ia=list[int],
        fa=list[float],
    )
    row = (
        *(-7, 70_000, 0.5, "abc", "x", "n", number.upper(), "10.0.0.1", "sad", 99),
        *(pw.DateTimeNaive(MOMENT), span, span, pw.Json([1]), [1, -1], [0.25]),
    )
    pw.io.postgres.write(pw.debug.table_from_rows(schema, [row]), db.settings(), "t")
    run()
    ((*found, _time, _diff, extra),) = db.rows("SELECT * FROM t")
    assert found[:6] == [-7, 70_000, 0.5, "abc", "x  ", "n"]
    assert found[6] == uuid.UUID(number)
    assert str(found[7]) == "10.0.0.1"
    assert found[8:11] == ["sad", 99, MOMENT.date()]
    assert found[11:13] == [datetime.timedelta(hours=1, microseconds=1), datetime.time(1, 0, 0, 1)]
    assert found[13:] == [[1], [1, -1], [0.25]]
    assert extra == "d"


@pytest.mark.parametrize(
    ("kind", "type_", "value", "text"),
    [
        ("smallint", int, 40_000, "smallint"),
        ("uuid", str, "nobody", "no UUID"),
        ("text", str, "a\0b", "NUL"),
        ("bigint CHECK (c > 0)", int, -1, "t_c_check"),
        ("inet", str, "nowhere", "inet"),
        ("bigint[]", list[list[int]], [[1, 2], [3]], "different lengths"),
    ],
)
def test_values_that_do_not_fit_end_the_run(
    db: Database, kind: str, type_: Any, value: Any, text: str
) -> None:
    db.run(f"CREATE TABLE t (c {kind}, time bigint, diff smallint)")
    table = pw.debug.table_from_rows(pw.schema_from_types(c=type_), [(value,)])
    pw.io.postgres.write(table, db.settings(), "t")
    with pytest.raises(pw.engine.EngineError, match=text):
        run()
    assert db.rows("SELECT * FROM t") == []


META = "time bigint, diff smallint"


@pytest.mark.parametrize(
    ("table", "arguments", "text"),
    [
        ("", {}, "no such table"),
        ("", {"schema_name": "elsewhere", "init_mode": "create_if_not_exists"}, "elsewhere"),
        (f"TABLE t (k bigint, {META})", {}, "no column v"),
        ("TABLE t (k bigint, v text)", {}, "no column time, diff"),
        (f"TABLE t (k bigint, v text, w int NOT NULL, {META})", {}, "NOT NULL columns without a default.*w"),
        (f"TABLE t (k bigint, v text, o int NOT NULL, {META})", {"optional": True}, "'o' is|\"o\" is"),
        (f"TABLE t (k bigint, v text GENERATED ALWAYS AS ('x') STORED, {META})", {}, "computed from others"),
        (f"TABLE t (k bigint GENERATED ALWAYS AS IDENTITY, v text, {META})", {}, "BY DEFAULT"),
        ("VIEW t AS SELECT 1::bigint AS k, ''::text AS v, 1::bigint AS time, 1::int2 AS diff", {}, "a view"),
        (f"TABLE t (k text, v text, {META})", {}, "has the type text"),
        (f"TABLE t (k bigint, v varchar(3)[], {META})", {}, r"character varying\(3\)\[\]"),
        ("TABLE t (k bigint, v text)", {"snapshot": True}, "unique constraint of just the columns k"),
        ("TABLE t (k bigint, v text, UNIQUE (k, v))", {"snapshot": True}, "just the columns k"),
    ],
)
def test_the_table_is_checked_first(db: Database, table: str, arguments: dict[str, Any], text: str) -> None:
    if table:
        db.run(f"CREATE {table}")
    written = changes()
    if arguments.pop("optional", False):
        written = written.with_columns(o=pw.declare_type(int | None, pw.this.k))
    if arguments.pop("snapshot", False):
        arguments = {"output_table_type": "snapshot", "primary_key": [written.k]}
    pw.io.postgres.write(written, db.settings(), "t", **arguments)
    with pytest.raises(ValueError, match=text):
        run()


@pytest.mark.parametrize("type_", [tuple[int, str], Any])
def test_types_without_a_column(db: Database, type_: Any) -> None:
    table = pw.debug.table_from_rows(pw.schema_from_types(c=type_), [((1, "x"),)])
    pw.io.postgres.write(table, db.settings(), "t", init_mode="replace")
    with pytest.raises(ValueError, match="no counterpart"):
        run()


def test_decimals_are_not_taken_for_numbers(db: Database) -> None:
    db.run("CREATE TABLE t (c numeric, time bigint, diff smallint)")
    table = pw.debug.table_from_rows(pw.schema_from_types(c=float), [(0.1,)])
    pw.io.postgres.write(table, db.settings(), "t")
    with pytest.raises(ValueError, match="numeric"):
        run()
    db.run("INSERT INTO t VALUES (0.1, 0, 1)")
    assert db.rows("SELECT c FROM t") == [(decimal.Decimal("0.1"),)]


def test_several_workers_and_many_rows(db: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATHWAY_THREADS", "2")
    table = pw.debug.table_from_rows(
        pw.schema_from_types(k=int, v=str), [(n, "x" * 20) for n in range(20_000)]
    )
    pw.io.postgres.write(
        table,
        db.settings(),
        "t",
        output_table_type="snapshot",
        primary_key=[table.k],
        init_mode="replace",
        max_batch_size=3000,
    )
    run()
    assert db.rows("SELECT count(*), sum(k) FROM t") == [(20_000, sum(range(20_000)))]


class Cut(pw.io.python.ConnectorSubject):
    """Sends numbers, and now and then ends all connections of others to the database, or the server."""

    def __init__(self, db: Database, count: int) -> None:
        super().__init__()
        self.db = db
        self.count = count

    def run(self) -> None:
        for number in range(self.count):
            self.next(k=number, v="x")
            self.commit()
            if number % 30 == 20:
                self.db.run(
                    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                    "WHERE datname = current_database() AND pid <> pg_backend_pid()"
                )
            if number == 60:
                self.db.restart_server()


@pytest.mark.parametrize("delivery", [None, "exactly-once", "at-least-once"])
def test_lost_connections_lose_and_double_nothing(db: Database, delivery: Any, tmp_path: Path) -> None:
    """Without persistence, and with it: unfinished transactions are repeated."""
    rows = pw.io.python.read(
        Cut(db, 100), schema=pw.schema_from_types(k=int, v=str), autocommit_duration_ms=10
    )
    mode: Any = {"init_mode": "create_if_not_exists", "delivery": delivery or "exactly-once"}
    pw.io.postgres.write(rows, db.settings(), "changes", **mode)
    count = rows.groupby(rows.v).reduce(rows.v, n=pw.reducers.count())
    pw.io.postgres.write(
        count, db.settings(), "counts", **mode, output_table_type="snapshot", primary_key=[count.v]
    )
    backend = pw.persistence.Backend.filesystem(tmp_path)
    config = pw.persistence.Config(backend, snapshot_interval_ms=20) if delivery else None
    pw.run(monitoring_level=pw.MonitoringLevel.NONE, persistence_config=config)
    assert sorted(db.rows("SELECT k, diff FROM changes")) == [(number, 1) for number in range(100)]
    assert db.rows("SELECT * FROM counts") == [("x", 100)]


def test_a_server_that_does_not_come_back_ends_the_run(db: Database) -> None:
    class Gone(pw.io.python.ConnectorSubject):
        def run(self) -> None:
            self.next(k=1)
            self.commit()
            until(lambda: db.rows("SELECT k FROM t") == [(1,)], "the first row is written")
            with db.connect("postgres") as connection:
                connection.execute(f"DROP DATABASE {db.name} WITH (FORCE)")
            self.next(k=2)

    rows = pw.io.python.read(Gone(), schema=pw.schema_from_types(k=int), autocommit_duration_ms=10)
    pw.io.postgres.write(rows, db.settings(), "t", init_mode="replace")
    with pytest.raises(pw.engine.EngineError, match=f'"{db.name}" does not exist'):
        run()
    db.make()
