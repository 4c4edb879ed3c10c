"""Names of the engine that programs import from here."""

from __future__ import annotations

import enum
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from pathway._engine import (
    ERROR,
    PENDING,
    EngineError,
    OtherWorkerError,
    Pointer,
    ref_scalar,
    ref_scalar_with_instance,
    unsafe_make_pointer,
)
from pathway.internals.py_object import PyObjectWrapper, PyObjectWrapperSerializerProtocol, wrap_serializer

#: What a cell can hold, for annotations.
Value = Any


class SessionType(enum.Enum):
    """How a source treats a key that it has sent before."""

    NATIVE = "native"
    UPSERT = "upsert"


class DebeziumDBType(enum.Enum):
    """Which database tells its changes."""

    POSTGRES = "postgres"
    MONGO_DB = "mongodb"


class PersistenceMode(enum.Enum):
    """What a run keeps for later ones."""

    BATCH = "batch"
    SPEEDRUN_REPLAY = "speedrun_replay"
    REALTIME_REPLAY = "realtime_replay"
    PERSISTING = "persisting"
    SELECTIVE_PERSISTING = "selective_persisting"
    UDF_CACHING = "udf_caching"
    OPERATOR_PERSISTING = "operator_persisting"


class SnapshotAccess(enum.Enum):
    """What a run reads and writes of what is kept."""

    REPLAY = "replay"
    RECORD = "record"
    FULL = "full"
    OFFSETS_ONLY = "offsets_only"


@dataclass(frozen=True)
class SnapshotEvent:
    """Something that a source has recorded: a row that was added or removed, or the time of what follows.

    >>> SnapshotEvent.advance_time(4)
    SnapshotEvent(kind='advance_time', key=None, values=(), time=4)
    """

    kind: str
    key: Pointer | None = None
    values: tuple[Any, ...] = ()
    time: int = 0

    #: Nothing follows.
    FINISHED: ClassVar[SnapshotEvent]

    @classmethod
    def insert(cls, key: Pointer, values: Sequence[Any]) -> SnapshotEvent:
        """A row is added: its id, and its values in the order of the columns."""
        return cls("insert", key, tuple(values))

    @classmethod
    def delete(cls, key: Pointer, values: Sequence[Any]) -> SnapshotEvent:
        """A row is removed: its id, and its values in the order of the columns."""
        return cls("delete", key, tuple(values))

    @classmethod
    def advance_time(cls, time: int) -> SnapshotEvent:
        """What follows is of this time, or the even one before it."""
        return cls("advance_time", time=time)


SnapshotEvent.FINISHED = SnapshotEvent("finished")


__all__ = [
    "ERROR",
    "PENDING",
    "DebeziumDBType",
    "EngineError",
    "OtherWorkerError",
    "PersistenceMode",
    "Pointer",
    "PyObjectWrapper",
    "PyObjectWrapperSerializerProtocol",
    "SessionType",
    "SnapshotAccess",
    "SnapshotEvent",
    "Value",
    "ref_scalar",
    "ref_scalar_with_instance",
    "unsafe_make_pointer",
    "wrap_serializer",
]
