"""Machine learning over tables that change."""

from pathway.stdlib.ml import classifiers, index, utils

__all__ = ["classifiers", "index", "utils"]
