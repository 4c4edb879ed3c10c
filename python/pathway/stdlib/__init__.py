"""Functions built from the operations of tables."""

from pathway.stdlib import stateful, utils

__all__ = ["stateful", "utils"]
