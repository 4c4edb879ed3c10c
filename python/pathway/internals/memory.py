"""How much memory a run may take."""

from __future__ import annotations

import os
import re
import tempfile
from dataclasses import dataclass

_UNITS = {"": 0, "k": 1, "m": 2, "g": 3, "t": 4}
_SIZE = re.compile(r"\s*(\d+(?:\.\d+)?)\s*([kmgt]?)(i?)(b?)\s*", re.IGNORECASE)


def parse_size(size: int | str) -> int:
    """A number of bytes, given as such or as text with a unit.

    >>> parse_size("1.5 GB"), parse_size("64MiB"), parse_size(100_000_000)
    (1500000000, 67108864, 100000000)
    """
    if isinstance(size, int) and not isinstance(size, bool):
        return size
    match = _SIZE.fullmatch(size) if isinstance(size, str) else None
    if match is None or (match[3] and not match[2]):
        raise ValueError(f"{size!r} is no amount of memory: give a number of bytes, or text like '2GB'.")
    base = 1024 if match[3] else 1000
    return int(float(match[1]) * base ** _UNITS[match[2].lower()])


@dataclass(frozen=True)
class MemoryLimit:
    """Bytes that the process may take, and the folder for state that does not fit."""

    size: int
    directory: str

    @classmethod
    def of(cls, limit: int | str | None, directory: str | os.PathLike[str] | None) -> MemoryLimit | None:
        """The limit that was given, or that of the environment."""
        limit = limit if limit is not None else os.environ.get("PATHWAY_MEMORY_LIMIT") or None
        if limit is None:
            return None
        size = parse_size(limit)
        if size < 1:
            raise ValueError(f"the memory limit has to be positive, not {limit!r}.")
        folder = os.fspath(directory or os.environ.get("PATHWAY_SPILL_DIRECTORY") or tempfile.gettempdir())
        if not os.path.isdir(folder):
            raise FileNotFoundError(f"the directory {folder!r} for state that does not fit is not there.")
        return cls(size, folder)
