"""State in a bucket of S3."""

from __future__ import annotations

import itertools
from pathlib import Path

import boto3
import pytest

import pathway as pw
from services.runner import Running
from services.stores import goes_on, is_refused, survives_kills

_numbers = itertools.count(1)


def settings(s3: Running, bucket: str) -> pw.io.minio.MinIOSettings:
    return pw.io.minio.MinIOSettings(
        f"http://127.0.0.1:{s3.port}", bucket, "id", "secret", region="us-east-1"
    )


@pytest.fixture
def bucket(s3: Running) -> str:
    """The name of a new bucket."""
    name = f"bucket-{next(_numbers)}"
    client = boto3.client(
        "s3",
        endpoint_url=f"http://127.0.0.1:{s3.port}",
        region_name="us-east-1",
        aws_access_key_id="id",
        aws_secret_access_key="secret",
    )
    client.create_bucket(Bucket=name)
    return name


def test_a_run_goes_on_from_a_bucket(s3: Running, bucket: str, tmp_path: Path) -> None:
    goes_on(pw.persistence.Backend.s3("some/path", settings(s3, bucket)), tmp_path)


def test_runs_are_killed(s3: Running, bucket: str, tmp_path: Path) -> None:
    place = f'"http://127.0.0.1:{s3.port}", "{bucket}", "id", "secret", region="us-east-1"'
    survives_kills(f'pw.persistence.Backend.s3("state", pw.io.minio.MinIOSettings({place}))', tmp_path)


def test_a_bucket_that_is_not_there(s3: Running, tmp_path: Path) -> None:
    is_refused(pw.persistence.Backend.s3("x", settings(s3, "missing")), tmp_path, "NoSuchBucket")
