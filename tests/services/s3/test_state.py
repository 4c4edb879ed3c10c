"""State in a bucket of S3."""

from __future__ import annotations

import itertools
from pathlib import Path
from typing import Any

import boto3
import pytest

import pathway as pw
from services.runner import Running, running
from services.s3.service import SERVICE
from services.stores import goes_on, is_refused, is_waited_for, survives_kills

_numbers = itertools.count(1)


def settings(s3: Running, bucket: str) -> pw.io.minio.MinIOSettings:
    return pw.io.minio.MinIOSettings(
        f"http://127.0.0.1:{s3.port}", bucket, "id", "secret", region="us-east-1"
    )


def client(s3: Running) -> Any:
    return boto3.client(
        "s3",
        endpoint_url=f"http://127.0.0.1:{s3.port}",
        region_name="us-east-1",
        aws_access_key_id="id",
        aws_secret_access_key="secret",
    )


def backend(s3: Running, bucket: str) -> str:
    """An expression."""
    place = f'"http://127.0.0.1:{s3.port}", "{bucket}", "id", "secret", region="us-east-1"'
    return f'pw.persistence.Backend.s3("state", pw.io.minio.MinIOSettings({place}))'


@pytest.fixture
def bucket(s3: Running) -> str:
    """The name of a new bucket."""
    name = f"bucket-{next(_numbers)}"
    client(s3).create_bucket(Bucket=name)
    return name


def test_a_run_goes_on_from_a_bucket(s3: Running, bucket: str, tmp_path: Path) -> None:
    goes_on(pw.persistence.Backend.s3("some/path", settings(s3, bucket)), tmp_path)


def test_runs_are_killed(s3: Running, bucket: str, tmp_path: Path) -> None:
    survives_kills(backend(s3, bucket), tmp_path)


def test_a_bucket_that_does_not_answer_for_a_while(tmp_path: Path) -> None:
    with running(SERVICE) as s3:
        objects = client(s3)
        objects.create_bucket(Bucket="states")

        def checkpoints() -> int:
            listed = objects.list_objects_v2(Bucket="states", Prefix="state/manifests/").get("Contents", [])
            return max((int(Path(entry["Key"]).stem) for entry in listed), default=0)

        is_waited_for(backend(s3, "states"), s3, checkpoints, tmp_path)


def test_a_bucket_that_is_not_there(s3: Running, tmp_path: Path) -> None:
    is_refused(pw.persistence.Backend.s3("x", settings(s3, "missing")), tmp_path, "NoSuchBucket")
