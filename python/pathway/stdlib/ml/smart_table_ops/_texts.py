"""Fuzzy matches of texts: features are made of the words or letters of each value."""

from __future__ import annotations

from collections.abc import Mapping
from functools import reduce
from typing import Any

import pathway.internals as pw
from pathway.internals.trace import trace_user_frame
from pathway.stdlib.ml.smart_table_ops._features import FuzzyJoinFeatureGeneration, FuzzyJoinNormalization
from pathway.stdlib.ml.smart_table_ops._fuzzy_match import fuzzy_match, fuzzy_self_match

__all__ = ["fuzzy_match_tables", "smart_fuzzy_match"]

Table = pw.Table[Any]


@trace_user_frame
def fuzzy_match_tables(
    left_table: Table,
    right_table: Table,
    *,
    by_hand_match: Table | None = None,
    normalization: FuzzyJoinNormalization = FuzzyJoinNormalization.LOGWEIGHT,
    feature_generation: FuzzyJoinFeatureGeneration = FuzzyJoinFeatureGeneration.AUTO,
    left_projection: Mapping[str, str] | None = None,
    right_projection: Mapping[str, str] | None = None,
) -> Table:
    """Pairs of rows of two tables that have most words (or letters) in common.

    Args:
        left_table, right_table: a row is described by all its columns.
        by_hand_match: pairs that are known: ids `left` and `right`, and a `weight`.
        normalization: how much a feature counts that many rows have.
        feature_generation: what features are.
        left_projection, right_projection: from names of columns to names of buckets. With both, only the
            columns of one bucket are compared with each other, and the weights of a pair add up.

    Returns:
        A table with `left` and `right`, ids of the tables, and `weight`.

    Raises:
        KeyError: if a bucket has columns of one table only, or a column does not exist.

    >>> import pathway as pw
    >>> books = pw.debug.table_from_markdown('''
    ... author    | title
    ... Melville  | Moby-Dick
    ... Austen    | Emma
    ... ''')
    >>> loans = pw.debug.table_from_markdown('''
    ... book
    ... Emma,by_Austen
    ... Moby-Dick
    ... ''')
    >>> found = pw.ml.smart_table_ops.fuzzy_match_tables(books, loans)
    >>> result = found.select(books.ix(found.left).author, loans.ix(found.right).book, found.weight)
    >>> pw.debug.compute_and_print(result, include_id=False)
    author   | book      | weight
    Melville | Moby-Dick | 0.5
    """
    for table in (left_table, right_table):
        if not isinstance(table, pw.Table):
            raise TypeError(f"fuzzy_match_tables takes two tables; {table!r} is none.")
    options: dict[str, Any] = {
        "by_hand_match": by_hand_match,
        "normalization": normalization,
        "feature_generation": feature_generation,
    }
    if not left_projection or not right_projection:
        left, right = (
            _described(left_table, list(left_table.keys())),
            _described(right_table, list(right_table.keys())),
        )
        return smart_fuzzy_match(left, right, **options)
    left_buckets, right_buckets = _buckets(left_projection), _buckets(right_projection)
    for name in [*left_buckets, *right_buckets]:
        if name not in left_buckets or name not in right_buckets:
            side = "right" if name in left_buckets else "left"
            raise KeyError(f"fuzzy_match_tables: no column of the {side} table is in the bucket {name!r}")
    matches = [
        smart_fuzzy_match(
            _described(left_table, left_buckets[name]),
            _described(right_table, right_buckets[name]),
            **options,
        )
        for name in sorted(left_buckets)
    ]
    found = matches[0].concat_reindex(*matches[1:])
    return found.groupby(found.left, found.right).reduce(
        found.left, found.right, weight=pw.reducers.sum(found.weight)
    )


def _buckets(projection: Mapping[str, str]) -> dict[str, list[str]]:
    buckets: dict[str, list[str]] = {}
    for column, name in projection.items():
        buckets.setdefault(name, []).append(column)
    return buckets


def _described(table: Table, names: list[str]) -> pw.ColumnReference:
    """The columns as one text."""
    texts = [pw.apply_with_type(str, str, table[name]) for name in names]
    described = reduce(lambda text, more: text + " " + more, texts) if texts else ""
    return table.select(text=described).text


@trace_user_frame
def smart_fuzzy_match(
    left_col: pw.ColumnReference,
    right_col: pw.ColumnReference,
    *,
    by_hand_match: Table | None = None,
    normalization: FuzzyJoinNormalization = FuzzyJoinNormalization.LOGWEIGHT,
    feature_generation: FuzzyJoinFeatureGeneration = FuzzyJoinFeatureGeneration.AUTO,
    HEAVY_LIGHT_THRESHOLD: int = 100,
) -> Table:
    """Pairs of rows whose values in two columns have most words (or letters) in common.

    The same column twice finds pairs of rows of one table. See `fuzzy_match_tables` and `fuzzy_match`.

    Raises:
        TypeError: if one of the columns is none.

    >>> import pathway as pw
    >>> people = pw.debug.table_from_markdown('''
    ... name
    ... Ann_Lee
    ... Bo_Li
    ... Lee_Ann
    ... ''').select(name=pw.this.name.str.replace("_", " "))
    >>> twins = pw.ml.smart_table_ops.smart_fuzzy_match(people.name, people.name)
    >>> pw.debug.compute_and_print(twins.select(twins.weight), include_id=False)
    weight
    1.0
    """
    for column in (left_col, right_col):
        if not isinstance(column, pw.ColumnReference):
            raise TypeError(f"smart_fuzzy_match takes columns of tables, such as t.name; {column!r} is none.")
    itself = left_col.table is right_col.table and left_col.name == right_col.name
    sides = [
        _features_of(column, feature_generation)
        for column in ([left_col] if itself else [left_col, right_col])
    ]
    words = sides[0].select(sides[0].word)
    for side in sides[1:]:
        words = words.concat_reindex(side.select(side.word))
    features = words.groupby(words.word).reduce(weight=1.0, normalization_type=int(normalization))
    edges = [side.select(side.node, feature=features.pointer_from(side.word), weight=1.0) for side in sides]
    if itself:
        return fuzzy_self_match(edges[0], features, by_hand_match, HEAVY_LIGHT_THRESHOLD)
    return fuzzy_match(edges[0], edges[1], features, by_hand_match, HEAVY_LIGHT_THRESHOLD)


def _features_of(column: pw.ColumnReference, generation: FuzzyJoinFeatureGeneration) -> Table:
    """A row for each feature of each value."""
    table = column.table
    words = pw.apply_with_type(generation.generate, list[str], column)
    found: Table = table.select(node=table.id, word=words)
    return found.flatten(found.word)
