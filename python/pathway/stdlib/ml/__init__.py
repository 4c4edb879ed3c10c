"""Machine learning over tables that change."""

from pathway.stdlib.ml import classifiers, datasets, hmm, index, smart_table_ops, utils

__all__ = ["classifiers", "datasets", "hmm", "index", "smart_table_ops", "utils"]
