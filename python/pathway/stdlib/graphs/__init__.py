"""Algorithms on graphs, kept up to date while vertices and edges change."""

from pathway.stdlib.graphs import bellman_ford, connected_components, louvain_communities, pagerank
from pathway.stdlib.graphs.common import Edge, Vertex
from pathway.stdlib.graphs.graph import Graph, WeightedGraph

__all__ = [
    "Edge",
    "Graph",
    "Vertex",
    "WeightedGraph",
    "bellman_ford",
    "connected_components",
    "louvain_communities",
    "pagerank",
]
