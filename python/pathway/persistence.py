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

import enum
import functools
import os
from collections.abc import Callable, Iterable
from dataclasses import KW_ONLY, dataclass, field
from typing import Any

from pathway._engine import Persistence, Pointer
from pathway.internals.api import PersistenceMode, SnapshotAccess, SnapshotEvent
from pathway.internals.config import PathwayConfig
from pathway.internals.trace import warn
from pathway.io._s3 import BucketSettings, place_of


@dataclass(frozen=True)
class Backend:
    """Where the state of runs is kept: a directory, or a place in a cloud with a URL and options."""

    kind: str
    path: str
    options: tuple[tuple[str, str], ...] | None = field(default=None, repr=False)
    #: By source and worker, of one that is made up.
    events: tuple[tuple[str, int, tuple[SnapshotEvent, ...]], ...] | None = field(default=None, repr=False)

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
    def mock(cls, events: dict[tuple[str, int], list[SnapshotEvent]]) -> Backend:
        """Events in place of recorded ones, by the names of sources and the numbers of workers. They are
        replayed with `SnapshotAccess.REPLAY`; those of workers that the run does not have are left out.

        >>> import pathway as pw
        >>> from pathway.internals.api import SnapshotEvent
        >>> events = [SnapshotEvent.advance_time(2), SnapshotEvent.insert(pw.engine.ref_scalar(0), ["a"])]
        >>> pw.persistence.Backend.mock({("words", 0): events})
        Backend(kind='mock', path='')
        """
        return cls("mock", "", events=tuple((*of, tuple(some)) for of, some in events.items()))


@dataclass(frozen=True)
class Config:
    """How the state of a run is kept.

    Args:
        backend: where.
        snapshot_interval_ms: the time between two checkpoints, in milliseconds; 0 for as often as possible. A
            crash loses what was done since the last one: it is done again.
        snapshot_access: what is read and written. With `FULL`, the run goes on where the last one was, and
            can be gone on with; with `REPLAY`, it writes nothing; with `OFFSETS_ONLY`, it writes only how
            far sources are read; with `RECORD`, it begins anew, and records the rows of its sources behind
            those of earlier runs.
        persistence_mode: what is kept. `PERSISTING` keeps the state of operators,
            and the rows of all sources for operators that a later version of the program has;
            `OPERATOR_PERSISTING` keeps no rows; `SELECTIVE_PERSISTING` keeps the rows of named sources, and
            reads the others anew; `UDF_CACHING` keeps results of functions with disk caches only. `BATCH`,
            `SPEEDRUN_REPLAY` and `REALTIME_REPLAY` keep the rows of named sources, and give them once more
            to a program without state: all at the time at which the run starts; in the minibatches and at
            the times in which they came, as fast as possible; the same with the pauses between them.
        continue_after_replay: sources are read on when what was recorded has been replayed. Otherwise none
            is read.
        replay_speed: with `REALTIME_REPLAY`, so many times as fast as the rows came.
        worker_scaling_enabled: the number of processes that `pathway spawn` runs follows the load.
        workload_tracking_window_ms: the load is judged by windows of this length.
    """

    backend: Backend
    _: KW_ONLY
    snapshot_interval_ms: int = 0
    snapshot_access: SnapshotAccess = SnapshotAccess.FULL
    persistence_mode: PersistenceMode = PersistenceMode.PERSISTING
    continue_after_replay: bool = True
    worker_scaling_enabled: bool = False
    workload_tracking_window_ms: int = 120_000
    replay_speed: float = 1.0

    def __post_init__(self) -> None:
        if not (0 < self.replay_speed < float("inf")):
            raise ValueError(f"replay_speed has to be a positive number, not {self.replay_speed}.")
        if self.snapshot_interval_ms < 0:
            raise ValueError(
                f"snapshot_interval_ms has to be 0 or more milliseconds, not {self.snapshot_interval_ms}."
            )
        if self.workload_tracking_window_ms < 1:
            raise ValueError(
                "workload_tracking_window_ms has to be at least 1 millisecond, not "
                f"{self.workload_tracking_window_ms}."
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
_LOGS: dict[PersistenceMode, str | None] = {
    PersistenceMode.PERSISTING: "all",
    PersistenceMode.OPERATOR_PERSISTING: "none",
    PersistenceMode.SELECTIVE_PERSISTING: "named",
    PersistenceMode.UDF_CACHING: None,
    PersistenceMode.BATCH: "named",
    PersistenceMode.SPEEDRUN_REPLAY: "named",
    PersistenceMode.REALTIME_REPLAY: "named",
}
_REPLAYS = (PersistenceMode.BATCH, PersistenceMode.SPEEDRUN_REPLAY, PersistenceMode.REALTIME_REPLAY)


def check_supported(config: Config) -> None:
    """ValueError if the run cannot do what is asked for."""
    keeps_state = _LOGS[config.persistence_mode] is not None and config.persistence_mode not in _REPLAYS
    if config.worker_scaling_enabled and not (keeps_state and config.snapshot_access is SnapshotAccess.FULL):
        raise ValueError(
            "With worker_scaling_enabled=True, runs end and go on with another number of processes: it "
            "needs snapshot_access=SnapshotAccess.FULL and a persistence_mode that keeps the state of "
            "operators."
        )
    replays = config.persistence_mode in _REPLAYS and config.snapshot_access is SnapshotAccess.REPLAY
    if config.backend.kind == "mock" and not replays:
        raise ValueError(
            "Backend.mock has only what is replayed: give snapshot_access=SnapshotAccess.REPLAY and "
            "persistence_mode=PersistenceMode.SPEEDRUN_REPLAY or one of the other modes of replays."
        )


def engine_settings(config: Config, workers: int) -> Persistence | None:
    """The configuration as the engine takes it, for a run of so many workers; None if it keeps no state."""
    backend, logs = config.backend, _LOGS[config.persistence_mode]
    if logs is None:
        return None
    return Persistence(
        backend.path if backend.events is None else None,
        options=backend.options,
        interval_ms=config.snapshot_interval_ms,
        logs=logs,
        access=config.snapshot_access.value,
        pace=config.persistence_mode.value if config.persistence_mode in _REPLAYS else None,
        speed=config.replay_speed,
        continues=config.continue_after_replay,
        given=None if backend.events is None else _given(backend.events, workers),
    )


_Given = tuple[str, list[Pointer], list[tuple[Any, ...]], list[int], list[int]]


def _given(events: Iterable[tuple[str, int, Iterable[SnapshotEvent]]], workers: int) -> list[_Given]:
    """By source the ids, columns, times and diffs of the rows of events."""
    changes: dict[str, list[tuple[int, int, Pointer, tuple[Any, ...]]]] = {}
    for source, worker, some in events:
        time = 0
        for event in some if worker < workers else ():
            if event.kind == "advance_time":
                time = event.time & ~1
            elif event.kind == "finished":
                break
            elif event.key is not None:
                diff = 1 if event.kind == "insert" else -1
                changes.setdefault(source, []).append((time, diff, event.key, event.values))
    given = []
    for source, rows in changes.items():
        rows.sort(key=lambda row: row[0])
        times, diffs, keys, values = (list(cells) for cells in zip(*rows, strict=True))
        given.append((source, keys, list(zip(*values, strict=True)), times, diffs))
    return given


def config_of_environment(config: PathwayConfig) -> Config | None:
    """The configuration of a run that records or replays because `pathway spawn --record` or `pathway replay`
    says so in the environment, or whoever set these variables.

    Raises:
        ValueError: the variables make no sense.
    """
    if config.replay_storage is None:
        return None
    accesses = {"record": SnapshotAccess.RECORD, "replay": SnapshotAccess.REPLAY}
    access = accesses.get((config.snapshot_access or "").lower())
    if access is None:
        raise ValueError(
            "with PATHWAY_REPLAY_STORAGE, the environment variable PATHWAY_SNAPSHOT_ACCESS has to be "
            f"record or replay, not {config.snapshot_access!r}."
        )
    modes = {"speedrun": PersistenceMode.SPEEDRUN_REPLAY, "realtime": PersistenceMode.REALTIME_REPLAY}
    try:
        speed = float(config.replay_speed)
    except ValueError:
        raise ValueError(f"PATHWAY_REPLAY_SPEED is {config.replay_speed!r}, which is no number.") from None
    return Config(
        Backend.filesystem(config.replay_storage),
        snapshot_access=access,
        persistence_mode=modes.get(config.replay_mode.lower(), PersistenceMode.BATCH),
        continue_after_replay=config.continue_after_replay,
        replay_speed=speed,
    )


class Mode(enum.Enum):
    """`mode=` of a configuration in the handbook: checkpoints of everything."""

    SNAPSHOT = "snapshot"


def _handbook_keywords(init: Callable[..., None]) -> Callable[..., None]:
    """Takes the handbook's `mode=` and `snapshot_path=` as a backend in a directory, too."""

    @functools.wraps(init)
    def with_keywords(
        self: Config,
        *args: Any,
        mode: Mode = Mode.SNAPSHOT,
        snapshot_path: str | os.PathLike[str] | None = None,
        **kwargs: Any,
    ) -> None:
        if not isinstance(mode, Mode):
            raise TypeError(f"mode has to be a pw.persistence.Mode, not a {type(mode).__name__}.")
        if snapshot_path is not None:
            if args or "backend" in kwargs:
                raise TypeError("snapshot_path and a backend both say where the state is kept; give one.")
            kwargs["backend"] = Backend.filesystem(snapshot_path)
        init(self, *args, **kwargs)

    return with_keywords


Config.__init__ = _handbook_keywords(Config.__init__)  # type: ignore[method-assign]


__all__ = ["Backend", "Config", "Mode"]
