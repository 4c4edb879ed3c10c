"""Nearest rows: whatever the history of the data and the queries, the answers are those of a static run."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import pathway as pw
from pathway.stdlib.ml.index import KNNIndex

from .check import check_incremental, property_settings
from .histories import History, histories, letter, quarter, small_int

PREFIX = st.integers(0, 4)
Table = pw.Table[Any]


@pytest.mark.parametrize("collapse_rows", [True, False])
@pytest.mark.parametrize("distance_type", ["euclidean", "cosine"])
@property_settings
@given(histories(x=quarter, y=small_int, s=letter), histories(x=quarter, y=small_int), PREFIX)
def test_nearest_items(
    distance_type: str, collapse_rows: bool, data: History, queries: History, prefix: int
) -> None:
    def program(data: Table, queries: Table) -> Table:
        vectors = pw.make_tuple(data.x, pw.cast(float, data.y))
        index = KNNIndex(vectors, data, 2, distance_type=distance_type)
        asked = queries.select(v=pw.make_tuple(queries.x, pw.cast(float, queries.y)), k=abs(queries.y) % 3)
        return index.get_nearest_items(asked.v, asked.k, collapse_rows, with_distances=True)

    check_incremental(program, data, queries, prefix=prefix)
