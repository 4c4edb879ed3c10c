"""Nearest neighbours by hashing: which candidates a query has, and what is made of them."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import pathway as pw
from pathway.stdlib.ml import classifiers
from pathway.stdlib.ml.classifiers import _lsh

Table = pw.Table[Any]


def vectors(rows: list[tuple[float, float]]) -> Table:
    table = pw.debug.table_from_rows(pw.schema_from_types(x=float, y=float), rows)
    return table.select(data=pw.make_tuple(table.x, table.y))


def cells(table: Table, column: str) -> list[Any]:
    return list(pw.debug.table_to_dicts(table)[1][column].values())


def test_buckets_of_planes_are_those_of_the_original() -> None:
    bucketer = _lsh.generate_cosine_lsh_bucketer(3, 2, 4, seed=0)
    assert bucketer(np.array([1.0, 2.0, 3.0])).tolist() == [0, 3, 2, 2]
    assert bucketer((-1.0, -2.0, 3.0)).tolist() == [2, 3, 3, 2]


def test_near_vectors_share_buckets_of_lines() -> None:
    bucketer = _lsh.generate_euclidean_lsh_bucketer(2, 2, 8, A=10.0)
    near = bucketer([1.0, 1.0]) == bucketer([1.1, 0.9])
    far = bucketer([1.0, 1.0]) == bucketer([500.0, -700.0])
    assert near.sum() > 5
    assert far.sum() == 0


@pytest.mark.parametrize("distance", ["euclidean", "cosine"])
def test_nearest_first_with_distances(distance: Any) -> None:
    data = vectors([(1.0, 0.0), (0.0, 2.0), (3.0, 0.0)])
    model = classifiers.knn_lsh_train(data, L=40, type=distance, d=2, M=1, A=10.0)
    found = model(vectors([(2.0, 0.5)]), 3, with_distances=True)
    (pairs,) = cells(found, "knns_ids_with_dists")
    assert found.typehints()["knns_ids_with_dists"] == list[tuple[pw.Pointer, float]]
    distances = [distance for _, distance in pairs]
    cosines = [1 - 2 / 4.25**0.5, 1 - 2 / 4.25**0.5, 1 - 0.5 / 4.25**0.5]
    assert distances == pytest.approx([1.25, 1.25, 6.25] if distance == "euclidean" else cosines)


def test_of_those_equally_near_the_least_ids_come_first() -> None:
    data = vectors([(1.0, 0.0), (0.0, 1.0), (-1.0, 0.0), (0.0, -1.0), (5.0, 5.0)])
    model = classifiers.knn_lsh_train(data, L=40, type="euclidean", d=2, M=1, A=10.0)
    near = sorted(pw.engine.ref_scalar(row) for row in range(4))
    for k in (1, 3, 4):
        (ids,) = cells(model(vectors([(0.0, 0.0)]), k), "knns_ids")
        assert list(ids) == near[:k]


def test_own_hashes_and_distances_with_a_filter() -> None:
    data = vectors([(1.0, 0.0), (2.0, 0.0), (3.0, 0.0)])
    named = data.select(
        data.data, metadata=pw.apply_with_type(lambda v: pw.Json({"x": v[0]}), pw.Json, data.data)
    )
    model = classifiers.knn_lsh_generic_classifier_train(
        named, lambda _: np.array([0, 0]), lambda all, one: np.abs(all[:, 0] - one[0]), 2
    )
    queries = vectors([(0.0, 0.0)])
    asked = queries.select(queries.data, k=2, metadata_filter="x > `1.5`")
    (ids,) = cells(model(asked), "knns_ids")
    by_id = pw.debug.table_to_dicts(data)[1]["data"]
    assert [by_id[id] for id in ids] == [(2.0, 0.0), (3.0, 0.0)]
    (ids,) = cells(model(queries.select(queries.data, k=2, metadata_filter="x >")), "knns_ids")
    assert ids == ()


def test_labels_by_vote_and_their_accuracy() -> None:
    data = vectors([(0.0, 0.0), (0.0, 1.0), (1.0, 0.0), (9.0, 9.0)])
    labels = data.select(label=pw.if_else(data.data[0] > 5.0, "far", "near"))
    model = classifiers.knn_lsh_euclidean_classifier_train(data, d=2, M=1, L=20, A=20.0)
    predicted = classifiers.knn_lsh_classify(model, labels, data, k=3)
    assert cells(predicted, "predicted_label") == ["near"] * 4
    accuracy = pw.ml.utils.classifier_accuracy(predicted, labels)
    _, columns = pw.debug.table_to_dicts(accuracy)
    assert {columns["value"][id]: count for id, count in columns["cnt"].items()} == {True: 3, False: 1}


def test_a_query_far_from_everything_has_no_label() -> None:
    data = vectors([(0.0, 0.0)])
    model = classifiers.knn_lsh_train(data, L=2, type="euclidean", d=2, M=4, A=0.1)
    labels = data.select(label="a")
    predicted = classifiers.knn_lsh_classify(model, labels, vectors([(500.0, -700.0)]), k=3)
    assert cells(predicted, "predicted_label") == [None]


def test_wrong_arguments() -> None:
    data = vectors([(0.0, 0.0)])
    with pytest.raises(ValueError, match="'nope' is not known"):
        classifiers.knn_lsh_train(data, L=1, type="nope")  # type: ignore[arg-type]
    with pytest.raises(KeyError, match="A"):
        classifiers.knn_lsh_train(data, L=1, type="euclidean", d=2, M=1)
    model = classifiers.knn_lsh_train(data, L=1, type="cosine", d=2, M=1)
    with pytest.raises(ValueError, match="number of neighbours is missing"):
        model(data)
    with pytest.raises(ValueError, match="needs metadata"):
        model(data.select(data.data, metadata_filter="x"), 1)
