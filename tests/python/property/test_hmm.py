"""Hidden Markov models: the decoded path is the likeliest of all paths."""

from __future__ import annotations

import itertools
import math
from typing import Any

import networkx as nx
import pytest
from hypothesis import given
from hypothesis import strategies as st

import pathway as pw
from pathway.stdlib.ml.hmm import create_hmm_reducer

from .check import check_incremental, property_settings
from .histories import History, histories

EMISSIONS = {"a": (0.6, 0.3, 0.1), "b": (0.15, 0.5, 0.35), "c": (0.2, 0.05, 0.75)}
TRANSITIONS = {"aa": 0.71, "ab": 0.29, "bb": 0.37, "bc": 0.63, "ca": 0.53, "cc": 0.47}
START = ("b", "a")


def graph() -> Any:
    found = nx.DiGraph()
    for state, chances in EMISSIONS.items():
        found.add_node(state, calc_emission_log_ppb=lambda seen, c=chances: math.log(c[seen]))
    for (here, there), chance in TRANSITIONS.items():
        found.add_edge(here, there, log_transition_ppb=math.log(chance))
    found.graph["start_nodes"] = list(START)
    return found


def likelihood(path: tuple[str, ...], seen: list[int]) -> float:
    result = 1.0 if path[0] in START else 0.0
    for here, there in itertools.pairwise(path):
        result *= TRANSITIONS.get(here + there, 0.0)
    for state, observation in zip(path, seen, strict=True):
        result *= EMISSIONS[state][observation]
    return result


def decode(seen: list[int], **options: Any) -> tuple[str, ...]:
    rows = [(observation, 2 * n + 2, 1) for n, observation in enumerate(seen)]
    t = pw.debug.table_from_rows(pw.schema_from_types(seen=int), rows, is_stream=True)
    reducer = pw.reducers.udf_reducer(create_hmm_reducer(graph(), **options))
    _, columns = pw.debug.table_to_dicts(t.reduce(path=reducer(t.seen)))
    (path,) = columns["path"].values()
    return path


@property_settings
@given(st.lists(st.integers(0, 2), min_size=1, max_size=6), st.integers(0, 4))
def test_the_likeliest_path(seen: list[int], kept: int) -> None:
    best = max(itertools.product(EMISSIONS, repeat=len(seen)), key=lambda path: likelihood(path, seen))
    assert decode(seen) == best
    assert decode(seen, beam_size=3) == best
    assert decode(seen, num_results_kept=kept) == best[-max(kept, 1) :]


def test_a_beam_of_one_follows_the_best_state() -> None:
    assert decode([0, 2, 0], beam_size=1) == ("a", "b", "c")
    assert decode([0, 2, 0]) == ("b", "c", "a")


@property_settings
@given(histories(keys=4, seen=(int, st.integers(0, 2))))
def test_removals_are_as_if_never_seen(history: History) -> None:
    """Any order will do for the rows of one time, so it is one observation, however often."""

    def program(t: pw.Table[Any]) -> pw.Table[Any]:
        reducer = pw.reducers.udf_reducer(create_hmm_reducer(graph(), num_results_kept=2))
        return t.groupby(t.k).reduce(t.k, path=reducer(t.seen))

    check_incremental(program, history)


def test_what_cannot_be() -> None:
    model = graph()
    model.remove_edges_from(list(model.edges))
    t = pw.debug.table_from_rows(pw.schema_from_types(seen=int), [(0, 2, 1), (1, 4, 1)], is_stream=True)
    path = t.reduce(path=pw.reducers.udf_reducer(create_hmm_reducer(model))(t.seen))
    with pytest.raises(ValueError, match="no path of states"):
        pw.debug.table_to_dicts(path)
    with pytest.raises(ValueError, match="beam_size=0"):
        create_hmm_reducer(model, beam_size=0)
    del model.graph["start_nodes"]
    with pytest.raises(ValueError, match="start_nodes"):
        create_hmm_reducer(model)
