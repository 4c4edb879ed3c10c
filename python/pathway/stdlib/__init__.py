"""Functions built from the operations of tables."""

from pathway.stdlib import stateful, temporal, utils

__all__ = ["stateful", "temporal", "utils"]
