"""`pw.io.s3`: buckets of S3."""

from pathway.io._s3 import AwsS3Settings, DigitalOceanS3Settings, WasabiS3Settings

__all__ = ["AwsS3Settings", "DigitalOceanS3Settings", "WasabiS3Settings"]
