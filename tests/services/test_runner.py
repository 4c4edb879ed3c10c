"""The runner itself, with the web server of the standard library as the service."""

from __future__ import annotations

import sys
import time
import urllib.request
from pathlib import Path

import pytest

from services.runner import Running, Service, ServiceError, accepts_connections, running


def web_server(port: int, folder: Path) -> list[str]:
    (folder / "hello.txt").write_text("hello")
    return [sys.executable, "-m", "http.server", str(port), "--bind", "127.0.0.1", "--directory", str(folder)]


def test_a_service_answers_while_it_runs_and_is_gone_afterwards() -> None:
    with running(Service("web", web_server, "python3")) as place:
        with urllib.request.urlopen(f"http://127.0.0.1:{place.port}/hello.txt", timeout=5) as answer:
            assert answer.read() == b"hello"
        assert accepts_connections(place)
    assert not accepts_connections(place)
    assert not place.folder.exists()


def test_a_service_that_dies_is_reported_with_its_log() -> None:
    program = "print('no such disk'); raise SystemExit(3)"
    service = Service("broken", lambda port, folder: [sys.executable, "-c", program], "python3")
    with pytest.raises(ServiceError, match=r"(?s)broken ended with code 3.*no such disk"), running(service):
        pass


def test_a_service_that_never_answers_is_stopped() -> None:
    program = "import time; time.sleep(600)"
    service = Service(
        "mute", lambda port, folder: [sys.executable, "-c", program], "python3", start_limit_s=0.3
    )
    started = time.monotonic()
    with pytest.raises(ServiceError, match="mute did not answer on port"), running(service):
        pass
    assert time.monotonic() - started < 20


def test_a_missing_program_names_its_package() -> None:
    service = Service("absent", lambda port, folder: ["no-such-program-here"], "absent-server")
    with pytest.raises(ServiceError, match=r"not installed \(package absent-server\)"), running(service):
        pass


def test_readiness_can_be_asked_in_the_service_s_own_way() -> None:
    asked: list[int] = []

    def third_time(place: Running) -> bool:
        asked.append(place.port)
        return len(asked) >= 3 and accepts_connections(place)

    with running(Service("web", web_server, "python3", ready=third_time)) as place:
        assert set(asked) == {place.port}
        assert len(asked) >= 3
