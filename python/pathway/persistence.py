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
from dataclasses import KW_ONLY, dataclass
from typing import Any

from pathway.internals.api import PersistenceMode, SnapshotAccess
from pathway.internals.errors import NotYetSupportedError
from pathway.internals.trace import warn


@dataclass(frozen=True)
class Backend:
    """Where the state of runs is kept."""

    kind: str
    path: str

    @classmethod
    def filesystem(cls, path: str | os.PathLike[str]) -> Backend:
        """A directory, which is made if it is missing. What is written there survives a failure of the
        system."""
        return cls("filesystem", os.fspath(path))

    @classmethod
    def s3(cls, root_path: str, bucket_settings: Any) -> Backend:
        """Objects of an S3 bucket whose names begin with `root_path`."""
        return cls("s3", root_path)

    @classmethod
    def azure(cls, root_path: str, account: str, password: str, container: str) -> Backend:
        """Blobs of an Azure container whose names begin with `root_path`."""
        return cls("azure", root_path)

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
        f"Backend.{config.backend.kind}": config.backend.kind != "filesystem",
        f"PersistenceMode.{config.persistence_mode.name}": config.persistence_mode not in LOGS,
        f"SnapshotAccess.{config.snapshot_access.name}": config.snapshot_access is not SnapshotAccess.FULL,
        "continue_after_replay=False": not config.continue_after_replay,
        "worker_scaling_enabled=True": config.worker_scaling_enabled,
    }
    for option, given in unsupported.items():
        if given:
            raise NotYetSupportedError(f"{option} of a persistence configuration is not supported yet.")


__all__ = ["Backend", "Config"]
