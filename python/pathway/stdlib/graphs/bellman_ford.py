"""Shortest paths."""

from __future__ import annotations

import math
from typing import Any

import pathway.internals as pw
from pathway._engine import Pointer
from pathway.internals.trace import trace_user_frame
from pathway.stdlib.graphs.common import united

__all__ = ["DistFromSource", "Vertex", "bellman_ford"]


class Vertex(pw.Schema):
    """A vertex, and whether paths start there."""

    is_source: bool


class Edge(pw.Schema):
    """An edge and its length, which may be negative."""

    u: Pointer
    v: Pointer
    dist: float


class DistFromSource(pw.Schema):
    """The length of the shortest path from a source."""

    dist_from_source: float


@trace_user_frame
def bellman_ford(vertices: pw.Table[Any], edges: pw.Table[Any]) -> pw.Table[Any]:
    """The length of the shortest path from any source to each vertex; infinite where there is none.

    Vertices that are only ends of edges are added; the start of an edge must be a vertex. A source stays at
    0. Lengths may be negative, but a cycle of negative length that can be reached has no shortest path, so
    the computation does not end.

    Args:
        vertices: with a column `is_source: bool`.
        edges: with the columns `u` and `v`, pointers to vertices, and `dist`.

    Returns:
        A table by vertex with the column `dist_from_source: float`.

    >>> import pathway as pw
    >>> vertices = pw.debug.table_from_markdown('''
    ...   | name | is_source
    ... 1 | a    | True
    ... 2 | b    | False
    ... 3 | c    | False
    ... ''')
    >>> roads = pw.debug.table_from_markdown('''
    ... from | end | dist
    ... 1    | 2   | 5.0
    ... 1    | 3   | 1.0
    ... 3    | 2   | 2.0
    ... ''')
    >>> edges = roads.select(
    ...     u=vertices.pointer_from(roads["from"]), v=vertices.pointer_from(roads.end), dist=roads.dist
    ... )
    >>> far = pw.graphs.bellman_ford.bellman_ford(vertices, edges)
    >>> named = vertices.select(vertices.name, far.ix(vertices.id).dist_from_source)
    >>> pw.debug.compute_and_print(named, include_id=False)
    name | dist_from_source
    a    | 0.0
    b    | 3.0
    c    | 1.0
    """
    ends = edges.groupby(id=edges.v).reduce().select(is_source=False)
    known = ends.update_rows(vertices.select(vertices.is_source))
    start = known.select(dist_from_source=pw.if_else(known.is_source, 0.0, math.inf))
    # Looking both ends up reports edges from nowhere.
    ends_of = edges.select(
        edges.u, edges.v, edges.dist, out=known.ix(edges.u).is_source, into=known.ix(edges.v).is_source
    )
    followed = ends_of.filter((ends_of.out | True) & ~ends_of.into)
    offered = start.select(end=start.id, d=start.dist_from_source)

    def step(far: pw.Table[Any]) -> pw.Table[Any]:
        reached = far.filter(far.dist_from_source != math.inf)
        offers = reached.join(followed, reached.id == followed.u).select(
            end=followed.v, d=reached.dist_from_source + followed.dist
        )
        all_offers = united(offers, offered)
        return all_offers.groupby(id=all_offers.end).reduce(dist_from_source=pw.reducers.min(all_offers.d))

    result: pw.Table[Any] = pw.iterate(step, far=pw.iterate_universe(start))
    return result
