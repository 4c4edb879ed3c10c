"""The names of this module that programs import."""

from pathway.internals.interpolate_mode import InterpolateMode

__all__ = ["InterpolateMode"]
