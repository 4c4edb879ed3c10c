"""`pw.io.minio`: buckets of MinIO servers."""

from pathway.io._s3 import MinIOSettings

__all__ = ["MinIOSettings"]
