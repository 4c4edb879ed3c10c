"""Getting into a real server: encryption, passwords, names."""

from __future__ import annotations

import datetime
import time
from typing import Any

import pytest

import pathway as pw
from following import rows_of
from services.postgres.database import Database
from services.runner import Running, free_port


class Row(pw.Schema):
    k: int


@pytest.fixture
def db(db: Database) -> Database:
    db.run("CREATE TABLE t AS SELECT 1::bigint AS k", "GRANT SELECT ON t TO public")
    return db


@pytest.fixture(scope="module", autouse=True)
def _users(postgres: Running) -> None:
    Database(postgres).run(
        "CREATE USER with_password PASSWORD 'it''s \\ \"secret\"'",
        "CREATE USER only_tls",
        "CREATE USER with_certificate",
        "SET password_encryption = md5",
    )
    with Database(postgres).connect() as connection:
        connection.execute("SET password_encryption = md5")
        connection.execute("CREATE USER with_md5 PASSWORD 'old'")


PASSWORD = 'it\'s \\ "secret"'


def read(db: Database, **settings: Any) -> list[tuple[Any, ...]]:
    pw.internals.parse_graph.G.clear()
    table = pw.io.postgres.read(db.settings(**settings), "t", Row, mode="static")
    return rows_of(table)


@pytest.mark.parametrize("mode", ["disable", "allow", "prefer", "require"])
@pytest.mark.parametrize(("user", "password"), [("with_password", PASSWORD), ("with_md5", "old")])
def test_passwords_with_and_without_encryption(db: Database, user: str, password: str, mode: str) -> None:
    assert read(db, user=user, password=password, sslmode=mode) == [(1,)]
    with pytest.raises(OSError, match=user):
        read(db, user=user, password="wrong", sslmode=mode)


def test_passwords_are_bound_to_certificates_if_that_is_wanted(db: Database) -> None:
    settings = {"user": "with_password", "password": PASSWORD, "channel_binding": "require"}
    assert read(db, **settings) == [(1,)]
    with pytest.raises(OSError, match="channel_binding"):
        read(db, **settings, sslmode="disable")


@pytest.mark.parametrize(
    ("mode", "works"),
    [
        ("disable", False),
        ("allow", True),
        ("prefer", True),
        ("require", True),
        ("verify-ca", True),
        ("verify-full", True),
    ],
)
def test_servers_that_want_encryption(db: Database, mode: str, works: bool) -> None:
    settings = {"user": "only_tls", "sslmode": mode, "host": "localhost", "hostaddr": "127.0.0.1"}
    authority = {"sslrootcert": db.server.folder / "ca.crt"}
    if not works:
        with pytest.raises(OSError, match="only_tls"):
            read(db, **settings, **authority)
        return
    assert read(db, **settings, **authority) == [(1,)]


def test_certificates_are_checked_as_the_mode_says(db: Database) -> None:
    settings = {"user": "only_tls", "hostaddr": "127.0.0.1"}
    own, foreign = db.server.folder / "ca.crt", db.server.folder / "client.crt"
    # The certificate is for localhost.
    elsewhere = {**settings, "host": "db.example.org", "sslrootcert": own}
    assert read(db, **elsewhere, sslmode="verify-ca") == [(1,)]
    with pytest.raises(OSError, match="TLS"):
        read(db, **elsewhere, sslmode="verify-full")
    for mode in ("require", "verify-ca", "verify-full"):
        with pytest.raises(OSError, match="TLS"):
            read(db, **settings, host="localhost", sslrootcert=foreign, sslmode=mode)
    with pytest.raises(OSError, match="TLS"):
        read(db, **settings, host="localhost", sslmode="verify-full")
    assert read(db, **settings, host="localhost", sslmode="require") == [(1,)]


def test_clients_can_have_certificates(db: Database) -> None:
    settings = {"user": "with_certificate", "sslmode": "require"}
    folder = db.server.folder
    assert read(db, **settings, sslcert=folder / "client.crt", sslkey=folder / "client.key") == [(1,)]
    with pytest.raises(OSError, match="certificate"):
        read(db, **settings)


def test_a_server_that_is_not_there(db: Database) -> None:
    with pytest.raises(OSError, match="cannot connect to PostgreSQL at 127"):
        read(db, port=free_port())
    with pytest.raises(OSError, match="no_such_db"):
        read(db, dbname="no_such_db")
    # The first of several hosts that answers is taken.
    assert read(db, host="127.0.0.1,127.0.0.1", port=f"{free_port()},{db.server.port}") == [(1,)]


def test_sockets_of_files(db: Database) -> None:
    assert read(db, host=db.server.folder) == [(1,)]


@pytest.mark.parametrize(
    ("name", "settings", "expected"),
    [
        (None, {}, "pathway"),
        ("größe", {}, "pathway:gr__e"),
        ("n", {"application_name": "mine"}, "mine"),
    ],
)
def test_connections_have_a_name(
    db: Database, name: str | None, settings: dict[str, Any], expected: str
) -> None:
    class Name(pw.Schema):
        application_name: str

    db.run("CREATE VIEW me AS SELECT application_name FROM pg_stat_activity WHERE pid = pg_backend_pid()")
    table = pw.io.postgres.read(db.settings(**settings), "me", Name, mode="static", name=name)
    assert rows_of(table) == [(expected,)]


def test_passwords_are_asked_for_again_when_they_expire(db: Database) -> None:
    asked: list[str] = []

    def valid_for(seconds: float | None) -> Any:
        moments = {
            "span": datetime.timedelta(seconds=seconds or 0),
            "number": time.time() + (seconds or 0),
            "moment": datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(seconds=seconds or 0),
        }

        def ask() -> Any:
            asked.append("asked")
            if seconds is None:
                return PASSWORD
            return PASSWORD, list(moments.values())[len(asked) % 3]

        return ask

    def connections(password: Any) -> int:
        asked.clear()
        for name in ("a", "b"):
            table = pw.io.postgres.read(
                db.settings(user="with_password", password=password), "t", Row, mode="static", name=name
            )
            rows_of(table)
        return len(asked)

    assert connections(valid_for(None)) == 2
    assert connections(valid_for(1.0)) == 2
    # Each source asks for itself.
    assert connections(valid_for(3600.0)) == 2
    with pytest.raises(ZeroDivisionError):
        connections(lambda: 1 / 0)
    pw.internals.parse_graph.G.clear()
    with pytest.raises(TypeError, match="the function for the password"):
        connections(lambda: 5)
