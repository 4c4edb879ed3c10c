"""Functions built from the operations of tables."""

from pathway.stdlib import ordered, stateful, statistical, temporal, utils

__all__ = ["ordered", "stateful", "statistical", "temporal", "utils"]
