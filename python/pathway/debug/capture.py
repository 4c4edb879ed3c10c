"""Running the graph for some tables and keeping what comes out."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

from pathway._engine import ERROR, CaptureSink, Pointer
from pathway._engine import Table as EngineTable
from pathway.debug.options import debug_options
from pathway.internals.parse_graph import G
from pathway.internals.run import execute, with_taps
from pathway.internals.run_options import RunOptions
from pathway.internals.table import Table
from pathway.internals.trace import warn


class Update(NamedTuple):
    """A change of a table: a row that is added (`diff` 1) or removed (`diff` -1) at a time."""

    key: Pointer
    values: tuple[Any, ...]
    time: int
    diff: int


@dataclasses.dataclass
class Captured:
    """The update stream of a table: by time, removals first, then by id."""

    table: Table | EngineTable
    updates: list[Update]
    terminate_on_error: bool

    def final_state(self) -> dict[Pointer, tuple[Any, ...]]:
        """The rows that remain; KeyError (or a warning and errors in the row) if ids are not unique."""
        state: dict[Pointer, tuple[Any, ...]] = {}
        for key, row, _, diff in self.updates:
            problem = _apply(state, key, row, diff)
            if problem is not None:
                if self.terminate_on_error:
                    raise KeyError(problem)
                warn(problem)
                state[key] = (ERROR,) * len(row)
        return state


def _apply(
    state: dict[Pointer, tuple[Any, ...]], key: Pointer, row: tuple[Any, ...], diff: int
) -> str | None:
    if diff not in (1, -1):
        return f"{abs(diff)} equal rows have the id {key}"
    if diff == 1:
        if key in state:
            return f"two rows have the id {key}"
        state[key] = row
        return None
    if key not in state or not _same(state[key], row):
        return f"the row {list(row)} with the id {key} is removed but was not there"
    del state[key]
    return None


def _same(left: tuple[Any, ...], right: tuple[Any, ...]) -> bool:
    return all(_same_cell(a, b) for a, b in zip(left, right, strict=True))


def _same_cell(left: Any, right: Any) -> bool:
    if left is right:
        return True
    if type(left).__name__ == "ndarray" and type(right).__name__ == "ndarray":
        return left.shape == right.shape and bool(
            ((left == right) | ((left != left) & (right != right))).all()
        )
    if isinstance(left, tuple) and isinstance(right, tuple):
        return len(left) == len(right) and _same(left, right)
    if isinstance(left, float) and isinstance(right, float) and left != left:
        return right != right
    if type(left).__name__ == "PyObjectWrapper":
        return type(right).__name__ == "PyObjectWrapper"
    return bool(left == right)


def capture(*tables: Table | EngineTable, **kwargs: Any) -> list[Captured]:
    """Runs what the tables need, in one run."""
    return list(captured(tables, debug_options(**kwargs)))


def captured(
    tables: Sequence[Table | EngineTable], options: RunOptions, *, only_last: bool = False
) -> Iterator[Captured]:
    """The same, one after the other: what has been given is not kept. With `only_last`, the updates are those
    of the rows that remain."""
    sinks = []
    outputs = []
    for table in tables:
        engine = table if isinstance(table, EngineTable) else table._engine
        sink = CaptureSink([engine.column_dtype(name) for name in engine.column_names()], only_last=only_last)
        outputs.append(G.engine.output(engine, sink, keep_errors=True))
        sinks.append(sink)
    execute(with_taps(outputs, options), options)
    for table, sink in zip(tables, sinks, strict=True):
        updates = _in_order(sink.updates())
        sink.clear()
        yield Captured(table, updates, options.terminate_on_error)


def _in_order(updates: list[tuple[Any, ...]]) -> list[Update]:
    """By time, removals first, then by id."""
    ordered = [Update(*update) for update in updates]
    ordered.sort(key=lambda update: (update.time, update.diff, int(update.key)))
    return ordered
