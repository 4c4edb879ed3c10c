"""Buckets of S3 and of what speaks its protocol: how they are reached."""

from __future__ import annotations

import os
import re
from dataclasses import KW_ONLY, dataclass, field
from typing import ClassVar, Protocol


class BucketSettings(Protocol):
    """Says how a bucket is reached."""

    def create_aws_settings(self) -> AwsS3Settings:
        """The settings in the terms of S3."""
        ...


@dataclass(frozen=True)
class AwsS3Settings:
    """How a bucket of S3 is reached.

    Without keys, those of the environment are taken (`AWS_ACCESS_KEY_ID`, `AWS_SECRET_ACCESS_KEY`,
    `AWS_SESSION_TOKEN`), or those that the machine has in AWS.

    Args:
        bucket_name: the bucket.
        access_key: the id of the key.
        secret_access_key: the key.
        with_path_style: the bucket is in the path of URLs, not in the name of the host.
        region: where the bucket is.
        endpoint: the URL of the service, if it is not Amazon's.
        session_token: belongs to a key that expires.

    >>> import pathway as pw
    >>> pw.io.s3.AwsS3Settings(bucket_name="logs", access_key="id", secret_access_key="secret")
    AwsS3Settings(bucket_name='logs', with_path_style=False, region=None, endpoint=None)
    """

    _: KW_ONLY
    bucket_name: str | None = None
    access_key: str | None = field(default=None, repr=False)
    secret_access_key: str | None = field(default=None, repr=False)
    with_path_style: bool = False
    region: str | None = None
    endpoint: str | None = None
    session_token: str | None = field(default=None, repr=False)

    def create_aws_settings(self) -> AwsS3Settings:
        """These settings."""
        return self


@dataclass(frozen=True)
class _RegionalSettings:
    """How a bucket of a provider with an endpoint for each region is reached."""

    _ENDPOINT: ClassVar[str]

    bucket_name: str
    _: KW_ONLY
    access_key: str | None = field(default=None, repr=False)
    secret_access_key: str | None = field(default=None, repr=False)
    region: str | None = None

    def create_aws_settings(self) -> AwsS3Settings:
        """The settings in the terms of S3."""
        return AwsS3Settings(
            bucket_name=self.bucket_name,
            access_key=self.access_key,
            secret_access_key=self.secret_access_key,
            region=self.region,
            endpoint=self._ENDPOINT.format(region=self.region),
        )


class DigitalOceanS3Settings(_RegionalSettings):
    """How a bucket of DigitalOcean Spaces is reached."""

    _ENDPOINT = "https://{region}.digitaloceanspaces.com"


class WasabiS3Settings(_RegionalSettings):
    """How a bucket of Wasabi is reached."""

    _ENDPOINT = "https://s3.{region}.wasabisys.com"


@dataclass(frozen=True)
class MinIOSettings:
    """How a bucket of a MinIO server is reached."""

    endpoint: str
    bucket_name: str
    access_key: str = field(repr=False)
    secret_access_key: str = field(repr=False)
    _: KW_ONLY
    with_path_style: bool = True
    region: str | None = None

    def create_aws_settings(self) -> AwsS3Settings:
        """The settings in the terms of S3."""
        return AwsS3Settings(
            bucket_name=self.bucket_name,
            access_key=self.access_key,
            secret_access_key=self.secret_access_key,
            with_path_style=self.with_path_style,
            region=self.region,
            endpoint=self.endpoint,
        )


def place_of(path: str, settings: BucketSettings) -> tuple[str, tuple[tuple[str, str], ...]]:
    """The URL of a path in a bucket, and the options of the engine for it."""
    if not hasattr(settings, "create_aws_settings"):
        raise TypeError(
            f"bucket_settings have to be a pw.io.s3.AwsS3Settings, not a {type(settings).__qualname__}."
        )
    aws = settings.create_aws_settings()
    bucket = aws.bucket_name
    if match := re.fullmatch(r"s3a?://([^/]+)/?(.*)", path):
        named, path = match[1], match[2]
        if bucket not in (None, named):
            raise ValueError(f"the path is in the bucket {named!r}, and bucket_name is {bucket!r}.")
        bucket = named
    if not bucket:
        raise ValueError("the bucket is not known: give bucket_name, or a path like s3://bucket/path.")
    options = {
        "aws_access_key_id": aws.access_key or os.environ.get("AWS_ACCESS_KEY_ID"),
        "aws_secret_access_key": aws.secret_access_key or os.environ.get("AWS_SECRET_ACCESS_KEY"),
        "aws_session_token": aws.session_token or os.environ.get("AWS_SESSION_TOKEN"),
        "aws_region": aws.region or os.environ.get("AWS_REGION") or os.environ.get("AWS_DEFAULT_REGION"),
        "aws_virtual_hosted_style_request": None if aws.with_path_style else "true",
    }
    if aws.access_key is not None and aws.session_token is None:
        # That of the environment belongs to another key.
        options["aws_session_token"] = None
    if aws.endpoint is not None:
        endpoint = aws.endpoint if "://" in aws.endpoint else f"https://{aws.endpoint}"
        if not aws.with_path_style:
            endpoint = endpoint.replace("://", f"://{bucket}.", 1)
        options["aws_endpoint"] = endpoint
        options["aws_allow_http"] = str(endpoint.startswith("http://")).lower()
    given = tuple((name, value) for name, value in options.items() if value is not None)
    return f"s3://{bucket}/{path.strip('/')}", given
