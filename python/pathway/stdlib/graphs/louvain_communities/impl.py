"""Communities by the method of Louvain: vertices move to neighbouring clusters as long as that increases
modularity; then clusters become the vertices of the next level.

In each step many vertices move at once, in a way in which their gains add up. A cluster either lets one
vertex go, the one that gains most, or takes vertices in; it does what the greatest gain that it has part in
asks for. Vertices that enter the same cluster do so in the order of their gains, as long as each still gains
if all before it are there. The move that gains most of all is always among them, so every step increases
modularity until there is nothing to gain.
"""

from __future__ import annotations

import math
from typing import Any

import pathway.internals as pw
from pathway._engine import Pointer
from pathway.internals.trace import trace_user_frame
from pathway.stdlib.graphs.common import united
from pathway.stdlib.graphs.graph import WeightedGraph, full_clustering

__all__ = ["exact_modularity", "louvain_communities_fixed_iterations"]

Table = pw.Table[Any]

#: Gains below this part of a vertex's degree are taken to be rounding errors.
_NOISE = 1e-9


class louvain_communities_fixed_iterations:
    """Clusters of the vertices, clusters of these, and so on.

    Args:
        G: the graph. Its edges have no direction: two vertices are linked by half of the weight of all edges
            between them, from whichever of the two these are.
        apx: how much the total weight of edges, to which gains are compared, may be off: it only changes
            when the true one does by more than this part, so that small updates stay local.
        levels: how often clusters become the vertices of a graph.

    Attributes:
        hierarchical_clustering: by vertex (level 0) or cluster (levels from 1): its cluster `c`, of the
            next level, and its own `level`.
        clustering_levels: for each vertex `v` and `level`, its cluster `c` there; at level 0 that is the
            vertex. The id is `pointer_from(v, level)`.

    >>> import pathway as pw
    >>> V = pw.debug.table_from_markdown('''
    ...   | n
    ... 1 | 1
    ... 2 | 2
    ... 3 | 3
    ... 4 | 4
    ... ''')
    >>> links = pw.debug.table_from_markdown('''
    ... a | b | weight
    ... 1 | 2 | 5.0
    ... 2 | 1 | 5.0
    ... 3 | 4 | 5.0
    ... 4 | 3 | 5.0
    ... 2 | 3 | 1.0
    ... 3 | 2 | 1.0
    ... ''')
    >>> WE = links.select(u=V.pointer_from(links.a), v=V.pointer_from(links.b), weight=links.weight)
    >>> G = pw.graphs.WeightedGraph.from_vertices_and_weighted_edges(V, WE)
    >>> found = pw.graphs.louvain_communities.impl.louvain_communities_fixed_iterations(G, 0.01, 1)
    >>> top = found.clustering_levels.filter(pw.this.level == 1)
    >>> members = top.groupby(top.c).reduce(n=pw.reducers.sorted_tuple(V.ix(top.v).n))
    >>> pw.debug.compute_and_print(members, include_id=False)
    n
    (1, 2)
    (3, 4)
    """

    G: WeightedGraph
    levels: int
    hierarchical_clustering: Table
    clustering_levels: Table

    @trace_user_frame
    def __init__(self, G: WeightedGraph, apx: float, levels: int) -> None:
        self.G, self.levels = G, levels
        graph = G
        of_vertices = G.V.select(c=_pointer(G.V.id))
        hierarchy, clusterings = [], [_level(of_vertices, 0)]
        for level in range(levels):
            # Clusters have ids of their own, so that those of all levels differ.
            found = one_level(graph, apx)
            named = found.select(c=_pointer(found.pointer_from(found.c, level + 1)))
            hierarchy.append(named.select(named.c, level=level))
            of_vertices = of_vertices.select(c=named.ix(of_vertices.c).c)
            clusterings.append(_level(of_vertices, level + 1))
            if level + 1 < levels:
                weights = pw.reducers.sum(graph.WE.weight)
                graph = graph.contracted_to_weighted_simple_graph(named, weight=weights)
        self.hierarchical_clustering = united(*hierarchy) if hierarchy else _no_clusters()
        self.clustering_levels = united(*clusterings)


def _pointer(expression: Any) -> Any:
    """A pointer of whatever is known of it: those of all levels are in one column."""
    return pw.declare_type(Pointer, expression)


def _level(clustering: Table, level: int) -> Table:
    rows = clustering.select(clustering.c, level=level, v=_pointer(clustering.id))
    return rows.with_id_from(rows.v, rows.level)


def _no_clusters() -> Table:
    return pw.Table.empty(c=Pointer, level=int)


def _total(graph: WeightedGraph, apx: float) -> Table:
    """The sum of all weights, rounded down to a power of `1 + apx`."""

    def rounded(total: float) -> float:
        if apx <= 0 or total <= 0:
            return float(total)
        return float((1 + apx) ** math.floor(math.log(total) / math.log1p(apx)))

    total = graph.WE.reduce(total=pw.reducers.sum(graph.WE.weight))
    return total.select(total=pw.apply_with_type(rounded, float, total.total))


def _undirected(graph: WeightedGraph) -> Table:
    """The links of vertices, each in both directions.

    If one of two vertices did not know of the other, moves could go on for ever.
    """
    there = graph.WE.select(graph.WE.u, graph.WE.v, weight=pw.cast(float, graph.WE.weight) / 2)
    back = there.select(u=there.v, v=there.u, weight=there.weight)
    both = there.concat_reindex(back)
    return both.groupby(both.u, both.v).reduce(both.u, both.v, weight=pw.reducers.sum(both.weight))


def one_level(graph: WeightedGraph, apx: float) -> Table:
    """The clusters of the vertices of a graph: `c` is one of the vertices in the cluster."""
    WE = _undirected(graph)
    total = _total(graph, apx)
    degrees = WE.groupby(id=WE.u).reduce(degree=pw.reducers.sum(WE.weight))
    found = degrees.ix(graph.V.id, allow_misses=True, context=graph.V)
    vertices = graph.V.select(degree=pw.coalesce(found.degree, 0.0))
    # Without any edge there is no total.
    whole = pw.coalesce(total.ix_ref(context=vertices, allow_misses=True).total, 1.0)
    vertices = vertices.select(vertices.degree, part=vertices.degree / whole)
    links = WE.filter(WE.u != WE.v)

    def draft(C: Table) -> Table:
        return C << _moves(C, vertices, _by_links(_near(C, links)))

    def settle(C: Table) -> Table:
        return C << _moves(C, vertices, _by_scores(_near(C, links), C, vertices, apx))

    drafted: Table = pw.iterate(draft, C=vertices.select(c=_pointer(vertices.id)))
    result: Table = pw.iterate(settle, C=drafted)
    return result


def _near(C: Table, links: Table) -> Table:
    """How strongly each vertex is linked to each cluster next to it, and to its own."""
    towards = links.select(links.u, c=C.ix(links.v).c, weight=links.weight, own=0)
    own = C.select(u=C.id, c=C.c, weight=0.0, own=1)
    near = united(towards, own)
    near = near.groupby(near.u, near.c).reduce(
        near.u, near.c, weight=pw.reducers.sum(near.weight), own=pw.reducers.sum(near.own)
    )
    return near.select(near.u, near.c, near.weight, is_own=near.own > 0)


def _by_links(near: Table) -> Table:
    """The near clusters with scores: how strong the links are. What others do does not change them."""
    return near.with_columns(score=near.weight)


def _by_scores(near: Table, C: Table, vertices: Table, apx: float) -> Table:
    """The near clusters with scores: how much is gained there, roughly if `apx` is not 0."""
    degrees = _degrees(C, vertices)
    if apx > 0:
        degrees = degrees.select(degree=pw.apply_with_type(_roughly, float, degrees.degree))
    score = near.weight - vertices.ix(near.u).part * degrees.ix(near.c).degree
    return near.with_columns(score=score)


def _roughly(degree: float) -> float:
    """The power of 4 that is not greater."""
    return 4.0 ** ((math.frexp(degree)[1] - 1) // 2) if degree > 0 else 0.0


def _degrees(C: Table, vertices: Table) -> Table:
    """The degrees of clusters, by cluster."""
    members = C.select(C.c, vertices.degree)
    return members.groupby(id=members.c).reduce(degree=pw.reducers.sum(members.degree))


def _moves(C: Table, vertices: Table, near: Table) -> Table:
    """The vertices that move, with their new clusters: where the score is greatest, if they gain by that."""
    nothing = -math.inf
    chosen = near.groupby(id=near.u).reduce(
        best=pw.reducers.max(
            pw.make_tuple(pw.if_else(near.is_own, nothing, near.score), near.c, near.weight)
        ),
        home=pw.reducers.max(pw.if_else(near.is_own, near.weight, nothing)),
    )
    # Each vertex is near its own cluster.
    chosen = chosen.promise_universe_is_subset_of(vertices).promise_universe_is_subset_of(C)
    wishes = chosen.select(
        to=_pointer(chosen.best.get(1)),
        origin=C.c,
        more=chosen.best.get(2) - chosen.home,
        degree=vertices.degree,
        part=vertices.part,
        away=chosen.best.get(0) > nothing,
    )
    wishes = wishes.filter(wishes.away)
    degrees = _degrees(C, vertices)
    heavier = degrees.ix(wishes.C.to).degree - degrees.ix(wishes.origin).degree + wishes.degree
    wishes = wishes.with_columns(gain=wishes.more - wishes.part * heavier)
    wishes = wishes.filter(wishes.gain > _NOISE * wishes.degree)
    # By gain; where gains are equal, by vertex.
    wishes = wishes.with_columns(order=pw.make_tuple(wishes.gain, wishes.id))
    none = pw.make_tuple(nothing, wishes.id)
    leaving = wishes.select(c=wishes.origin, leaves=wishes.order, enters=none)
    entering = wishes.select(c=wishes.C.to, leaves=none, enters=wishes.order)
    clusters = leaving.concat_reindex(entering)
    clusters = clusters.groupby(id=clusters.c).reduce(
        leaves=pw.reducers.max(clusters.leaves), enters=pw.reducers.max(clusters.enters)
    )
    clusters = clusters.select(clusters.leaves, lets_go=clusters.leaves > clusters.enters)
    origin, target = clusters.ix(wishes.origin), clusters.ix(wishes.C.to)
    allowed = wishes.filter(origin.lets_go & (origin.leaves == wishes.order) & ~target.lets_go)
    queues = allowed.groupby(allowed.C.to).reduce(
        to=allowed.C.to,
        queue=pw.reducers.sorted_tuple(
            pw.make_tuple(-allowed.gain, allowed.id, allowed.degree, allowed.part)
        ),
    )
    moved = queues.select(queues.C.to, v=pw.apply_with_type(_admitted, list[Pointer], queues.queue))
    moved = moved.flatten(moved.v)
    moved = moved.select(moved.v, c=moved.C.to)
    return moved.with_id(moved.v).select(pw.this.c).promise_universe_is_subset_of(C)


def _admitted(queue: Any) -> list[Pointer]:
    """The vertices, best first, that gain though all before them are there too."""
    admitted, before = [], 0.0
    for minus_gain, vertex, degree, part in queue:
        if -minus_gain - part * before <= _NOISE * degree:
            break
        admitted.append(vertex)
        before += degree
    return admitted


@trace_user_frame
def exact_modularity(G: WeightedGraph, C: Table, round_digits: int = 16) -> Table:
    """How much more weight is inside of clusters than it would be by chance: a table of one row.

    Args:
        G: the graph; every edge is there in both directions.
        C: a table by vertex with the column `c`, its cluster.
        round_digits: to how many digits the result is rounded.
    """
    full = full_clustering(G.V, C)
    WE = G.WE
    edges = WE.select(cu=full.ix(WE.u).c, cv=full.ix(WE.v).c, weight=pw.cast(float, WE.weight))
    edges = edges.with_columns(inside=pw.if_else(edges.cu == edges.cv, edges.weight, 0.0))
    clusters = edges.groupby(edges.cu).reduce(
        degree=pw.reducers.sum(edges.weight), internal=pw.reducers.sum(edges.inside)
    )
    score = clusters.reduce(
        total=pw.reducers.sum(clusters.degree),
        internal=pw.reducers.sum(clusters.internal),
        squares=pw.reducers.sum(clusters.degree * clusters.degree),
    )
    total = score.total
    modularity = (score.internal * total - score.squares) / (total * total)
    return score.select(modularity=modularity.num.round(round_digits))
