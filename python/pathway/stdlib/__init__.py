"""Functions built from the operations of tables."""

from pathway.stdlib import utils

__all__ = ["utils"]
