"""The nearest item of each query with Pathway."""

from pathlib import Path

import numpy as np

import pathway as pw
from pathway.stdlib.ml.index import KNNIndex


class Item(pw.Schema):
    item: int
    v: list[float]


class Query(pw.Schema):
    query: int
    v: list[float]


def vectors(table: pw.Table) -> pw.Table:
    return table.with_columns(v=pw.apply_with_type(np.array, np.ndarray, table.v))


def run(inputs: Path, output: Path) -> None:
    items = vectors(pw.io.jsonlines.read(inputs / "items.jsonl", schema=Item, mode="static"))
    queries = vectors(pw.io.jsonlines.read(inputs / "queries.jsonl", schema=Query, mode="static"))
    index = KNNIndex(items.v, items.select(items.item), n_dimensions=64)
    found = index.get_nearest_items(queries.v, k=1)
    nearest = queries.select(queries.query, item=found.with_universe_of(queries).item)
    result = nearest.select(nearest.query, item=pw.unwrap(nearest.item.get(0, -1)))
    pw.io.csv.write(result, output / "result.csv")
    pw.run(monitoring_level=pw.MonitoringLevel.NONE)
