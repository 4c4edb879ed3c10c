"""The nearest rows among those that share a bucket."""

from __future__ import annotations

import statistics
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Literal

import pathway.internals as pw
from pathway._engine import filter_metadata
from pathway.internals.lazy_import import LazyModule
from pathway.internals.trace import trace_user_frame
from pathway.stdlib.ml.classifiers._lsh import (
    Bucketer,
    generate_cosine_lsh_bucketer,
    generate_euclidean_lsh_bucketer,
    lsh,
)
from pathway.universes import promise_is_subset_of

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt
else:
    np = LazyModule("numpy")

__all__ = [
    "DistanceTypes",
    "knn_lsh_classifier_train",
    "knn_lsh_classify",
    "knn_lsh_euclidean_classifier_train",
    "knn_lsh_generic_classifier_train",
    "knn_lsh_train",
]

DistanceTypes = Literal["euclidean", "cosine"]
#: From an array of vectors and a vector to the distances of each.
Distance = Callable[["npt.NDArray[Any]", Any], "npt.NDArray[Any]"]
#: A trained model: `model(queries, k=None, with_distances=False)`.
Model = Callable[..., pw.Table[Any]]


def _squared(data: npt.NDArray[Any], query: Any) -> npt.NDArray[Any]:
    return np.asarray(np.sum((data - np.asarray(query, dtype=float)) ** 2, axis=1))


def _cosine(data: npt.NDArray[Any], query: Any) -> npt.NDArray[Any]:
    query = np.asarray(query, dtype=float)
    norms = np.linalg.norm(data, axis=1) * np.linalg.norm(query)
    cosines = np.divide(data @ query, norms, out=np.zeros(len(data)), where=norms != 0)
    return np.asarray(1 - cosines)


@trace_user_frame
def knn_lsh_classifier_train(
    data: pw.Table[Any], L: int, type: DistanceTypes = "euclidean", **kwargs: Any
) -> Model:
    """A model of the nearest neighbours: `model(queries, k=None, with_distances=False)`.

    Args:
        data: vectors in the column `data`, and, for filters, JSON in the column `metadata`.
        L: the number of bands: rows that share the bucket of a query in one of them are its candidates.
        type: `euclidean`, which needs the numbers `d` (elements of a vector), `M` (hashes of a band) and `A`
            (width of a bucket); or `cosine`, which needs `d` and `M`.

    Returns:
        A function of queries: a table with the column `data`, and `k` unless it is an argument; the column
        `metadata_filter` is optional. It gives a table with a row for each query: `query_id`, and `knns_ids`,
        the ids of the nearest candidates, or `knns_ids_with_dists`, pairs of these and the distances.

    Raises:
        ValueError: for another type.
        KeyError: if one of the numbers is missing.

    >>> import pathway as pw
    >>> points = pw.debug.table_from_markdown('''
    ...   | x | y
    ... 1 | 0 | 0
    ... 2 | 4 | 4
    ... 3 | 0 | 1
    ... ''')
    >>> data = points.select(data=pw.make_tuple(points.x, points.y))
    >>> model = pw.ml.classifiers.knn_lsh_train(data, L=5, type="euclidean", d=2, M=1, A=10.0)
    >>> labels = points.select(label=pw.if_else(points.x == 0, "left", "right"))
    >>> queries = pw.debug.table_from_markdown('''
    ... x | y
    ... 1 | 1
    ... ''').select(data=pw.make_tuple(pw.this.x, pw.this.y))
    >>> predicted = pw.ml.classifiers.knn_lsh_classify(model, labels, queries, k=2)
    >>> pw.debug.compute_and_print(predicted, include_id=False)
    predicted_label
    left
    """
    if type == "euclidean":
        bucketer = generate_euclidean_lsh_bucketer(kwargs["d"], kwargs["M"], L, kwargs["A"])
        return knn_lsh_generic_classifier_train(data, bucketer, _squared, L)
    if type == "cosine":
        bucketer = generate_cosine_lsh_bucketer(kwargs["d"], kwargs["M"], L)
        return knn_lsh_generic_classifier_train(data, bucketer, _cosine, L)
    raise ValueError(f"knn_lsh_classifier_train: type={type!r} is not known; it is 'euclidean' or 'cosine'.")


knn_lsh_train = knn_lsh_classifier_train


@trace_user_frame
def knn_lsh_euclidean_classifier_train(data: pw.Table[Any], d: int, M: int, L: int, A: float) -> Model:
    """As `knn_lsh_classifier_train` with euclidean distances."""
    return knn_lsh_classifier_train(data, L, "euclidean", d=d, M=M, A=A)


@trace_user_frame
def knn_lsh_generic_classifier_train(
    data: pw.Table[Any], lsh_projection: Bucketer, distance_function: Distance, L: int
) -> Model:
    """As `knn_lsh_classifier_train` with hashes and distances of one's own.

    Args:
        data: as there.
        lsh_projection: gives the `L` buckets of a vector.
        distance_function: gives the distances of an array of vectors to a vector.
        L: the number of bands.
    """
    indexed = lsh(data, lsh_projection, include_data=False)
    has_metadata = "metadata" in data.keys()  # noqa: SIM118

    @trace_user_frame
    def model(
        queries: pw.Table[Any], k: int | pw.ColumnExpression | None = None, with_distances: bool = False
    ) -> pw.Table[Any]:
        """The nearest candidates of each query."""
        names = queries.keys()
        if k is None and "k" not in names:
            raise ValueError(
                "The number of neighbours is missing: an argument k, or a column k of the queries."
            )
        has_filter = "metadata_filter" in names
        if has_filter and not has_metadata:
            raise ValueError("metadata_filter needs metadata: the data have no column metadata.")

        def nearest(
            query: Any, k: int, wanted: str | None, ids: Any, vectors: Any, metadata: Any
        ) -> tuple[tuple[pw.Pointer[Any], float], ...]:
            if wanted is not None and ids:
                texts = [pw.Json.dumps(m.value if isinstance(m, pw.Json) else m) for m in metadata]
                kept = _filtered(wanted, texts)
                ids = [id for id, keep in zip(ids, kept, strict=True) if keep]
                vectors = [vector for vector, keep in zip(vectors, kept, strict=True) if keep]
            if k <= 0 or not ids:
                return ()
            distances = distance_function(np.array(vectors, dtype=float), query)
            # Of those equally near the least ids come first.
            found = sorted(zip(ids, map(float, distances), strict=True), key=lambda pair: (pair[1], pair[0]))
            return tuple(found[:k])

        asking = lsh(queries.select(queries.data), lsh_projection, origin_id="query_id", include_data=False)
        on = (asking.bucketing == indexed.bucketing, asking.band == indexed.band)
        pairs = asking.join(indexed, *on).select(asking.query_id, indexed.origin_id)
        pairs = pairs.groupby(pairs.query_id, pairs.origin_id).reduce(pairs.query_id, pairs.origin_id)
        about = data.ix(pairs.origin_id)
        pairs = pairs.select(
            pairs.query_id,
            pairs.origin_id,
            vector=about.data,
            metadata=about.metadata if has_metadata else None,
        )
        candidates = pairs.groupby(id=pairs.query_id).reduce(
            ids=pw.reducers.tuple(pairs.origin_id),
            vectors=pw.reducers.tuple(pairs.vector),
            metadata=pw.reducers.tuple(pairs.metadata),
        )
        promise_is_subset_of(candidates, queries)
        searched = queries.join_left(candidates, queries.id == candidates.id, id=queries.id).select(
            query_id=queries.id,
            found=pw.apply_with_type(
                nearest,
                list[tuple[pw.Pointer, float]],
                queries.data,
                queries.k if k is None else k,
                queries.metadata_filter if has_filter else None,
                candidates.ids,
                candidates.vectors,
                candidates.metadata,
            ),
        )
        searched = searched.with_id_from(searched.query_id)
        if with_distances:
            return searched.select(knns_ids_with_dists=searched.found, query_id=searched.query_id)
        ids = pw.apply_with_type(
            lambda found: tuple(id for id, _ in found),
            list[pw.Pointer],
            searched.found,
        )
        return searched.select(searched.query_id, knns_ids=ids)

    return model


def _filtered(wanted: str, metadata: list[str]) -> list[bool]:
    """Which of the metadata pass; a filter that is wrong passes nothing, and is logged."""
    try:
        return filter_metadata(wanted, metadata)
    except ValueError as error:
        import logging

        logging.getLogger("pathway").error("knn_lsh: %s", error)
        return [False] * len(metadata)


@trace_user_frame
def knn_lsh_classify(
    knn_model: Model, data_labels: pw.Table[Any], queries: pw.Table[Any], k: int
) -> pw.Table[Any]:
    """The label that most of the nearest neighbours have, or None without neighbours.

    Args:
        knn_model: a trained model.
        data_labels: the column `label` for the ids of the data.
        queries: vectors in the column `data`.
        k: how many neighbours vote.

    Returns:
        A table with the ids of the queries and the column `predicted_label`.
    """
    found = knn_model(queries, k)
    label = data_labels.schema["label"].dtype.typehint
    neighbours = found.flatten(found.knns_ids)
    votes = neighbours.select(neighbours.query_id, label=data_labels.ix(neighbours.knns_ids).label)
    grouped = votes.groupby(id=votes.query_id).reduce(labels=pw.reducers.tuple(votes.label))
    elected = grouped.select(predicted_label=pw.apply_with_type(statistics.mode, label, grouped.labels))
    promise_is_subset_of(elected, queries)
    nobody = queries.select(predicted_label=pw.declare_type(label | None, None))
    return nobody.update_cells(elected)
