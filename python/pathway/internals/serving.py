"""A run over HTTP: the name of its program, and what is logged while it goes on."""

from __future__ import annotations

import contextlib
import logging
import os
import sys
from collections.abc import Iterator

from pathway._engine import LogTail, Serving
from pathway.internals.log_format import TOLD, RecordHandler
from pathway.internals.monitoring_config import monitoring_config


def _untold(record: logging.LogRecord) -> bool:
    """True unless the engine has shown the record itself, however `logging` is set up."""
    return not getattr(record, TOLD, False)


@contextlib.contextmanager
def served(port: int) -> Iterator[Serving]:
    """How a run is served, with what is logged inside of the block."""
    config = monitoring_config()
    log = LogTail()
    serving = Serving(config.http_address, port, token=config.http_token, program=_program(), log=log)
    handler = RecordHandler(log.push)
    handler.addFilter(_untold)
    with handler.attached():
        yield serving


def _program() -> str:
    """What people call the program that is running."""
    path = sys.argv[0] if sys.argv else ""
    if path in ("", "-", "-c"):
        return "Python"
    folder, name = os.path.split(path)
    if name == "__main__.py":
        return os.path.basename(folder) or name
    return "notebook" if name == "ipykernel_launcher.py" else name


__all__ = ["served"]
