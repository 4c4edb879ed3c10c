"""The user's line: finding it, remembering it, and telling it with an exception or a warning."""

from __future__ import annotations

import functools
import linecache
import os
import sys
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any, NamedTuple, ParamSpec, TypeVar

from pathway._engine import Frame

_P = ParamSpec("_P")
_R = TypeVar("_R")

_LIBRARY = os.path.dirname(os.path.dirname(os.path.abspath(__file__))) + os.sep
_NOT_OF_THE_USER = (_LIBRARY, "<frozen ")


class Location(NamedTuple):
    """A line of the user's program, cheap to remember for every expression."""

    file: str
    line: int
    function: str

    def source(self) -> str:
        """The stripped text of the line; empty if the file cannot be read."""
        return linecache.getline(self.file, self.line).strip()

    def to_frame(self) -> Frame:
        """The line as the engine keeps it."""
        return Frame(self.file, self.line, self.function, self.source())


def _user_frame() -> FrameType | None:
    """The newest frame that is not the library's own code."""
    frame: FrameType | None = sys._getframe(1)
    while frame is not None and frame.f_code.co_filename.startswith(_NOT_OF_THE_USER):
        frame = frame.f_back
    return frame


def user_names() -> dict[str, Any]:
    """The names that the user's code sees where it is."""
    frame = _user_frame()
    return {} if frame is None else {**frame.f_globals, **frame.f_locals}


def user_location() -> Location | None:
    """The line of the user's code that is being executed."""
    frame = _user_frame()
    if frame is None:
        return None
    return Location(frame.f_code.co_filename, frame.f_lineno, frame.f_code.co_name)


def current_frame() -> Frame | None:
    """The same as [`user_location`][], as the engine keeps it."""
    location = user_location()
    return None if location is None else location.to_frame()


def occurred_here(source: str, file: str, line: int) -> str:
    """The text of the note that names a line."""
    return f"Occurred here:\n    Line: {source}\n    File: {file}:{line}"


def add_location_note(error: BaseException, location: Location | Frame | None) -> None:
    """Attaches the note that names the user's line, unless the exception has one."""
    if location is None or hasattr(error, "_pathway_trace_note"):
        return
    source = location.source() if isinstance(location, Location) else location.source
    note = occurred_here(source, location.file, location.line)
    try:
        error._pathway_trace_note = note  # type: ignore[attr-defined]
        notes = list(getattr(error, "__notes__", ()))
        error.__notes__ = [*notes, note]
    except AttributeError:  # an exception with __slots__
        return


def trace_user_frame(function: Callable[_P, _R]) -> Callable[_P, _R]:
    """Decorates a public function: exceptions that leave it carry the user's line."""

    @functools.wraps(function)
    def traced(*args: _P.args, **kwargs: _P.kwargs) -> _R:
        try:
            return function(*args, **kwargs)
        except Exception as error:
            add_location_note(error, user_location())
            raise

    return traced


@contextmanager
def located(location: Location | None) -> Iterator[None]:
    """Exceptions that leave the block carry `location` instead of the current line."""
    try:
        yield
    except Exception as error:
        add_location_note(error, location)
        raise


def warn(message: str, category: type[Warning] = UserWarning, *, location: Frame | None = None) -> None:
    """A warning that points at the user's line, or at the one given."""
    if location is not None:
        warnings.warn_explicit(message, category, location.file, location.line)
        return
    frame = _user_frame()
    if frame is None:
        warnings.warn(message, category, stacklevel=2)
        return
    registry: dict[Any, Any] = frame.f_globals.setdefault("__warningregistry__", {})
    warnings.warn_explicit(
        message,
        category,
        frame.f_code.co_filename,
        frame.f_lineno,
        module=frame.f_globals.get("__name__"),
        registry=registry,
    )
