"""Settings from the environment."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace

from pathway._engine import EngineError


def _flag(name: str, default: bool) -> bool:
    text = os.environ.get(name)
    if text is None:
        return default
    if text.lower() in ("1", "true", "yes"):
        return True
    if text.lower() in ("0", "false", "no"):
        return False
    raise ValueError(
        f"the environment variable {name} is {text!r}; it has to be 1, true, yes, 0, false or no."
    )


def _flag_field(name: str, default: bool) -> bool:
    value: bool = field(default_factory=lambda: _flag(name, default))
    return value


@dataclass(frozen=True)
class PathwayConfig:
    """Settings that are read when the package is imported."""

    ignore_asserts: bool = _flag_field("PATHWAY_IGNORE_ASSERTS", False)
    runtime_typechecking: bool = _flag_field("PATHWAY_RUNTIME_TYPECHECKING", False)
    terminate_on_error: bool = _flag_field("PATHWAY_TERMINATE_ON_ERROR", True)
    suppress_other_worker_errors: bool = _flag_field("PATHWAY_SUPPRESS_OTHER_WORKER_ERRORS", False)
    process_id: str = field(default_factory=lambda: os.environ.get("PATHWAY_PROCESS_ID", "0"))
    replay_storage: str | None = field(default_factory=lambda: os.environ.get("PATHWAY_REPLAY_STORAGE"))
    snapshot_access: str | None = field(default_factory=lambda: os.environ.get("PATHWAY_SNAPSHOT_ACCESS"))
    replay_mode: str = field(
        default_factory=lambda: os.environ.get(
            "PATHWAY_PERSISTENCE_MODE", os.environ.get("PATHWAY_REPLAY_MODE", "batch")
        )
    )
    replay_speed: str = field(default_factory=lambda: os.environ.get("PATHWAY_REPLAY_SPEED", "1"))
    continue_after_replay: bool = _flag_field("PATHWAY_CONTINUE_AFTER_REPLAY", False)
    license_key: str | None = field(default_factory=lambda: os.environ.get("PATHWAY_LICENSE_KEY"))


pathway_config = PathwayConfig()


@contextmanager
def local_pathway_config(**changes: object) -> Iterator[PathwayConfig]:
    """Other settings inside of the block."""
    global pathway_config
    before = pathway_config
    pathway_config = replace(before, **changes)  # type: ignore[arg-type]
    try:
        yield pathway_config
    finally:
        pathway_config = before


def set_license_key(key: str | None) -> None:
    """Sets the license key of the process, which nothing needs."""
    global pathway_config
    pathway_config = replace(pathway_config, license_key=key)


def current_config() -> PathwayConfig:
    """The settings in force."""
    return pathway_config


@dataclass(frozen=True)
class RunConfig:
    """Settings that are read at the start of a run."""

    threads: int
    #: Of all processes.
    workers: int
    #: The first one of this process.
    first_worker: int
    start_timestamp_ms: int | None
    #: Where this process serves metrics.
    http_port: int

    @classmethod
    def from_environment(cls) -> RunConfig:
        """The settings as they are now; EngineError if they make no sense."""
        threads = _number("PATHWAY_THREADS", 1)
        if threads < 1:
            raise EngineError("PATHWAY_THREADS has to be at least 1.")
        start = os.environ.get("PATHWAY_START_TIMESTAMP_MS")
        workers = threads * _number("PATHWAY_PROCESSES", 1)
        start_timestamp_ms = None if start is None else _number("PATHWAY_START_TIMESTAMP_MS", 0)
        first_worker = threads * _number("PATHWAY_PROCESS_ID", 0)
        return cls(threads, workers, first_worker, start_timestamp_ms, _http_port())


def _http_port() -> int:
    """One for each process of the run. What is no number counts as nothing."""
    try:
        first = int(os.environ.get("PATHWAY_MONITORING_HTTP_PORT", ""))
    except ValueError:
        first = 20000
    return first + _number("PATHWAY_PROCESS_ID", 0)


def _number(name: str, default: int) -> int:
    text = os.environ.get(name)
    if text is None:
        return default
    try:
        return int(text)
    except ValueError:
        raise EngineError(f"the environment variable {name} is {text!r}, which is no number.") from None
