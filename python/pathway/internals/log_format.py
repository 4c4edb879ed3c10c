"""How log records are written: as text, or as JSON with what is known of each."""

from __future__ import annotations

import contextlib
import datetime
import json
import logging
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Literal, NamedTuple

#: The attribute of log records that has what the engine knows: operator, connector, file, line and the like.
FIELDS = "pathway_fields"

LogFormat = Literal["text", "json"]

#: An attribute of records that the engine has shown already where it shows them itself.
TOLD = "pathway_told"

#: Attributes that every record has; what else there is, the program has added with `extra`.
_USUAL = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName", FIELDS, TOLD}


def fields_of(record: logging.LogRecord) -> dict[str, Any]:
    """What is known of a record besides its message: what the engine says, and what was given as `extra`."""
    known: dict[str, Any] = dict(getattr(record, FIELDS, None) or {})
    extra = {name: value for name, value in vars(record).items() if name not in _USUAL}
    return {**extra, **known}


class JsonFormatter(logging.Formatter):
    """A record as one JSON object on one line."""

    def format(self, record: logging.LogRecord) -> str:
        time = datetime.datetime.fromtimestamp(record.created, datetime.timezone.utc)
        entry: dict[str, Any] = {
            "time": time.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
            "level": record.levelname,
            "logger": record.name,
            "message": record.getMessage(),
        }
        # None of them takes the place of those above.
        entry = {**fields_of(record), **entry}
        if record.exc_info and not record.exc_text:
            record.exc_text = self.formatException(record.exc_info)
        if record.exc_text:
            entry["exception"] = record.exc_text
        if record.stack_info:
            entry["stack"] = self.formatStack(record.stack_info)
        order = ["time", "level", "logger", "message"]
        entry = {**{name: entry[name] for name in order}, **entry}
        return json.dumps(entry, ensure_ascii=False, default=str)


class Logged(NamedTuple):
    """A record as the engine takes it."""

    #: Seconds since 1970.
    time: float
    #: As in `logging`; 0 is what was printed.
    level: int
    level_name: str
    logger: str
    message: str
    fields: Mapping[str, str] = {}
    exception: str | None = None


class RecordHandler(logging.Handler):
    """Log records are taken apart for whoever shows or sends them."""

    def __init__(self, takes: Callable[[Logged], None]) -> None:
        super().__init__()
        self.takes = takes
        self.texts = logging.Formatter()

    def emit(self, record: logging.LogRecord) -> None:
        try:
            exception = record.exc_text
            if record.exc_info and not exception:
                exception = self.texts.formatException(record.exc_info)
            fields = {name: str(value) for name, value in fields_of(record).items()}
            message, name = record.getMessage(), record.levelname
            if record.stack_info:
                message = f"{message}\n{self.texts.formatStack(record.stack_info)}"
            self.takes(
                Logged(record.created, record.levelno, name, record.name, message, fields, exception or None)
            )
        except Exception:
            self.handleError(record)

    @contextlib.contextmanager
    def attached(self) -> Iterator[None]:
        """It takes what is logged inside of the block."""
        root = logging.getLogger()
        root.addHandler(self)
        try:
            yield
        finally:
            root.removeHandler(self)


def formatter(kind: LogFormat) -> logging.Formatter:
    """How log records are written."""
    if kind == "json":
        return JsonFormatter()
    return logging.Formatter("[%(asctime)s]:%(levelname)s:%(message)s", "%Y-%m-%dT%H:%M:%S")


def set_up_logging(kind: LogFormat) -> None:
    """Logs to standard error, if nobody has set up logging."""
    root = logging.getLogger()
    if root.handlers:
        return
    handler = logging.StreamHandler()
    handler.setFormatter(formatter(kind))
    logging.basicConfig(level=logging.INFO, handlers=[handler])
