"""`pw.persistence`: runs that go on where an earlier one was stopped or killed.

A run with a configuration keeps what it knows in a store: the state of every operator, how far its sources
were read, and how far its output files are written. The next run with that store goes on from there, with any
number of workers.

>>> import pathway as pw
>>> backend = pw.persistence.Backend.filesystem("/tmp/state")
>>> config = pw.persistence.Config(backend, snapshot_interval_ms=500)
>>> config.persistence_mode.name
'PERSISTING'
"""

from __future__ import annotations

import os
from dataclasses import KW_ONLY, dataclass, field
from typing import Any

from pathway.internals.api import PersistenceMode, SnapshotAccess
from pathway.internals.errors import NotYetSupportedError
from pathway.internals.trace import warn
from pathway.io._s3 import BucketSettings, place_of


@dataclass(frozen=True)
class Backend:
    """Where the state of runs is kept: a directory, or a place in a cloud with a URL and options."""

    kind: str
    path: str
    options: tuple[tuple[str, str], ...] | None = field(default=None, repr=False)

    @classmethod
    def filesystem(cls, path: str | os.PathLike[str]) -> Backend:
        """A directory, which is made if it is missing. What is written there survives a failure of the
        system."""
        return cls("filesystem", os.fspath(path))

    @classmethod
    def s3(cls, root_path: str, bucket_settings: BucketSettings) -> Backend:
        """Objects of a bucket, of S3 or what speaks its protocol, whose names begin with `root_path`.

        Args:
            root_path: what the names begin with; `s3://bucket/path` will do, too.
            bucket_settings: the bucket, and who asks.

        Raises:
            ValueError: the bucket is not known, or `root_path` is in another one.

        >>> import pathway as pw
        >>> settings = pw.io.s3.AwsS3Settings(bucket_name="states", region="eu-central-1")
        >>> pw.persistence.Backend.s3("shop/counts", settings)
        Backend(kind='s3', path='s3://states/shop/counts')
        """
        url, options = place_of(root_path, bucket_settings)
        return cls("s3", url, options)

    @classmethod
    def azure(
        cls, root_path: str, account: str, password: str, container: str, *, endpoint: str | None = None
    ) -> Backend:
        """Blobs of a container of Azure Blob Storage whose names begin with `root_path`.

        Args:
            root_path: what the names begin with.
            account: the storage account.
            password: its key.
            container: the container.
            endpoint: the URL of the service if it is not Azure's own, with the account.

        >>> import pathway as pw
        >>> pw.persistence.Backend.azure("shop/counts", "account", "a2V5", "states")
        Backend(kind='azure', path='az://states/shop/counts')
        """
        options = {"azure_storage_account_name": account, "azure_storage_account_key": password}
        if endpoint is not None:
            options["azure_storage_endpoint"] = endpoint
            options["azure_allow_http"] = str(endpoint.startswith("http://")).lower()
        return cls("azure", f"az://{container}/{root_path.strip('/')}", tuple(options.items()))

    @classmethod
    def gcs(
        cls,
        root_path: str,
        bucket: str,
        *,
        service_account_path: str | os.PathLike[str] | None = None,
        service_account_key: str | None = None,
    ) -> Backend:
        """Objects of a bucket of Google Cloud Storage whose names begin with `root_path`.

        Args:
            root_path: what the names begin with.
            bucket: the bucket.
            service_account_path: the file with the key of a service account; by default, that of
                `GOOGLE_APPLICATION_CREDENTIALS`, or the account of the machine in Google's cloud.
            service_account_key: the key itself, in JSON.

        >>> import pathway as pw
        >>> pw.persistence.Backend.gcs("shop/counts", "states")
        Backend(kind='gcs', path='gs://states/shop/counts')
        """
        options = {}
        if service_account_path is not None:
            options["google_service_account"] = os.fspath(service_account_path)
        if service_account_key is not None:
            options["google_service_account_key"] = service_account_key
        if not options and (default := os.environ.get("GOOGLE_APPLICATION_CREDENTIALS")):
            options["google_application_credentials"] = default
        return cls("gcs", f"gs://{bucket}/{root_path.strip('/')}", tuple(options.items()))

    @classmethod
    def mock(cls, events: dict[tuple[str, int], list[Any]]) -> Backend:
        """Events that are replayed in place of recorded ones."""
        return cls("mock", "")


@dataclass(frozen=True)
class Config:
    """How the state of a run is kept.

    Args:
        backend: where.
        snapshot_interval_ms: the time between two checkpoints, in milliseconds; 0 for as often as possible. A
            crash loses what was done since the last one: it is done again.
        snapshot_access: what is read and written.
        persistence_mode: what is kept. `PERSISTING` keeps the state of operators, and the rows of all sources
            for operators that a later version of the program has; `OPERATOR_PERSISTING` keeps no rows;
            `SELECTIVE_PERSISTING` keeps the rows of named sources, and reads the others anew;
            `UDF_CACHING` keeps results of functions with disk caches only.
        continue_after_replay: sources are read on when what was recorded has been replayed.
        worker_scaling_enabled: the number of processes follows the load.
        workload_tracking_window_ms: how long the load is watched for that.
    """

    backend: Backend
    _: KW_ONLY
    snapshot_interval_ms: int = 0
    snapshot_access: SnapshotAccess = SnapshotAccess.FULL
    persistence_mode: PersistenceMode = PersistenceMode.PERSISTING
    continue_after_replay: bool = True
    worker_scaling_enabled: bool = False
    workload_tracking_window_ms: int = 120_000

    def __post_init__(self) -> None:
        if self.snapshot_interval_ms < 0:
            raise ValueError(
                f"snapshot_interval_ms has to be 0 or more milliseconds, not {self.snapshot_interval_ms}."
            )

    @classmethod
    def simple_config(
        cls,
        backend: Backend,
        snapshot_interval_ms: int = 0,
        snapshot_access: SnapshotAccess = SnapshotAccess.FULL,
        persistence_mode: PersistenceMode = PersistenceMode.PERSISTING,
        continue_after_replay: bool = True,
    ) -> Config:
        """The same as `Config(...)`, which is to be used."""
        warn("Config.simple_config() is deprecated: use Config().", DeprecationWarning)
        return cls(
            backend,
            snapshot_interval_ms=snapshot_interval_ms,
            snapshot_access=snapshot_access,
            persistence_mode=persistence_mode,
            continue_after_replay=continue_after_replay,
        )


#: For each mode the sources whose rows are kept; None where no state is.
LOGS: dict[PersistenceMode, str | None] = {
    PersistenceMode.PERSISTING: "all",
    PersistenceMode.OPERATOR_PERSISTING: "none",
    PersistenceMode.SELECTIVE_PERSISTING: "named",
    PersistenceMode.UDF_CACHING: None,
}


def check_supported(config: Config) -> None:
    """NotYetSupportedError if the run cannot do what is asked for."""
    unsupported = {
        f"Backend.{config.backend.kind}": config.backend.kind == "mock",
        f"PersistenceMode.{config.persistence_mode.name}": config.persistence_mode not in LOGS,
        f"SnapshotAccess.{config.snapshot_access.name}": config.snapshot_access is not SnapshotAccess.FULL,
        "continue_after_replay=False": not config.continue_after_replay,
        "worker_scaling_enabled=True": config.worker_scaling_enabled,
    }
    for option, given in unsupported.items():
        if given:
            raise NotYetSupportedError(f"{option} of a persistence configuration is not supported yet.")


__all__ = ["Backend", "Config"]
