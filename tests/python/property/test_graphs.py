"""Algorithms on graphs against networkx, while vertices and edges come and go."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import pathway as pw
from pathway.stdlib.graphs.louvain_communities.impl import (
    exact_modularity,
    louvain_communities_fixed_iterations,
)

from .check import WORKERS, property_settings, settle, updates_of
from .histories import History, flag, histories

nx = pytest.importorskip("networkx")

Table = pw.Table[Any]
VERTICES = 7
END = (int, st.integers(0, VERTICES - 1))
EDGES = histories(keys=12, max_changes=40, a=END, b=END, w=(float, st.integers(1, 4).map(float)))


def everything(
    build: Any, history: History, others: tuple[History, ...] = ()
) -> Iterator[tuple[int, dict[Any, Any]]]:
    """The rows of a table at each time of the histories, the same with any number of workers."""
    times = sorted({time for h in (history, *others) for time in h.times})
    for workers in WORKERS:
        updates = updates_of(build, workers)
        settle(updates)
        for time in times:
            rows: dict[Any, Any] = {}
            for key, values, when, diff in updates:
                if when <= time:
                    rows.pop(key, None) if diff < 0 else rows.__setitem__(key, values)
            yield time, rows


def key(number: int) -> pw.Pointer:
    return pw.internals.api.ref_scalar(number)


def present(vertices: Table, edges: Table) -> Table:
    """Edges whose ends are vertices."""
    ends = edges.select(u=edges.pointer_from(edges.a), v=edges.pointer_from(edges.b), w=edges.w)
    ends = ends.join(vertices, ends.u == vertices.id, id=ends.id).select(*ends)
    return ends.join(vertices, ends.v == vertices.id, id=ends.id).select(*ends)


def edges_at(vertices: set[int], edges: History, time: int) -> list[tuple[int, int, float]]:
    found = edges.state(time).values()
    return [(a, b, w) for a, b, w in found if a in vertices and b in vertices]


@property_settings
@given(histories(keys=VERTICES, source=flag), EDGES)
def test_bellman_ford(vertices: History, edges: History) -> None:
    def program() -> Table:
        v = vertices.as_stream()
        e = present(v, edges.as_stream())
        return pw.graphs.bellman_ford.bellman_ford(v.select(is_source=v.source), e.select(e.u, e.v, dist=e.w))

    for time, rows in everything(program, vertices, (edges,)):
        sources = {k: source for k, (source,) in vertices.state(time).items()}
        graph = nx.MultiDiGraph()
        graph.add_nodes_from(sources)
        graph.add_weighted_edges_from(edges_at(set(sources), edges, time))
        starts = [k for k, source in sources.items() if source]
        lengths = nx.multi_source_dijkstra_path_length(graph, starts) if starts else {}
        assert rows == {key(k): (("float", float(lengths.get(k, math.inf))),) for k in sources}


@property_settings
@given(histories(keys=VERTICES, x=flag), EDGES)
def test_connected_components(vertices: History, edges: History) -> None:
    def program() -> Table:
        v, e = vertices.as_stream(), edges.as_stream()
        e = e.select(u=e.pointer_from(e.a), v=e.pointer_from(e.b))
        return pw.graphs.connected_components.connected_components(v, e)

    for time, rows in everything(program, vertices, (edges,)):
        graph = nx.Graph()
        graph.add_nodes_from(vertices.state(time))
        graph.add_weighted_edges_from(edges_at(set(graph), edges, time))
        expected = {}
        for component in nx.connected_components(graph):
            members = {key(k) for k in component}
            expected |= {member: (min(members),) for member in members}
        assert rows == expected


@property_settings
@given(histories(keys=VERTICES, x=flag), EDGES)
def test_strongly_connected_components(vertices: History, edges: History) -> None:
    """Vertices that reach each other, from all pairs of which one reaches the other."""

    def program() -> Table:
        v = vertices.as_stream()
        e = present(v, edges.as_stream())
        own = v.select(u=v.id, v=v.id)

        def step(pairs: Table) -> Table:
            farther = pairs.join(e, pairs.v == e.u).select(pairs.u, e.v)
            found = farther.concat_reindex(own)
            return found.groupby(found.u, found.v).reduce(found.u, found.v)

        start = own.groupby(own.u, own.v).reduce(own.u, own.v)
        pairs = pw.iterate(step, pairs=pw.iterate_universe(start))
        back = pairs.copy()
        mutual = pairs.join(back, pairs.u == back.v, pairs.v == back.u).select(pairs.u, pairs.v)
        return mutual.groupby(id=mutual.u).reduce(component=pw.reducers.min(mutual.v))

    for time, rows in everything(program, vertices, (edges,)):
        graph = nx.DiGraph()
        graph.add_nodes_from(vertices.state(time))
        graph.add_weighted_edges_from(edges_at(set(graph), edges, time))
        expected = {}
        for component in nx.strongly_connected_components(graph):
            members = {key(k) for k in component}
            expected |= {member: (min(members),) for member in members}
        assert rows == expected


@property_settings
@given(EDGES, st.integers(1, 3))
def test_k_core(edges: History, k: int) -> None:
    """Vertices with less than k neighbours go, until none is left that has so few."""

    def program() -> Table:
        e = edges.as_stream()
        e = e.filter(e.a != e.b)
        e = e.select(u=e.pointer_from(e.a), v=e.pointer_from(e.b))
        both = e.concat_reindex(e.select(u=e.v, v=e.u))
        both = both.groupby(both.u, both.v).reduce(both.u, both.v)

        def step(links: Table) -> Table:
            degrees = links.groupby(id=links.u).reduce(degree=pw.reducers.count())
            stays = degrees.filter(degrees.degree >= k)
            kept = links.join(stays, links.u == stays.id, id=links.id).select(links.u, links.v)
            return kept.join(stays, kept.v == stays.id, id=kept.id).select(kept.u, kept.v)

        core = pw.iterate(step, links=pw.iterate_universe(both))
        return core.groupby(id=core.u).reduce(degree=pw.reducers.count())

    for time, rows in everything(program, edges):
        core = nx.k_core(undirected(edges_at(set(range(VERTICES)), edges, time)), k)
        assert rows == {key(v): (("int", degree),) for v, degree in core.degree}


def ranks(edges: list[tuple[int, int, float]], steps: int) -> dict[Any, Any]:
    degree: defaultdict[int, int] = defaultdict(int)
    for u, v, _ in edges:
        degree[u] += 1
        degree[v] += 0
    rank = dict.fromkeys(degree, 6000)
    for _ in range(steps):
        new = dict.fromkeys(degree, 1000)
        for u, v, _ in edges:
            new[v] += rank[u] * 5 // (degree[u] * 6)
        rank = new
    return {key(k): (("int", value),) for k, value in rank.items()}


@property_settings
@given(EDGES, st.integers(0, 3))
def test_pagerank(edges: History, steps: int) -> None:
    def program() -> Table:
        e = edges.as_stream()
        return pw.graphs.pagerank.pagerank(
            e.select(u=e.pointer_from(e.a), v=e.pointer_from(e.b)), steps=steps
        )

    for time, rows in everything(program, edges):
        assert rows == ranks(edges_at(set(range(VERTICES)), edges, time), steps)


@property_settings
@given(EDGES)
def test_ranks_at_the_fixed_point(edges: History) -> None:
    """As PageRank, repeated until nothing changes: along edges to greater numbers there is an end."""

    def program() -> Table:
        e = edges.as_stream()
        e = e.filter(e.a < e.b)
        e = e.select(u=e.pointer_from(e.a), v=e.pointer_from(e.b))
        out = e.groupby(id=e.u).reduce(degree=pw.reducers.count())
        vertices = e.groupby(id=e.v).reduce(degree=0 * pw.reducers.count()).update_rows(out)

        def step(r: Table) -> Table:
            passed = vertices.select(
                part=pw.if_else(vertices.degree == 0, 0, r.rank * 5 // (vertices.degree * 6))
            )
            received = e.select(e.v, part=passed.ix(e.u).part)
            sums = received.groupby(id=received.v).reduce(rank=1000 + pw.reducers.sum(received.part))
            return vertices.select(rank=1000) << sums.promise_universe_is_subset_of(vertices)

        return pw.iterate(step, r=vertices.select(rank=6000))

    for time, rows in everything(program, edges):
        forward = [edge for edge in edges_at(set(range(VERTICES)), edges, time) if edge[0] < edge[1]]
        assert rows == ranks(forward, VERTICES)


def weighted(edges: History) -> pw.graphs.WeightedGraph:
    e = edges.as_stream()
    e = e.filter(e.a != e.b)
    there = e.select(u=e.pointer_from(e.a), v=e.pointer_from(e.b), weight=e.w)
    both = there.concat_reindex(there.select(u=there.v, v=there.u, weight=there.weight))
    both = both.groupby(both.u, both.v).reduce(both.u, both.v, weight=pw.reducers.sum(both.weight))
    return pw.graphs.WeightedGraph.from_vertices_and_weighted_edges(both.groupby(id=both.u).reduce(), both)


def undirected(edges: list[tuple[int, int, float]]) -> Any:
    graph = nx.Graph()
    for a, b, w in edges:
        if a != b:
            before = graph.edges[a, b]["weight"] if graph.has_edge(a, b) else 0.0
            graph.add_edge(a, b, weight=before + w)
    return graph


@property_settings
@given(EDGES)
def test_louvain_communities(edges: History) -> None:
    """Each level is a partition of the last one's clusters, none worse than the level before it."""

    def program() -> Table:
        return louvain_communities_fixed_iterations(weighted(edges), 0.0, 2).clustering_levels

    for time, rows in everything(program, edges):
        graph = undirected(edges_at(set(range(VERTICES)), edges, time))
        names = {key(k): k for k in graph}
        levels: list[dict[int, Any]] = [{}, {}, {}]
        for c, (_, level), v in rows.values():
            levels[level][names[v]] = c
        assert all(set(level) == set(graph) for level in levels)
        assert all(levels[0][names[v]] == v for v in names)
        if graph.number_of_edges() == 0:
            continue
        found = []
        for level in levels:
            clusters: defaultdict[Any, set[int]] = defaultdict(set)
            for v, c in level.items():
                clusters[c].add(v)
            found.append(nx.community.modularity(graph, clusters.values()))
        assert found[0] <= found[1] + 1e-9
        assert found[1] <= found[2] + 1e-9


@property_settings
@given(EDGES)
def test_louvain_communities_of_edges_in_one_direction(edges: History) -> None:
    """They are those of the graph that has every edge in both."""

    def program() -> Table:
        e = edges.as_stream()
        e = e.filter(e.a != e.b)
        there = e.select(u=e.pointer_from(e.a), v=e.pointer_from(e.b), weight=e.w)
        both = weighted(edges)
        levels = []
        for name, graph in (
            ("once", pw.graphs.WeightedGraph.from_vertices_and_weighted_edges(both.V, there)),
            ("twice", both),
        ):
            found = louvain_communities_fixed_iterations(graph, 0.0, 2).clustering_levels
            levels.append(found.select(found.c, found.level, found.v, graph=name))
        return levels[0].concat_reindex(levels[1])

    for _, rows in everything(program, edges):
        found = [[row[:3] for row in rows.values() if row[3] == name] for name in ("once", "twice")]
        once, twice = map(sorted, found)
        assert once == twice


@property_settings
@given(EDGES)
def test_exact_modularity(edges: History) -> None:
    def program() -> Table:
        graph = weighted(edges)
        found = louvain_communities_fixed_iterations(graph, 0.0, 1).clustering_levels
        top = found.filter(found.level == 1)
        clustering = top.with_id(top.v).select(pw.this.c)
        of_clusters = exact_modularity(graph, clustering, 6)
        of_vertices = exact_modularity(graph, pw.Table.empty(c=pw.Pointer), 6)
        return of_clusters.select(kind="clusters", m=of_clusters.modularity).concat_reindex(
            of_vertices.select(kind="vertices", m=of_vertices.modularity)
        )

    for time, rows in everything(program, edges):
        graph = undirected(edges_at(set(range(VERTICES)), edges, time))
        found = {kind: m for kind, (_, m) in rows.values()}
        if graph.number_of_edges() == 0:
            assert not found
            continue
        alone = nx.community.modularity(graph, [{v} for v in graph])
        assert found["vertices"] == pytest.approx(alone, abs=1e-5)
        assert found["clusters"] >= found["vertices"] - 1e-5


def test_clear_communities_are_found() -> None:
    """Four cliques in a ring of single edges."""
    edges = []
    for clique in range(4):
        members = range(5 * clique, 5 * clique + 5)
        edges += [(a, b) for a in members for b in members if a < b]
        edges.append((5 * clique, (5 * clique + 7) % 20))
    both = [(a, b, 1.0) for a, b in edges] + [(b, a, 1.0) for a, b in edges]
    e = pw.debug.table_from_rows(pw.schema_from_types(a=int, b=int, weight=float), both)
    e = e.select(u=e.pointer_from(e.a), v=e.pointer_from(e.b), weight=e.weight)
    graph = pw.graphs.WeightedGraph.from_vertices_and_weighted_edges(e.groupby(id=e.u).reduce(), e)
    found = louvain_communities_fixed_iterations(graph, 0.01, 1)
    top = found.clustering_levels.filter(pw.this.level == 1)
    _, columns = pw.debug.table_to_dicts(top)
    members: defaultdict[Any, set[Any]] = defaultdict(set)
    for row, c in columns["c"].items():
        members[c].add(columns["v"][row])
    expected = [{key(v) for v in range(5 * clique, 5 * clique + 5)} for clique in range(4)]
    assert sorted(members.values(), key=min) == sorted(expected, key=min)
