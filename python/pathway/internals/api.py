"""Names of the engine that programs import from here."""

from __future__ import annotations

import enum
from typing import Any

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


__all__ = [
    "ERROR",
    "PENDING",
    "EngineError",
    "OtherWorkerError",
    "PersistenceMode",
    "Pointer",
    "PyObjectWrapper",
    "PyObjectWrapperSerializerProtocol",
    "SessionType",
    "SnapshotAccess",
    "Value",
    "ref_scalar",
    "ref_scalar_with_instance",
    "unsafe_make_pointer",
    "wrap_serializer",
]
