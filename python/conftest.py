"""Each documentation example starts with an empty graph."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from pathway.internals.parse_graph import G


@pytest.fixture(autouse=True)
def _empty_graph() -> Iterator[None]:
    G.clear()
    yield
    G.clear()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        item.add_marker(pytest.mark.filterwarnings("ignore:terminate_on_error=False"))
