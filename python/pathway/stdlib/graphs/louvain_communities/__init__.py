"""Communities of a graph by the method of Louvain."""

from pathway.stdlib.graphs.louvain_communities import impl

__all__ = ["impl"]
