"""A run over HTTP: the name of its program, and what is logged while it goes on."""

from __future__ import annotations

import contextlib
import logging
import os
import sys
from collections.abc import Iterator
from typing import Literal

from pathway._engine import Serving
from pathway.internals.monitoring_config import monitoring_config

#: An attribute of records that are shown already: the engine adds its own, however `logging` is set up.
TOLD = "pathway_told"


class _Shown(logging.Handler):
    """Adds what reaches the root logger to the log that the dashboard shows."""

    def __init__(self, serving: Serving) -> None:
        super().__init__()
        self.serving = serving

    def emit(self, record: logging.LogRecord) -> None:
        if getattr(record, TOLD, False):
            return
        try:
            self.serving.log(int(record.created * 1000), _level(record.levelno), self.format(record))
        except Exception:
            self.handleError(record)


def _level(number: int) -> Literal["DEBUG", "INFO", "WARNING", "ERROR"]:
    if number < logging.INFO:
        return "DEBUG"
    if number < logging.WARNING:
        return "INFO"
    return "WARNING" if number < logging.ERROR else "ERROR"


@contextlib.contextmanager
def served(port: int) -> Iterator[Serving]:
    """How a run is served, with what is logged inside of the block."""
    config = monitoring_config()
    serving = Serving(config.http_address, port, token=config.http_token, program=_program())
    handler = _Shown(serving)
    root = logging.getLogger()
    root.addHandler(handler)
    try:
        yield serving
    finally:
        root.removeHandler(handler)


def _program() -> str:
    """What people call the program that is running."""
    path = sys.argv[0] if sys.argv else ""
    if path in ("", "-", "-c"):
        return "Python"
    folder, name = os.path.split(path)
    if name == "__main__.py":
        return os.path.basename(folder) or name
    return "notebook" if name == "ipykernel_launcher.py" else name


__all__ = ["TOLD", "served"]
