"""State in a container of Azure Blob Storage."""

from __future__ import annotations

import itertools
from pathlib import Path

import pytest
from azure.storage.blob import BlobServiceClient

import pathway as pw
from services.runner import Running
from services.stores import goes_on, is_refused

#: The account of the emulator, which everyone knows.
ACCOUNT = "devstoreaccount1"
KEY = "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw=="

_numbers = itertools.count(1)


def backend(azure: Running, container: str) -> pw.persistence.Backend:
    endpoint = f"http://127.0.0.1:{azure.port}/{ACCOUNT}"
    return pw.persistence.Backend.azure("some/path", ACCOUNT, KEY, container, endpoint=endpoint)


@pytest.fixture
def container(azure: Running) -> str:
    """The name of a new container."""
    name = f"container-{next(_numbers)}"
    client = BlobServiceClient(f"http://127.0.0.1:{azure.port}/{ACCOUNT}", credential=KEY)
    client.create_container(name)
    return name


def test_a_run_goes_on_from_a_container(azure: Running, container: str, tmp_path: Path) -> None:
    goes_on(backend(azure, container), tmp_path)


def test_a_container_that_is_not_there(azure: Running, tmp_path: Path) -> None:
    is_refused(backend(azure, "missing"), tmp_path, "ContainerNotFound")
