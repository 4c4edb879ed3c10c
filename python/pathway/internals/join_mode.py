"""`pw.JoinMode`: which unmatched rows a join keeps."""

from __future__ import annotations

import enum


class JoinMode(enum.Enum):
    """Which unmatched rows a join keeps."""

    INNER = 0
    LEFT = 1
    RIGHT = 2
    OUTER = 3
