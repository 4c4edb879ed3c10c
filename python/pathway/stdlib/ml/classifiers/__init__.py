"""Classification by the nearest neighbours, found by locality-sensitive hashing."""

from pathway.stdlib.ml.classifiers._knn_lsh import (
    DistanceTypes,
    knn_lsh_classifier_train,
    knn_lsh_classify,
    knn_lsh_euclidean_classifier_train,
    knn_lsh_generic_classifier_train,
    knn_lsh_train,
)

__all__ = [
    "DistanceTypes",
    "knn_lsh_classifier_train",
    "knn_lsh_classify",
    "knn_lsh_euclidean_classifier_train",
    "knn_lsh_generic_classifier_train",
    "knn_lsh_train",
]
