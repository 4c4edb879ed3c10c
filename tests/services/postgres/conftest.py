"""What tests of PostgreSQL share: a graph and a database of their own."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

import pathway as pw
from services.postgres.database import Database
from services.runner import Running


@pytest.fixture(autouse=True)
def _own_graph() -> None:
    pw.internals.parse_graph.G.clear()


#: Databases that are empty and in nobody's use.
_free: list[Database] = []


@pytest.fixture
def db(postgres: Running) -> Iterator[Database]:
    database = _free.pop() if _free else Database(postgres)
    yield database
    database.clear()
    _free.append(database)
