"""One session-wide fixture for each service folder, and a line in the header that says how many there are."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from services.processes import Processes
from services.runner import Running, Service, all_services, running


def _fixture(service: Service) -> Callable[[], Iterator[Running]]:
    def start() -> Iterator[Running]:
        with running(service) as place:
            yield place

    return start


for _service in all_services():
    globals()[_service.name] = pytest.fixture(scope="session", name=_service.name)(_fixture(_service))


@pytest.fixture
def processes(tmp_path: Path) -> Iterator[Processes]:
    """What starts programs; they end with the test."""
    started = Processes(tmp_path)
    yield started
    started.kill()


def pytest_report_header() -> str:
    names = [service.name for service in all_services()]
    return f"{len(names)} services" + (f": {', '.join(names)}" if names else "")
