"""Schemas of the tables that graphs are made of, and what the algorithms share."""

from __future__ import annotations

from typing import Any

import pathway.internals as pw
from pathway._engine import Pointer
from pathway.universes import promise_are_pairwise_disjoint


class Vertex(pw.Schema):
    """A vertex is its row id."""


class Edge(pw.Schema):
    """From one vertex to another."""

    u: Pointer
    v: Pointer


class Weight(pw.Schema):
    """How much an edge counts."""

    weight: float


class Cluster(Vertex):
    """A cluster is its row id."""


class Clustering(pw.Schema):
    """The cluster of a vertex, which is the row id."""

    c: Pointer


def united(*tables: pw.Table[Any]) -> pw.Table[Any]:
    """The rows of tables whose ids are made in different ways."""
    first, *others = [table.update_id_type(Pointer) for table in tables]
    promise_are_pairwise_disjoint(first, *others)
    return first.concat(*others) if others else first
