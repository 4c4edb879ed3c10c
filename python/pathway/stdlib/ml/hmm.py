"""Hidden Markov models: the states that explain observations best."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Any

from pathway.internals.custom_reducers import BaseCustomAccumulator
from pathway.internals.lazy_import import LazyModule
from pathway.internals.trace import trace_user_frame

if TYPE_CHECKING:
    import networkx as nx
    import numpy as np
    import numpy.typing as npt
else:
    np = LazyModule("numpy")

__all__ = ["create_hmm_reducer"]


class _Model:
    """The graph as arrays; states are numbered in the order of the nodes."""

    def __init__(self, graph: nx.DiGraph, beam_size: int | None) -> None:
        self.names = list(graph.nodes)
        self.emissions = [graph.nodes[name]["calc_emission_log_ppb"] for name in self.names]
        number = {name: index for index, name in enumerate(self.names)}
        count = len(self.names)
        self.start = np.full(count, -np.inf)
        self.start[[number[name] for name in graph.graph["start_nodes"]]] = 0.0
        #: From the state of a row to the state of a column.
        self.transitions = np.full((count, count), -np.inf)
        for source, target, value in graph.edges.data("log_transition_ppb"):
            self.transitions[number[source], number[target]] = value
        self.beam_size = beam_size if beam_size is not None and beam_size < count else None

    def observed(self, reached: npt.NDArray[Any], observation: Any) -> npt.NDArray[Any]:
        """How likely states are with an observation, from how likely they are before it."""
        found = np.full(len(self.names), -np.inf)
        for state in np.flatnonzero(reached > -np.inf):
            found[state] = reached[state] + self.emissions[state](observation)
        return found

    def followed(self, likely: npt.NDArray[Any]) -> npt.NDArray[Any]:
        """The states that the next observation goes on from: all that can be, or the likeliest of them."""
        states = np.flatnonzero(likely > -np.inf)
        if self.beam_size is None or len(states) <= self.beam_size:
            return states
        return states[np.argpartition(likely[states], -self.beam_size)[-self.beam_size :]]


@trace_user_frame
def create_hmm_reducer(
    graph: nx.DiGraph, beam_size: int | None = None, num_results_kept: int | None = None
) -> type[BaseCustomAccumulator]:
    """A class of accumulators that finds the likeliest states behind observations (Viterbi decoding).

    Observations count in the order in which they come. When one is removed, the others are taken in again. If
    the model has no path to them, the result is an error.

    Args:
        graph: the model, a directed graph of `networkx`. A node is a state; its attribute
            `calc_emission_log_ppb` is a function from an observation to the logarithm of its probability
            in that state. An edge has the attribute `log_transition_ppb`. The graph itself has the attribute
            `start_nodes`, the states of the first observation.
        beam_size: only so many of the likeliest states are followed.
        num_results_kept: only so many of the last states, but at least one, are given and remembered.

    Returns:
        A class for `pw.reducers.udf_reducer`. The result is a tuple of states, one for each observation.

    Raises:
        ValueError: for a beam without states, or a model without `start_nodes`.

    >>> import math
    >>> import networkx as nx
    >>> import pathway as pw
    >>> from pathway.stdlib.ml.hmm import create_hmm_reducer
    >>> umbrellas = {"rain": {True: 0.9, False: 0.1}, "sun": {True: 0.2, False: 0.8}}
    >>> graph = nx.DiGraph()
    >>> for state, chances in umbrellas.items():
    ...     graph.add_node(state, calc_emission_log_ppb=lambda seen, c=chances: math.log(c[seen]))
    >>> for here in umbrellas:
    ...     for there in umbrellas:
    ...         graph.add_edge(here, there, log_transition_ppb=math.log(0.7 if here == there else 0.3))
    >>> graph.graph["start_nodes"] = ["rain", "sun"]
    >>> days = pw.debug.table_from_markdown('''
    ... umbrella | __time__
    ... True     | 2
    ... True     | 4
    ... False    | 6
    ... ''')
    >>> weather = pw.reducers.udf_reducer(create_hmm_reducer(graph))
    >>> pw.debug.compute_and_print(days.reduce(states=weather(days.umbrella)), include_id=False)
    states
    ('rain', 'rain', 'sun')
    """
    if beam_size is not None and beam_size < 1:
        raise ValueError(f"create_hmm_reducer: a beam has at least one state, not beam_size={beam_size}.")
    if "start_nodes" not in graph.graph:
        raise ValueError(
            "create_hmm_reducer: the graph has no attribute start_nodes: graph.graph['start_nodes']."
        )
    model = _Model(graph, beam_size)
    history = None if num_results_kept is None else max(num_results_kept - 1, 0)

    class HmmAccumulator(BaseCustomAccumulator):
        """How likely each state is now, and which state came before it at each observation."""

        def __init__(self, observation: Any) -> None:
            self.observation = observation
            self.likely = model.observed(model.start, observation)
            self.before: deque[npt.NDArray[Any]] = deque(maxlen=history)

        @classmethod
        def from_row(cls, row: list[Any]) -> HmmAccumulator:
            (observation,) = row
            return cls(observation)

        def update(self, other: HmmAccumulator) -> None:
            states = model.followed(self.likely)
            if len(states) == 0:
                return
            through = self.likely[states, None] + model.transitions[states]
            # Of states before that are equally likely, the last one.
            before = states[len(states) - 1 - through[::-1].argmax(axis=0)]
            self.before.append(before)
            self.likely = model.observed(through.max(axis=0), other.observation)

        def compute_result(self) -> tuple[Any, ...]:
            state = int(self.likely.argmax())
            if self.likely[state] == -np.inf:
                raise ValueError("the observations cannot be: in the model no path of states leads to them.")
            states = [state]
            for before in reversed(self.before):
                state = int(before[state])
                states.append(state)
            return tuple(model.names[state] for state in reversed(states))

    return HmmAccumulator
