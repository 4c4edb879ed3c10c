"""`pw.graphs.Graph` and `WeightedGraph`: what kind of graph their methods give."""

from __future__ import annotations

from typing import Any

import pytest

import pathway as pw
from pathway.stdlib.graphs import Graph, WeightedGraph


@pytest.fixture
def parts() -> dict[str, pw.Table]:
    vertices = pw.debug.table_from_markdown("id | name\n1 | a\n2 | b\n3 | c")
    links = pw.debug.table_from_markdown(
        "u | v | weight | kind\n1 | 3 | 2.0 | x\n2 | 3 | 5.0 | y\n1 | 1 | 7.0 | z"
    )
    edges = links.with_columns(u=vertices.pointer_from(links.u), v=vertices.pointer_from(links.v))
    together = vertices.filter(vertices.name != "c").select(c=vertices.pointer_from(9))
    return {"V": vertices, "E": edges.without("weight"), "WE": edges.without("kind"), "clusters": together}


def rows(table: pw.Table, *names: str) -> list[tuple[Any, ...]]:
    _, columns = pw.debug.table_to_dicts(table)
    return sorted(zip(*(columns[name].values() for name in names), strict=True))


def test_plain_graphs_stay_plain(parts: dict[str, pw.Table]) -> None:
    graph = Graph(parts["V"], parts["E"])
    for made in (
        graph.contracted_to_multi_graph(parts["clusters"]),
        graph.contracted_to_unweighted_simple_graph(parts["clusters"]),
        graph.without_self_loops(),
    ):
        assert type(made) is Graph


def test_weighted_graphs_stay_weighted(parts: dict[str, pw.Table]) -> None:
    graph = WeightedGraph(parts["V"], parts["E"], parts["WE"])
    multi = graph.contracted_to_multi_graph(parts["clusters"])
    assert type(multi) is WeightedGraph
    assert list(multi.E.column_names()) == ["u", "v"]
    assert rows(multi.WE, "weight") == [(2.0,), (5.0,), (7.0,)]
    assert len(set(rows(multi.WE, "u", "v"))) == 2
    simple = graph.contracted_to_unweighted_simple_graph(parts["clusters"])
    assert type(simple) is WeightedGraph
    assert simple.WE is simple.E
    assert len(rows(simple.E, "u", "v")) == 2
    apart = graph.without_self_loops()
    assert type(apart) is WeightedGraph
    assert rows(apart.E, "kind") == [("x",), ("y",)]
    assert rows(apart.WE, "weight") == [(2.0,), (5.0,)]
