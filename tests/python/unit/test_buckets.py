"""How buckets of S3 and of what speaks its protocol are reached."""

from __future__ import annotations

from pathlib import Path

import pytest

import pathway as pw
from pathway.io._s3 import place_of

_ENVIRONMENT = ("ACCESS_KEY_ID", "SECRET_ACCESS_KEY", "SESSION_TOKEN", "REGION", "DEFAULT_REGION")


@pytest.fixture(autouse=True)
def _empty_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in _ENVIRONMENT:
        monkeypatch.delenv(f"AWS_{name}", raising=False)


KEYS = {"aws_access_key_id": "id", "aws_secret_access_key": "hush"}
HOSTED = {"aws_virtual_hosted_style_request": "true"}


def test_places_of_amazon() -> None:
    settings = pw.io.s3.AwsS3Settings(
        bucket_name="b", access_key="id", secret_access_key="hush", region="eu-west-1", session_token="t"
    )
    url, options = place_of("some/path/", settings)
    assert url == "s3://b/some/path"
    assert dict(options) == {**KEYS, **HOSTED, "aws_region": "eu-west-1", "aws_session_token": "t"}
    assert place_of("s3://b/x", settings)[0] == place_of("s3a://b/x", settings)[0] == "s3://b/x"
    assert place_of("s3://c/x", pw.io.s3.AwsS3Settings())[0] == "s3://c/x"
    assert "hush" not in repr(settings)


def test_places_of_others() -> None:
    minio = pw.io.minio.MinIOSettings("http://localhost:9000", "b", "id", "hush")
    assert dict(place_of("x", minio)[1]) == {
        **KEYS,
        "aws_endpoint": "http://localhost:9000",
        "aws_allow_http": "true",
    }
    ocean = pw.io.s3.DigitalOceanS3Settings("b", access_key="id", secret_access_key="hush", region="ams3")
    assert dict(place_of("x", ocean)[1])["aws_endpoint"] == "https://b.ams3.digitaloceanspaces.com"
    wasabi = pw.io.s3.WasabiS3Settings("b", access_key="id", secret_access_key="hush", region="eu-1")
    assert dict(place_of("x", wasabi)[1])["aws_endpoint"] == "https://b.s3.eu-1.wasabisys.com"


def test_keys_of_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in _ENVIRONMENT:
        monkeypatch.setenv(f"AWS_{name}", name.lower())
    options = dict(place_of("x", pw.io.s3.AwsS3Settings(bucket_name="b"))[1])
    assert options == {
        **HOSTED,
        "aws_access_key_id": "access_key_id",
        "aws_secret_access_key": "secret_access_key",
        "aws_session_token": "session_token",
        "aws_region": "region",
    }
    own = pw.io.s3.AwsS3Settings(bucket_name="b", access_key="id", secret_access_key="hush", region="r")
    assert dict(place_of("x", own)[1]) == {**KEYS, **HOSTED, "aws_region": "r"}


def test_what_makes_no_sense_is_refused() -> None:
    with pytest.raises(ValueError, match="the bucket is not known"):
        pw.persistence.Backend.s3("x", pw.io.s3.AwsS3Settings())
    with pytest.raises(ValueError, match="in the bucket 'a', and bucket_name is 'b'"):
        pw.persistence.Backend.s3("s3://a/x", pw.io.s3.AwsS3Settings(bucket_name="b"))
    with pytest.raises(TypeError, match="AwsS3Settings, not a str"):
        pw.persistence.Backend.s3("x", "b")  # type: ignore[arg-type]


def test_backends_do_not_show_secrets() -> None:
    settings = pw.io.s3.AwsS3Settings(bucket_name="b", access_key="id", secret_access_key="hush")
    backends = [
        pw.persistence.Backend.s3("x", settings),
        pw.persistence.Backend.azure("x", "account", "hush", "container"),
        pw.persistence.Backend.gcs("x", "b", service_account_key='{"private_key": "hush"}'),
    ]
    assert not any("hush" in repr(backend) for backend in backends)
    assert [backend.path for backend in backends] == ["s3://b/x", "az://container/x", "gs://b/x"]


def test_accounts_of_google(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("GOOGLE_APPLICATION_CREDENTIALS", raising=False)
    gcs = pw.persistence.Backend.gcs
    assert gcs("/a/b/", "states").path == "gs://states/a/b"
    assert dict(gcs("x", "b").options) == {}
    assert dict(gcs("x", "b", service_account_path=Path("key.json")).options) == {
        "google_service_account": "key.json"
    }
    assert dict(gcs("x", "b", service_account_key="{}").options) == {"google_service_account_key": "{}"}
    monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", "default.json")
    assert dict(gcs("x", "b").options) == {"google_application_credentials": "default.json"}
