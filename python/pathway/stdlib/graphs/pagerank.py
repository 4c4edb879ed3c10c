"""PageRank."""

from __future__ import annotations

from typing import Any

import pathway.internals as pw
from pathway.internals.trace import trace_user_frame

__all__ = ["Result", "pagerank"]

#: What every vertex has from the start, in thousandths.
_INITIAL = 6000
#: What a vertex has without being linked to.
_BASE = 1000


class Result(pw.Schema):
    """The rank of a vertex."""

    rank: int


@trace_user_frame
def pagerank(edges: pw.Table[Any], steps: int = 5) -> pw.Table[Any]:
    """The rank of each vertex after some steps, in whole numbers.

    In a step each vertex passes 5/6 of its rank on, in equal parts along its edges; what it receives, and
    1000, is its new rank.

    Args:
        edges: with the columns `u` and `v`, pointers to vertices.
        steps: how often ranks are passed on.

    Returns:
        A table by vertex with the column `rank: int`.

    >>> import pathway as pw
    >>> links = pw.debug.table_from_markdown('''
    ... from | end
    ... 1    | 2
    ... 2    | 1
    ... 3    | 1
    ... ''')
    >>> edges = links.select(u=links.pointer_from(links["from"]), v=links.pointer_from(links.end))
    >>> pw.debug.compute_and_print(pw.graphs.pagerank.pagerank(edges, steps=1), include_id=False)
    rank
    1000
    6000
    11000
    """
    outgoing = edges.groupby(id=edges.u).reduce(degree=pw.reducers.count())
    ends = edges.groupby(id=edges.v).reduce(degree=0 * pw.reducers.count())
    vertices = ends.update_rows(outgoing)
    ranks = vertices.select(rank=_INITIAL)
    for _ in range(steps):
        passed = vertices.select(
            part=pw.if_else(vertices.degree == 0, 0, (ranks.rank * 5) // (vertices.degree * 6))
        )
        received = edges.select(edges.v, part=passed.ix(edges.u).part)
        sums = received.groupby(id=received.v).reduce(rank=_BASE + pw.reducers.sum(received.part))
        sums = sums.promise_universe_is_subset_of(vertices)
        ranks = vertices.select(rank=_BASE) << sums
    return ranks
