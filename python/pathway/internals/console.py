"""What a person sees of a run while it goes on: a view on the terminal or in a notebook, or some lines.

While the view has the terminal, nothing else may write there: what the program logs and prints is shown in
the view, and written for good when the view is gone.
"""

from __future__ import annotations

import collections
import contextlib
import io
import logging
import os
import sys
import threading
import time
from collections.abc import Iterator
from typing import Any, cast

from pathway._engine import Console, LogTail
from pathway.internals.config import current_config
from pathway.internals.log_format import Logged, RecordHandler
from pathway.internals.monitoring import MonitoringLevel, at_terminal, in_notebook, is_terminal

_LOGGER = logging.getLogger("pathway_engine.monitoring")
#: Seconds between lines where there is no terminal, and between pictures in a notebook.
_BETWEEN_LINES = 10.0
_BETWEEN_PICTURES = 0.5
#: The width of the picture in a notebook.
_WIDTH = 120
#: So many lines are kept until the view is gone.
_KEPT = 10_000


@contextlib.contextmanager
def shown(level: MonitoringLevel) -> Iterator[Console | None]:
    """Shows the run inside of the block, at a level that is not automatic; yields what the engine needs."""
    if level is MonitoringLevel.NONE:
        yield None
    elif current_config().process_id != "0":
        # The first process has the terminal.
        with _silence():
            yield None
    elif in_notebook():
        with _in_notebook(level is MonitoringLevel.ALL) as console:
            yield console
    elif at_terminal():
        with _at_terminal(level is MonitoringLevel.ALL) as console:
            yield console
    else:
        yield Console(LogTail(), operators=level is MonitoringLevel.ALL, lines=(_BETWEEN_LINES, _tell))


def _tell(line: str) -> None:
    _LOGGER.info("%s", line)


class _Kept:
    """Lines that were to be written to the terminal while it had the view."""

    def __init__(self) -> None:
        self._lines: collections.deque[tuple[Any, str]] = collections.deque(maxlen=_KEPT)
        self._count = 0

    def add(self, stream: Any, line: str) -> None:
        self._lines.append((stream, line))
        self._count += 1

    def write(self) -> None:
        """Writes them where they were to be written."""
        lost = self._count - len(self._lines)
        if lost:
            self._lines[0][0].write(f"... ({lost} lines before these are left out)\n")
        for stream, line in self._lines:
            _write(stream, line)
        for stream in {id(stream): stream for stream, _ in self._lines}.values():
            stream.flush()
        self._lines.clear()
        self._count = 0


def _write(stream: Any, text: str) -> None:
    """Writes what the stream has letters for."""
    encoding = stream.encoding or "utf-8"
    stream.write(text.encode(encoding, "replace").decode(encoding))


class _Lines(io.RawIOBase):
    """What is written here is kept line by line, and shown in the view if that has a tail for it."""

    def __init__(self, stream: Any, kept: _Kept, tail: LogTail | None) -> None:
        self._stream = stream
        self._kept: _Kept | None = kept
        self._tail = tail
        self._begun = b""
        # Any thread may print; and so may the handler of a signal, in the middle of that.
        self._lock = threading.RLock()

    def writable(self) -> bool:
        return True

    def fileno(self) -> int:
        number: int = self._stream.fileno()
        return number

    def write(self, data: Any) -> int:
        text = bytes(data)
        with self._lock:
            if self._kept is None:
                # Somebody has held on to it.
                _write(self._stream, text.decode("utf-8", "replace"))
                self._stream.flush()
                return len(text)
            *lines, self._begun = (self._begun + text).split(b"\n")
            for line in lines:
                self._line(self._kept, line.decode("utf-8", "replace") + "\n")
        return len(text)

    def end(self) -> None:
        """From now on all is written where it belongs. A line that has no end is one, too."""
        with self._lock:
            if self._begun and self._kept is not None:
                self._line(self._kept, self._begun.decode("utf-8", "replace"))
            self._begun, self._kept = b"", None

    def _line(self, kept: _Kept, line: str) -> None:
        if self._tail is not None:
            # Of a line that is written over and over, the last state counts.
            shown = line.rstrip("\r\n").rpartition("\r")[2]
            self._tail.push(Logged(time.time(), 0, "", "print", shown))
        kept.add(self._stream, line)


def _text(lines: _Lines) -> io.TextIOWrapper:
    # Whatever is written is passed on at once.
    return io.TextIOWrapper(cast(Any, lines), encoding="utf-8", errors="backslashreplace", write_through=True)


def _reaches_root(logger: logging.Logger) -> bool:
    """True if the root logger gets its records, too."""
    while logger.parent is not None:
        if not logger.propagate:
            return False
        logger = logger.parent
    return True


@contextlib.contextmanager
def _set_aside(tail: LogTail, kept: _Kept) -> Iterator[None]:
    """What handlers of log records would write to the terminal is kept."""
    aside = []
    named = [other for other in logging.root.manager.loggerDict.values() if isinstance(other, logging.Logger)]
    for logger in (logging.root, *named):
        for handler in logger.handlers:
            if isinstance(handler, logging.StreamHandler) and is_terminal(handler.stream):
                # What the root logger gets is in the view already.
                lines = _Lines(handler.stream, kept, None if _reaches_root(logger) else tail)
                aside.append((handler, handler.stream, lines))
                handler.setStream(_text(lines))
    try:
        yield
    finally:
        for handler, stream, lines in aside:
            handler.setStream(stream)
            lines.end()


@contextlib.contextmanager
def _logged(tail: LogTail) -> Iterator[None]:
    """Log records of the root logger are shown in the view."""
    root = logging.getLogger()
    level = root.level
    if not root.handlers and level == logging.WARNING:
        # Nobody has set up logging: the view has a place for information.
        root.setLevel(logging.INFO)
    try:
        with RecordHandler(tail.push).attached():
            yield
    finally:
        root.setLevel(level)


@contextlib.contextmanager
def _printed(tail: LogTail, kept: _Kept) -> Iterator[None]:
    """What the program prints is shown in the view, and kept."""
    replaced: list[tuple[str, Any, io.TextIOWrapper, _Lines]] = []
    for name in ("stdout", "stderr"):
        stream = getattr(sys, name)
        if is_terminal(stream):
            stream.flush()
            lines = _Lines(stream, kept, tail)
            text = _text(lines)
            replaced.append((name, stream, text, lines))
            setattr(sys, name, text)
    try:
        yield
    finally:
        for name, stream, text, lines in replaced:
            if getattr(sys, name) is text:
                setattr(sys, name, stream)
            text.flush()
            lines.end()


@contextlib.contextmanager
def _at_terminal(operators: bool) -> Iterator[Console]:
    """The view has the terminal. Afterwards that has what it would have without, and the last state."""
    tail, kept, stdout = LogTail(), _Kept(), sys.stdout
    console = Console(tail, operators=operators, terminal=os.dup(stdout.fileno()))
    try:
        with _logged(tail), _set_aside(tail, kept), _printed(tail, kept):
            yield console
    finally:
        kept.write()
        if console.has_begun():
            columns = os.get_terminal_size(stdout.fileno()).columns or _WIDTH
            _write(stdout, console.text(columns, logs=0) + "\n")
            stdout.flush()


@contextlib.contextmanager
def _in_notebook(operators: bool) -> Iterator[Console]:
    """A picture of text below the cell, which follows the run."""
    tail, ended = LogTail(), threading.Event()
    console = Console(tail, operators=operators)
    display: Any = sys.modules["IPython"].display

    def picture() -> dict[str, str]:
        return {"text/plain": console.text(_WIDTH)}

    handle = display.display(picture(), raw=True, display_id=True)

    def follow() -> None:
        while not ended.wait(_BETWEEN_PICTURES):
            handle.update(picture(), raw=True)

    thread = threading.Thread(target=follow, name="pathway:notebook", daemon=True)
    with _logged(tail):
        thread.start()
        try:
            yield console
        finally:
            ended.set()
            thread.join()
            handle.update(picture(), raw=True)


@contextlib.contextmanager
def _silence() -> Iterator[None]:
    """What this process writes to the terminal is discarded, whoever in it does so."""
    saved = []
    for stream in (sys.stdout, sys.stderr):
        if is_terminal(stream):
            stream.flush()
            number = stream.fileno()
            saved.append((stream, number, os.dup(number)))
    try:
        if saved:
            nothing = os.open(os.devnull, os.O_WRONLY)
            for _, number, _ in saved:
                os.dup2(nothing, number)
            os.close(nothing)
        yield
    finally:
        for stream, number, before in saved:
            stream.flush()
            os.dup2(before, number)
            os.close(before)
