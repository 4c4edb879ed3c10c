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


@pytest.fixture
def db(postgres: Running) -> Iterator[Database]:
    database = Database(postgres)
    yield database
    database.drop_slots()
