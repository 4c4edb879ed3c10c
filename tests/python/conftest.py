"""Each test starts with an empty graph, and those that ask a run over HTTP with a port for it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from pathway.internals.parse_graph import G
from ports import free_ports


@pytest.fixture(autouse=True)
def _empty_graph() -> Iterator[None]:
    G.clear()
    yield
    G.clear()


@pytest.fixture
def port(monkeypatch: pytest.MonkeyPatch) -> int:
    """Where the next run answers."""
    first = free_ports(1)
    monkeypatch.setenv("PATHWAY_MONITORING_HTTP_PORT", str(first))
    return first
