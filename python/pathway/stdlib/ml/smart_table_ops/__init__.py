"""Joining tables whose rows describe the same things in different words."""

from pathway.stdlib.ml.smart_table_ops._features import FuzzyJoinFeatureGeneration, FuzzyJoinNormalization
from pathway.stdlib.ml.smart_table_ops._fuzzy_match import (
    Edge,
    Feature,
    JoinResult,
    Node,
    fuzzy_match,
    fuzzy_match_with_hint,
    fuzzy_self_match,
)
from pathway.stdlib.ml.smart_table_ops._texts import fuzzy_match_tables, smart_fuzzy_match

__all__ = [
    "Edge",
    "Feature",
    "FuzzyJoinFeatureGeneration",
    "FuzzyJoinNormalization",
    "JoinResult",
    "Node",
    "fuzzy_match",
    "fuzzy_match_tables",
    "fuzzy_match_with_hint",
    "fuzzy_self_match",
    "smart_fuzzy_match",
]
