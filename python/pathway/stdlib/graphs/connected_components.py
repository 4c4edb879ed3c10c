"""Connected components."""

from __future__ import annotations

from typing import Any

import pathway.internals as pw
from pathway._engine import Pointer
from pathway.internals.trace import trace_user_frame
from pathway.stdlib.graphs.common import united

__all__ = ["Result", "connected_components"]


class Result(pw.Schema):
    """The vertex that stands for a component: the one with the least id."""

    component: Pointer


@trace_user_frame
def connected_components(vertices: pw.Table[Any], edges: pw.Table[Any]) -> pw.Table[Any]:
    """Which vertices are connected by edges, whatever their direction.

    Args:
        vertices: a table by vertex.
        edges: with the columns `u` and `v`, pointers to vertices. Edges with an end that is no vertex
            connect nothing.

    Returns:
        A table over the rows of `vertices` with the column `component`, a pointer that two vertices share
        if and only if they are connected.

    >>> import pathway as pw
    >>> vertices = pw.debug.table_from_markdown('''
    ...   | name
    ... 1 | a
    ... 2 | b
    ... 3 | c
    ... ''')
    >>> roads = pw.debug.table_from_markdown('''
    ... from | end
    ... 2    | 3
    ... ''')
    >>> edges = roads.select(u=vertices.pointer_from(roads["from"]), v=vertices.pointer_from(roads.end))
    >>> found = pw.graphs.connected_components.connected_components(vertices, edges)
    >>> sizes = found.groupby(found.component).reduce(vertices=pw.reducers.count())
    >>> pw.debug.compute_and_print(sizes, include_id=False)
    vertices
    1
    2
    """
    there = edges.join(vertices, edges.u == vertices.id, id=edges.id).select(edges.u, edges.v)
    there = there.join(vertices, there.v == vertices.id, id=there.id).select(there.u, there.v)
    start = vertices.select(component=vertices.id)
    own = start.select(end=start.id, component=start.component)
    links = there.concat_reindex(there.select(u=there.v, v=there.u))

    def step(found: pw.Table[Any]) -> pw.Table[Any]:
        passed = found.join(links, found.id == links.u).select(end=links.v, component=found.component)
        offers = united(passed, own)
        return offers.groupby(id=offers.end).reduce(component=pw.reducers.min(offers.component))

    found: pw.Table[Any] = pw.iterate(step, found=pw.iterate_universe(start))
    result: pw.Table[Any] = found.ix(vertices.id, context=vertices)
    return result
