"""Pairs of nodes that share features: for each node the best, by the weights of what they share."""

from __future__ import annotations

from typing import Any

import pathway.internals as pw
from pathway._engine import Pointer
from pathway.internals.trace import trace_user_frame
from pathway.stdlib.graphs.common import united
from pathway.stdlib.ml.smart_table_ops._features import FuzzyJoinNormalization

__all__ = [
    "Edge",
    "Feature",
    "JoinResult",
    "Node",
    "fuzzy_match",
    "fuzzy_match_with_hint",
    "fuzzy_self_match",
]

Table = pw.Table[Any]


class Node(pw.Schema):
    """A node is its row id."""


class Feature(pw.Schema):
    """What nodes can have in common: how much it counts, and a number of `FuzzyJoinNormalization`."""

    weight: float
    normalization_type: int


class Edge(pw.Schema):
    """A node has a feature."""

    node: Pointer
    feature: Pointer
    weight: float


class JoinResult(pw.Schema):
    """Two nodes that belong together, and how much speaks for it."""

    left: Pointer
    right: Pointer
    weight: float


@trace_user_frame
def fuzzy_match(
    edges_left: Table,
    edges_right: Table,
    features: Table,
    by_hand_match: Table | None = None,
    HEAVY_LIGHT_THRESHOLD: int = 100,
) -> Table:
    """Pairs of nodes of two sides that are best for each other.

    The weight of a pair is the sum over the features that both nodes have: the weights of both edges, times
    the weight of the feature, times its factor by the number of its edges on both sides. Each left node
    keeps its best right node, and of those each right node keeps its best left node.

    Args:
        edges_left, edges_right: which nodes have which features, tables like `Edge`.
        features: a table like `Feature`.
        by_hand_match: pairs that are known, a table like `JoinResult`. They are in the result, and their
            nodes are in no other pair.
        HEAVY_LIGHT_THRESHOLD: a feature with so many edges suggests no pairs; it only adds to the weight of
            pairs that share another feature. That bounds the number of pairs that are compared.

    Returns:
        A table with the columns `right`, `left`, `weight`.

    >>> import pathway as pw
    >>> features = pw.debug.table_from_markdown('''
    ...   | weight | normalization_type
    ... 1 | 1.0    | 1
    ... 2 | 2.0    | 1
    ... ''')
    >>> def edges(text):
    ...     t = pw.debug.table_from_markdown(text)
    ...     return t.select(
    ...         node=t.pointer_from(t.node), feature=features.pointer_from(t.feature), weight=1.0
    ...     )
    >>> left = edges('''
    ... node | feature
    ... 10   | 1
    ... 11   | 2
    ... ''')
    >>> right = edges('''
    ... node | feature
    ... 20   | 1
    ... 20   | 2
    ... ''')
    >>> found = pw.ml.smart_table_ops.fuzzy_match(left, right, features)
    >>> pw.debug.compute_and_print(found.select(found.weight), include_id=False)
    weight
    1.0
    """
    if by_hand_match is not None:
        edges_left = _without(edges_left, by_hand_match.left)
        edges_right = _without(edges_right, by_hand_match.right)
    found = _best(_pairs(edges_left, edges_right, features, HEAVY_LIGHT_THRESHOLD))
    return _with_known(found, by_hand_match)


@trace_user_frame
def fuzzy_self_match(
    edges: Table, features: Table, by_hand_match: Table | None = None, HEAVY_LIGHT_THRESHOLD: int = 100
) -> Table:
    """Pairs of nodes of one table; see `fuzzy_match`. Each pair is given once, the lesser id on the left.

    Of the pairs in `by_hand_match` only the left nodes are kept out of other pairs.
    """
    if by_hand_match is not None:
        edges = _without(edges, by_hand_match.left)
    found = _best(_pairs(edges, edges, features, HEAVY_LIGHT_THRESHOLD, itself=True))
    return _with_known(found.filter(found.left < found.right), by_hand_match)


@trace_user_frame
def fuzzy_match_with_hint(
    edges_left: Table,
    edges_right: Table,
    features: Table,
    by_hand_match: Table,
    HEAVY_LIGHT_THRESHOLD: int = 100,
) -> Table:
    """`fuzzy_match` where some pairs are known."""
    return fuzzy_match(edges_left, edges_right, features, by_hand_match, HEAVY_LIGHT_THRESHOLD)


def _without(edges: Table, known: pw.ColumnReference) -> Table:
    """The edges of nodes that are not among the known ones."""
    nodes = known.table.select(node=known)
    nodes = nodes.groupby(nodes.node).reduce(nodes.node)
    matched = edges.join(nodes, edges.node == nodes.node, id=edges.id).select()
    return edges.difference(matched)


def _pairs(left: Table, right: Table, features: Table, threshold: int, itself: bool = False) -> Table:
    """Pairs that share a feature that is not heavy, with their weights."""
    ends = left.select(left.feature)
    if not itself:
        ends = ends.concat_reindex(right.select(right.feature))
    counts = ends.groupby(id=ends.feature).reduce(edges=pw.reducers.count())
    feature = features.ix(counts.id, context=counts)
    scores = counts.select(
        heavy=counts.edges >= threshold,
        score=feature.weight * pw.apply_with_type(_factor, float, counts.edges, feature.normalization_type),
    )
    left, right = _scored(left, scores), _scored(right, scores)
    shared = _shared(left.filter(~left.heavy), right.filter(~right.heavy), itself)
    if itself:
        shared = shared.filter(shared.left != shared.right)
    pairs = shared.groupby(shared.left, shared.right).reduce(shared.left, shared.right)
    heavy = left.filter(left.heavy)
    added = pairs.join(heavy, pairs.left == heavy.node).select(
        pairs.left, pairs.right, heavy.feature, heavy.weight, heavy.score
    )
    heavy = right.filter(right.heavy)
    added = added.join(heavy, added.right == heavy.node, added.feature == heavy.feature).select(
        added.left, added.right, weight=added.weight * heavy.weight * added.score
    )
    all_shared = united(shared, added)
    return all_shared.groupby(all_shared.left, all_shared.right).reduce(
        all_shared.left, all_shared.right, weight=pw.reducers.sum(all_shared.weight)
    )


def _factor(edges: int, normalization_type: int) -> float:
    return float(FuzzyJoinNormalization(normalization_type).normalize(edges))


def _scored(edges: Table, scores: Table) -> Table:
    score = scores.ix(edges.feature, context=edges)
    node = pw.declare_type(Pointer, edges.node)
    return edges.select(edges.feature, edges.weight, score.heavy, score.score, node=node)


def _shared(left: Table, right: Table, itself: bool) -> Table:
    """A row for each feature that two nodes share."""
    if itself:
        right = right.copy()
    return left.join(right, left.feature == right.feature).select(
        left=left.node, right=right.node, weight=left.weight * right.weight * left.score
    )


def _best(pairs: Table) -> Table:
    """The best right node of each left one, then the best left node of each right one.

    Of equal ones the greater id is better; this decides between the pairs of a node alike from both sides.
    """
    best = pairs.groupby(pairs.left).reduce(
        pairs.left, best=pw.reducers.max(pw.make_tuple(pairs.weight, pairs.right))
    )
    kept = best.select(best.left, right=best.best[1], weight=best.best[0])
    best = kept.groupby(kept.right).reduce(
        kept.right, best=pw.reducers.max(pw.make_tuple(kept.weight, kept.left))
    )
    return best.select(best.right, left=best.best[1], weight=best.best[0])


def _with_known(found: Table, by_hand_match: Table | None) -> Table:
    if by_hand_match is None:
        return found
    return united(found, by_hand_match.select(pw.this.right, pw.this.left, pw.this.weight))
