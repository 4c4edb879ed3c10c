"""Runs a program over histories and compares it with static runs.

A `Program` is a function from tables to a table. The update stream that it produces from the histories must

* be consistent: a deletion takes back a row that is there, an insertion adds one that is not, no change
  cancels another one of the same time, and nothing happens at times at which the inputs do not change;
* be the same with 1, 2 and 4 workers;
* leave the rows that a run over the final state gives, ids included, and at any earlier time those that a run
  over the state of that time gives.
"""

from __future__ import annotations

import os
import warnings
from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from hypothesis import HealthCheck, settings

import pathway as pw
from pathway.internals.parse_graph import G

from .histories import History, Values

Program = Callable[..., pw.Table[Any]]
#: key, values, time, diff
Update = tuple[Any, Values, int, int]

WORKERS = (1, 2, 4)

_EXAMPLES = os.environ.get("PATHWAY_PROPERTY_EXAMPLES")

#: Few and always the same examples in `make test`; as many as wanted, and new ones, with the variable set.
property_settings = settings(
    max_examples=int(_EXAMPLES or 15),
    derandomize=_EXAMPLES is None,
    deadline=None,
    database=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)


def comparable(value: Any) -> Any:
    """A hashable stand-in for a cell."""
    if isinstance(value, np.ndarray):
        return ("array", value.dtype.kind, tuple(value.tolist()))
    return (type(value).__name__, value) if isinstance(value, (bool, int, float)) else value


def updates_of(build: Callable[[], pw.Table[Any]], workers: int, **run_options: Any) -> list[Update]:
    """Builds a table in a fresh graph, runs it, and returns everything that `subscribe` reports."""
    G.clear()
    updates: list[Update] = []

    def on_change(key: Any, row: dict[str, Any], time: int, is_addition: bool) -> None:
        values = tuple(comparable(value) for value in row.values())
        updates.append((key, values, time, 1 if is_addition else -1))

    before = os.environ.get("PATHWAY_THREADS")
    os.environ["PATHWAY_THREADS"] = str(workers)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            pw.io.subscribe(build(), on_change)
            pw.run(monitoring_level=pw.MonitoringLevel.NONE, **run_options)
    finally:
        if before is None:
            del os.environ["PATHWAY_THREADS"]
        else:
            os.environ["PATHWAY_THREADS"] = before
    return updates


def settle(updates: Sequence[Update], until: int | None = None) -> dict[Any, Values]:
    """Applies updates in the order in which they came, and checks that this makes sense."""
    rows: dict[Any, Values] = {}
    last = -1
    for key, values, time, diff in updates:
        assert time >= last, f"time {time} comes after {last}"
        last = time
        if until is not None and time > until:
            break
        if diff > 0:
            assert key not in rows, f"{key} inserted at {time} as {values}, but it is there as {rows[key]}"
            rows[key] = values
        else:
            assert rows.get(key) == values, f"{key} deleted at {time} as {values}, but it is {rows.get(key)}"
            del rows[key]
    cancelling = Counter((key, values, time) for key, values, time, _ in updates)
    twice = [change for change, count in cancelling.items() if count > 1]
    assert not twice, f"changes that cancel each other within one time: {twice}"
    return rows


def check_incremental(program: Program, *inputs: History, prefix: int = 0, **run_options: Any) -> None:
    """The three requirements above; `prefix` chooses the earlier time that is compared (by its number)."""
    times = sorted({time for history in inputs for time in history.times})
    reference: Counter[Update] | None = None
    for workers in WORKERS:
        updates = updates_of(
            lambda: program(*(history.as_stream() for history in inputs)), workers, **run_options
        )
        found = settle(updates)
        assert {time for _, _, time, _ in updates} <= set(times), "a change at a time without a cause"
        expected = _static(program, inputs, None, **run_options)
        assert found == expected, _difference(f"{workers} workers, final state", found, expected)
        if reference is None:
            reference = Counter(updates)
            if times:
                until = times[prefix % len(times)]
                then, expected = settle(updates, until), _static(program, inputs, until, **run_options)
                assert then == expected, _difference(f"state at time {until}", then, expected)
        assert Counter(updates) == reference, f"{workers} workers give another stream of changes than 1"


def _static(
    program: Program, inputs: Sequence[History], until: int | None, **options: Any
) -> dict[Any, Values]:
    return settle(
        updates_of(lambda: program(*(history.as_static(until) for history in inputs)), 1, **options)
    )


def _difference(what: str, found: dict[Any, Values], expected: dict[Any, Values]) -> str:
    lines = [f"{what} differs from a static run:"]
    for key in sorted(found.keys() | expected.keys()):
        if found.get(key) != expected.get(key):
            lines.append(f"  {key}: {found.get(key)}, static {expected.get(key)}")
    return "\n".join(lines)
