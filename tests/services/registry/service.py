"""A schema registry that speaks Confluent's protocol: Apicurio, which `make test-services` fetches."""

from __future__ import annotations

import contextlib
import os
import shutil
import urllib.request
from pathlib import Path

from services.runner import Running, Service, ServiceError

REGISTRY = Path(os.environ.get("REGISTRY", Path.home() / ".cache" / "pathway-services" / "registry"))


def url(running: Running) -> str:
    """Where Confluent's protocol is spoken."""
    return f"http://127.0.0.1:{running.port}/apis/ccompat/v7"


def _command(port: int, folder: Path) -> list[str]:
    programs = list(REGISTRY.glob("apicurio-registry-app-*-runner.jar"))
    if not programs or shutil.which("java") is None:
        raise ServiceError(
            f"registry: there is no Java, or no registry in {REGISTRY}; `make test-services` installs both"
        )
    return [
        "java",
        *("-Xmx300m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1"),
        *("-Dquarkus.http.host=127.0.0.1", f"-Dquarkus.http.port={port}"),
        *("-jar", str(programs[0])),
    ]


def _ready(running: Running) -> bool:
    with contextlib.suppress(OSError), urllib.request.urlopen(f"{url(running)}/subjects", timeout=5):
        return True
    return False


SERVICE = Service("registry", _command, "default-jre-headless", ready=_ready)
