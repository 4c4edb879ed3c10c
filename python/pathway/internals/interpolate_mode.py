"""How `interpolate` fills in missing values."""

from __future__ import annotations

from enum import Enum


class InterpolateMode(Enum):
    """How missing values are filled in."""

    LINEAR = 0
