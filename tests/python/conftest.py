"""Each test starts with an empty graph."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from pathway.internals.parse_graph import G


@pytest.fixture(autouse=True)
def _empty_graph() -> Iterator[None]:
    G.clear()
    yield
    G.clear()
