"""Fuzzy matches: features, their factors, and the pairs of a model in plain Python."""

from __future__ import annotations

from collections import Counter, defaultdict
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import pathway as pw
from pathway.stdlib.ml import smart_table_ops as ops

from .check import property_settings, updates_of
from .histories import History, histories

Table = pw.Table[Any]
NODES, FEATURES = 5, 4
WEIGHTS = (2.0, 0.5, 1.0, -1.0)
KINDS = (1, 2, 3, 2)
EDGES = histories(
    keys=10,
    node=(int, st.integers(0, NODES - 1)),
    feature=(int, st.integers(0, FEATURES - 1)),
    weight=(float, st.sampled_from([1.0, 0.5, -2.0])),
)
Edges = list[tuple[int, int, float]]


def test_features_of_values() -> None:
    generation = ops.FuzzyJoinFeatureGeneration
    assert [int(kind) for kind in generation] == [1, 2, 3]
    for words in (generation.AUTO, generation.TOKENIZE):
        assert words.generate(" Hello,  World aa ") == ["Hello,", "World", "aa"]
        assert words.generate(None) == ["None"]
    assert generation.LETTERS.generate("É-a 1.5") == ["é", "a", "1", "5"]


def test_factors_of_counts() -> None:
    normalization = ops.FuzzyJoinNormalization
    counts = (0, 1, 2, 3, 5, 8)
    assert [normalization.WEIGHT.normalize(n) for n in counts] == [0.0, 1.0, 0.5, 0.25, 0.125, 0.125]
    assert [normalization.LOGWEIGHT.normalize(n) for n in counts] == [0.0, 1.0, 0.5, 0.5, 1 / 3, 0.25]
    assert [normalization.NONE.normalize(n) for n in counts] == list(counts)


def model(left: Edges, right: Edges, threshold: int, itself: bool) -> dict[tuple[Any, Any], float]:
    """The pairs by the rules: weights, then the best right node, then the best left node."""
    counts = Counter(feature for _, feature, _ in (left if itself else left + right))
    normalization = ops.FuzzyJoinNormalization
    score = {f: WEIGHTS[f] * normalization(KINDS[f]).normalize(n) for f, n in counts.items()}
    pairs: defaultdict[tuple[Any, Any], float] = defaultdict(float)
    light = {(a, b) for a, f, _ in left for b, g, _ in right if f == g and counts[f] < threshold}
    for a, f, v in left:
        for b, g, w in right:
            if f == g and (a, b) in light and not (itself and a == b):
                pairs[ids[a], ids[b]] += v * w * score[f]
    best_right: dict[Any, tuple[float, Any]] = {}
    for (a, b), weight in pairs.items():
        best_right[a] = max(best_right.get(a, (weight, b)), (weight, b))
    best_left: dict[Any, tuple[float, Any]] = {}
    for a, (weight, b) in best_right.items():
        best_left[b] = max(best_left.get(b, (weight, a)), (weight, a))
    return {(a, b): weight for b, (weight, a) in best_left.items() if not itself or a < b}


ids: dict[int, pw.Pointer] = {}


def features_and(*sides: Table) -> tuple[Table, list[Table]]:
    rows = [(n, weight, kind) for n, (weight, kind) in enumerate(zip(WEIGHTS, KINDS, strict=True))]
    schema = pw.schema_from_types(n=int, weight=float, normalization_type=int)
    features = pw.debug.table_from_rows(schema, rows)
    features = features.with_id_from(features.n).without("n")
    return features, [
        side.select(
            side.weight, node=side.pointer_from(side.node), feature=features.pointer_from(side.feature)
        )
        for side in sides
    ]


def edges_of(history: History) -> Edges:
    return [values for values in history.state().values()]


@pytest.fixture(autouse=True)
def known_ids() -> None:
    if not ids:
        numbers = pw.debug.table_from_rows(pw.schema_from_types(n=int), [(n,) for n in range(NODES)])
        _, columns = pw.debug.table_to_dicts(numbers.with_id_from(numbers.n))
        ids.update({number: id for id, number in columns["n"].items()})


def pairs_of(updates: Any) -> dict[tuple[Any, Any], float]:
    rows: Counter[tuple[Any, Any, float]] = Counter()
    for _, (right, left, (_, weight)), _, diff in updates:
        rows[left, right, weight] += diff
    return {(left, right): weight for (left, right, weight), count in rows.items() if count}


@pytest.mark.parametrize("workers", [1, 2])
@property_settings
@given(EDGES, EDGES, st.sampled_from([2, 4, 100]))
def test_pairs_of_two_sides(workers: int, left: History, right: History, threshold: int) -> None:
    def program() -> Table:
        features, (a, b) = features_and(left.as_stream(), right.as_stream())
        return ops.fuzzy_match(a, b, features, HEAVY_LIGHT_THRESHOLD=threshold)

    expected = model(edges_of(left), edges_of(right), threshold, itself=False)
    assert pairs_of(updates_of(program, workers)) == pytest.approx(expected)


@property_settings
@given(EDGES, st.sampled_from([2, 4, 100]))
def test_pairs_of_one_side(edges: History, threshold: int) -> None:
    def program() -> Table:
        features, (side,) = features_and(edges.as_stream())
        return ops.fuzzy_self_match(side, features, HEAVY_LIGHT_THRESHOLD=threshold)

    expected = model(edges_of(edges), edges_of(edges), threshold, itself=True)
    assert pairs_of(updates_of(program, 2)) == pytest.approx(expected)


def test_known_pairs_with_a_hint() -> None:
    rows = [(0, 0, 1.0), (1, 0, 1.0), (2, 1, 1.0)]
    t = pw.debug.table_from_rows(pw.schema_from_types(node=int, feature=int, weight=float), rows)
    features, (left, right) = features_and(t, t)
    known = pw.debug.table_from_rows(pw.schema_from_types(a=int, b=int), [(2, 0)])
    known = known.select(left=t.pointer_from(known.a), right=t.pointer_from(known.b), weight=9.0)
    found = ops.fuzzy_match_with_hint(left, right, features, known)
    _, columns = pw.debug.table_to_dicts(found)
    pairs = {(columns["left"][id], columns["right"][id]) for id in columns["left"]}
    assert (ids[2], ids[0]) in pairs
    assert all(left != ids[2] and right != ids[0] for left, right in pairs - {(ids[2], ids[0])})
    assert pairs & {(ids[0], ids[1]), (ids[1], ids[1])}


def test_a_bucket_with_columns_of_one_table() -> None:
    t = pw.debug.table_from_rows(pw.schema_from_types(a=str, b=str), [("x", "y")])
    with pytest.raises(KeyError, match="no column of the right table is in the bucket 'two'"):
        ops.fuzzy_match_tables(t, t, left_projection={"a": "one", "b": "two"}, right_projection={"a": "one"})
    with pytest.raises(TypeError, match=r"t\.name; 'a' is none"):
        ops.smart_fuzzy_match(t.a, "a")  # type: ignore[arg-type]
