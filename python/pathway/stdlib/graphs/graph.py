"""Graphs as tables, and what their clusters make of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pathway.internals as pw
from pathway.internals.trace import trace_user_frame

Table = pw.Table[Any]


def full_clustering(vertices: Table, clustering: Table) -> Table:
    """The cluster of each vertex: its own id where the clustering has none for it."""
    found = clustering.ix(vertices.id, allow_misses=True, context=vertices)
    return vertices.select(c=pw.coalesce(found.c, vertices.id))


def _grouped(edges: Table, reducers: dict[str, Any]) -> Table:
    """One edge for each pair of ends."""
    return edges.groupby(edges.u, edges.v).reduce(edges.u, edges.v, **reducers)


@dataclass
class Graph:
    """An undirected graph, in which several edges may have the same ends.

    Args:
        V: a table by vertex.
        E: edges with the columns `u` and `v`, pointers to vertices.
    """

    V: Table
    E: Table

    @trace_user_frame
    def contracted_to_multi_graph(self, clustering: Table) -> Graph:
        """The graph whose vertices are the clusters: every edge is one, between the clusters of its ends.

        Args:
            clustering: a table by vertex with the column `c`, a pointer to its cluster. A vertex that it
                has no row for is a cluster of its own.
        """
        full = full_clustering(self.V, clustering)
        return Graph(_clusters(full), _moved(self.E, full))

    @trace_user_frame
    def contracted_to_unweighted_simple_graph(self, clustering: Table, **reducers: Any) -> Graph:
        """As `contracted_to_multi_graph`, with at most one edge from one cluster to another.

        Args:
            clustering: as there.
            reducers: further columns of the edges, over the columns of `E`.
        """
        contracted = self.contracted_to_multi_graph(clustering)
        return Graph(contracted.V, _grouped(contracted.E, reducers))

    @trace_user_frame
    def contracted_to_weighted_simple_graph(self, clustering: Table, **reducers: Any) -> WeightedGraph:
        """As `contracted_to_unweighted_simple_graph`, with the edges as those with weights.

        Args:
            clustering: as there.
            reducers: the columns of the edges, over the columns of `E`, such as their weight.
        """
        contracted = self.contracted_to_multi_graph(clustering)
        edges = _grouped(contracted.E, reducers)
        return WeightedGraph.from_vertices_and_weighted_edges(contracted.V, edges)

    @trace_user_frame
    def without_self_loops(self) -> Graph:
        """The graph without edges that end where they start."""
        return Graph(self.V, self.E.filter(self.E.u != self.E.v))


@dataclass
class WeightedGraph(Graph):
    """A graph whose edges have weights: `WE` has the columns of `E` and `weight`."""

    WE: Table

    @staticmethod
    def from_vertices_and_weighted_edges(V: Table, WE: Table) -> WeightedGraph:
        """The graph whose edges are those with weights."""
        return WeightedGraph(V, WE, WE)

    @trace_user_frame
    def contracted_to_multi_graph(self, clustering: Table) -> WeightedGraph:
        """As that of `Graph`; the edges of `WE` keep their weights."""
        full = full_clustering(self.V, clustering)
        weighted = _moved(self.WE, full, weight=self.WE.weight)
        return WeightedGraph(_clusters(full), _moved(self.E, full), weighted)

    @trace_user_frame
    def contracted_to_unweighted_simple_graph(self, clustering: Table, **reducers: Any) -> WeightedGraph:
        """As that of `Graph`; `WE` are the same edges."""
        contracted = super().contracted_to_unweighted_simple_graph(clustering, **reducers)
        return WeightedGraph.from_vertices_and_weighted_edges(contracted.V, contracted.E)

    @trace_user_frame
    def contracted_to_weighted_simple_graph(self, clustering: Table, **reducers: Any) -> WeightedGraph:
        """As that of `Graph`, with `reducers` over the columns of `WE`.

        >>> import pathway as pw
        >>> V = pw.debug.table_from_markdown('''
        ...   | name
        ... 1 | a
        ... 2 | b
        ... 3 | c
        ... ''')
        >>> roads = pw.debug.table_from_markdown('''
        ... from | end | weight
        ... 1    | 3   | 2
        ... 2    | 3   | 5
        ... ''')
        >>> WE = roads.select(
        ...     u=V.pointer_from(roads["from"]), v=V.pointer_from(roads.end), weight=roads.weight
        ... )
        >>> G = pw.graphs.WeightedGraph.from_vertices_and_weighted_edges(V, WE)
        >>> together = V.filter(V.name != "c").select(c=V.pointer_from("ab"))
        >>> contracted = G.contracted_to_weighted_simple_graph(together, weight=pw.reducers.sum(WE.weight))
        >>> pw.debug.compute_and_print(contracted.WE.select(pw.this.weight), include_id=False)
        weight
        7
        """
        full = full_clustering(self.V, clustering)
        edges = _grouped(_moved(self.WE, full), reducers)
        return WeightedGraph.from_vertices_and_weighted_edges(_clusters(full), edges)

    @trace_user_frame
    def without_self_loops(self) -> WeightedGraph:
        """The graph without edges that end where they start."""
        weighted = self.WE.filter(self.WE.u != self.WE.v)
        plain = weighted if self.E is self.WE else self.E.filter(self.E.u != self.E.v)
        return WeightedGraph(self.V, plain, weighted)


def _clusters(full: Table) -> Table:
    return full.groupby(id=full.c).reduce()


def _moved(edges: Table, full: Table, **more: Any) -> Table:
    """The edges between the clusters of their ends, with more columns."""
    return edges.select(u=full.ix(edges.u).c, v=full.ix(edges.v).c, **more)
