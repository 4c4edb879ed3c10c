"""Where some programs import the global graph from."""

from pathway.internals.parse_graph import G

__all__ = ["G"]
