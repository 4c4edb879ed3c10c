"""Functions built from the operations of tables."""

from pathway.stdlib import graphs, ordered, stateful, statistical, temporal, utils

__all__ = ["graphs", "ordered", "stateful", "statistical", "temporal", "utils"]
