"""`pw.io.python`: sources and sinks in Python."""

from pathway.io.python.observers import AsyncConnectorObserver, ConnectorObserver, write
from pathway.io.python.player import InteractiveCsvPlayer
from pathway.io.python.reader import read
from pathway.io.python.subject import ConnectorSubject

__all__ = [
    "AsyncConnectorObserver",
    "ConnectorObserver",
    "ConnectorSubject",
    "InteractiveCsvPlayer",
    "read",
    "write",
]
