"""Functions built from the operations of tables."""

from pathway.stdlib import graphs, ml, ordered, stateful, statistical, temporal, utils, viz

__all__ = ["graphs", "ml", "ordered", "stateful", "statistical", "temporal", "utils", "viz"]
