"""What the handbook says about PostgreSQL, as it stands there."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

import pathway as pw
from following import follow
from services.postgres.database import Database
from services.runner import Running

USER = "of_the_handbook"

READ = """
table = pw.io.postgres.read(
    host="localhost",
    port=5432,
    database="mydb",
    table_name="orders",
    user="pathway_user",
    password=pw.io.postgres.PasswordSecret("PG_PASSWORD"),
    schema=pw.Schema(
        order_id=pw.ColumnDefinition(type=pw.Type.INT, primary_key=True),
        customer_id=pw.ColumnDefinition(type=pw.Type.INT),
        total=pw.ColumnDefinition(type=pw.Type.FLOAT),
        created_at=pw.ColumnDefinition(type=pw.Type.DATETIME)
    )
)
"""

WRITE = """
pw.io.postgres.write(
    table=result_table,
    host="localhost",
    port=5432,
    database="output_db",
    table_name="results",
    user="writer_user",
    password=pw.io.postgres.PasswordSecret("PG_PASSWORD"),
    upsert=True
)
"""


def execute(snippet: str, db: Database, **names: Any) -> dict[str, Any]:
    """Runs a snippet with the port, the database and the user of the test."""
    snippet = snippet.replace("5432", str(db.server.port)).replace('"localhost"', '"127.0.0.1"')
    for name in ("mydb", "output_db"):
        snippet = snippet.replace(name, db.name)
    names = {"pw": pw, **names}
    exec(snippet.replace("pathway_user", USER).replace("writer_user", USER), names)
    return names


@pytest.fixture(scope="module", autouse=True)
def _user(postgres: Running) -> None:
    Database(postgres).run(f"CREATE USER {USER} SUPERUSER REPLICATION PASSWORD 'from the handbook'")


@pytest.fixture(autouse=True)
def _password(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PG_PASSWORD", "from the handbook")


@pytest.mark.parametrize("has_publication", [True, False])
def test_reading_with_keywords(db: Database, has_publication: bool) -> None:
    db.run(
        "CREATE TABLE orders (order_id int PRIMARY KEY, customer_id int, total float, created_at timestamp)",
        "INSERT INTO orders VALUES (1, 7, 0.5, '2025-01-02')",
    )
    if has_publication:
        db.run(
            "CREATE PUBLICATION added FOR TABLE orders WITH (publish = 'insert')",
            "CREATE PUBLICATION filtered FOR TABLE orders WHERE (order_id < 2)",
            "CREATE PUBLICATION everything FOR ALL TABLES",
        )
    table = execute(READ, db)["table"]
    first = (1, 7, 0.5, pw.DateTimeNaive("2025-01-02"))
    second = (2, 8, 1.5, pw.DateTimeNaive("2025-01-03"))
    follow(
        table,
        [
            (lambda: None, [first]),
            (lambda: db.run("INSERT INTO orders VALUES (2, 8, 1.5, '2025-01-03')"), [first, second]),
            (lambda: db.run("DELETE FROM orders WHERE order_id = 1"), [second]),
        ],
    )
    made = db.rows("SELECT pubname FROM pg_publication WHERE pubname LIKE 'pathway%'")
    assert made == ([] if has_publication else [("pathway_orders",)])


def test_upserts_by_the_primary_key_of_the_table(db: Database) -> None:
    db.run(
        "CREATE TABLE results (v text, k bigint, l bigint, PRIMARY KEY (l, k))",
        "INSERT INTO results VALUES ('old', 2, 1), ('other', 9, 9)",
    )
    table = pw.debug.table_from_markdown(
        """
        k | l | v | __time__ | __diff__
        1 | 1 | a | 2        | 1
        2 | 1 | b | 2        | 1
        1 | 1 | a | 4        | -1
        """
    )
    execute(WRITE, db, result_table=table)
    pw.run(monitoring_level=pw.MonitoringLevel.NONE)
    assert db.rows("SELECT k, l, v FROM results") == [(2, 1, "b"), (9, 9, "other")]


@pytest.mark.parametrize(
    ("statement", "text"),
    [
        ("CREATE TABLE results (k bigint, v text)", "has no primary key"),
        ("CREATE TABLE results (k bigint, v text, x int PRIMARY KEY)", 'column "x" of the table'),
    ],
)
def test_upserts_need_a_primary_key_that_is_written(db: Database, statement: str, text: str) -> None:
    db.run(statement)
    table = pw.debug.table_from_rows(pw.schema_from_types(k=int, v=str), [(1, "a")])
    execute(WRITE, db, result_table=table)
    with pytest.raises(ValueError, match=text):
        pw.run(monitoring_level=pw.MonitoringLevel.NONE)


def test_keywords_that_do_not_go_together(db: Database) -> None:
    table = pw.Table.empty(k=int)
    with pytest.raises(TypeError, match="host, user belong into postgres_settings"):
        pw.io.postgres.write(table, db.settings(), "t", host="h", user="u")  # type: ignore[call-arg]
    with pytest.raises(TypeError, match="database and dbname are the same"):
        pw.io.postgres.write(table, table_name="t", database="a", dbname="b")  # type: ignore[call-arg]
    with pytest.raises(ValueError, match="upsert=True keeps the current rows"):
        pw.io.postgres.write(
            table,
            db.settings(),
            "t",
            output_table_type="stream_of_changes",
            upsert=True,  # type: ignore[call-arg]
        )
    with pytest.raises(ValueError, match="made with a primary key"):
        pw.io.postgres.write(table, db.settings(), "t", init_mode="replace", upsert=True)  # type: ignore[call-arg]


def test_secrets_do_not_show(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    secret = pw.io.postgres.PasswordSecret("SOME_PASSWORD")
    monkeypatch.setenv("SOME_PASSWORD", "abc")
    assert "abc" not in f"{secret} {secret!r}"
    assert secret() == "abc"
    monkeypatch.delenv("SOME_PASSWORD")
    with pytest.raises(ValueError, match="no variable 'SOME_PASSWORD'"):
        secret()
    (tmp_path / "secret").write_text("from a file\n")
    from_file = pw.io.postgres.PasswordSecret(file=tmp_path / "secret")
    assert from_file() == "from a file"
    for arguments in ({}, {"name": "A", "file": "b"}):
        with pytest.raises(ValueError, match="takes the name of a variable"):
            pw.io.postgres.PasswordSecret(**arguments)
