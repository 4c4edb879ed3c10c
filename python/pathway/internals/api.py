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


__all__ = [
    "ERROR",
    "PENDING",
    "EngineError",
    "OtherWorkerError",
    "Pointer",
    "PyObjectWrapper",
    "PyObjectWrapperSerializerProtocol",
    "SessionType",
    "Value",
    "ref_scalar",
    "ref_scalar_with_instance",
    "unsafe_make_pointer",
    "wrap_serializer",
]
