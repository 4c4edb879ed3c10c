"""Names of the engine that programs import from here."""

from pathway._engine import (
    ERROR,
    PENDING,
    EngineError,
    OtherWorkerError,
    Pointer,
    ref_scalar,
    unsafe_make_pointer,
)
from pathway._handbook_monitoring import PyMonitoringLevel, TelemetryConfig, Trace
from pathway.internals.api import DebeziumDBType, PersistenceMode, SessionType
from pathway.internals.engine_types import PathwayType
from pathway.internals.monitoring import MonitoringLevel
from pathway.internals.py_object import PyObjectWrapper

__all__ = [
    "ERROR",
    "PENDING",
    "DebeziumDBType",
    "EngineError",
    "MonitoringLevel",
    "OtherWorkerError",
    "PathwayType",
    "PersistenceMode",
    "Pointer",
    "PyMonitoringLevel",
    "PyObjectWrapper",
    "SessionType",
    "TelemetryConfig",
    "Trace",
    "ref_scalar",
    "unsafe_make_pointer",
]
