"""Applications of transformers in a run: changes of tables in, changes of their outputs out."""

from __future__ import annotations

import pickle
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from pathway._engine import ERROR, Pointer
from pathway.internals.transformers.declare import OutputAttribute, members, outputs, reference
from pathway.internals.transformers.evaluate import (
    Computation,
    ErrorCellError,
    MissingRowError,
    Row,
    Rows,
)

if TYPE_CHECKING:
    from pathway.internals.transformers.apply import Application

#: Ids, columns and diffs of what changed in a table.
Changes = tuple[list[Pointer], list[list[Any]], list[int]]
#: Number of the output table, id, diff, values.
Entry = tuple[int, Pointer, int, tuple[Any, ...]]

_SHARD_MASK = 0xFFFF


class Session:
    """The state of an application, and of those whose methods it calls, in one run.

    Args:
        applications: the application whose outputs are wanted, then the others.
        parts: for each output table the number of the inner class.
    """

    def __init__(self, applications: Sequence[Application], parts: Sequence[int]) -> None:
        self._computation = Computation()
        self._tables: list[Rows] = []
        by_application: dict[int, dict[str, Rows]] = {}
        for application in applications:
            siblings = by_application[id(application)] = {}
            for inner in application.inner:
                rows = Rows(self._computation, inner.name, inner.cls, inner.columns)
                rows.siblings = siblings
                siblings[inner.name] = rows
                self._tables.append(rows)
        for application in applications:
            for inner in application.inner:
                rows = by_application[id(application)][inner.name]
                for name, source in inner.methods.items():
                    rows.methods[name] = by_application[id(source.application)][source.inner], source.method
        self._parts = {self._tables[number]: part for part, number in enumerate(parts)}
        self._emitted: dict[tuple[int, Pointer], tuple[Any, ...]] = {}
        self._outputs = {
            rows: [(member.name, isinstance(member, OutputAttribute)) for member in outputs(rows.cls)]
            for rows in self._parts
        }

    def step(self, changes: Sequence[Changes]) -> tuple[list[Entry], list[Exception]]:
        """Takes what changed in the tables; gives what changes in the outputs, and what is to be reported."""
        self._computation.begin()
        for rows, (ids, columns, diffs) in zip(self._tables, changes, strict=True):
            self._apply(rows, ids, columns, diffs)
        entries: list[Entry] = []
        raised: dict[int, Exception] = {}
        for row in self._computation.take_marked():
            part = self._parts.get(row.rows)
            if part is not None:
                self._emit(row, part, entries, raised)
        return entries, list(raised.values())

    def _apply(self, rows: Rows, ids: list[Pointer], columns: list[list[Any]], diffs: list[int]) -> None:
        added = {ids[i] for i, diff in enumerate(diffs) if diff > 0}
        for i, diff in enumerate(diffs):
            row = rows.row(ids[i])
            if diff > 0:
                self._computation.put(row, [column[i] for column in columns])
            elif ids[i] not in added:
                self._computation.remove(row)

    def _emit(self, row: Row, part: int, entries: list[Entry], raised: dict[int, Exception]) -> None:
        place = part, row.id
        before = self._emitted.pop(place, None)
        after = None if row.values is None else self._output(row, raised)
        if before is not None:
            entries.append((part, row.id, -1, before))
        if after is not None:
            self._emitted[place] = after
            entries.append((part, row.id, 1, after))

    def _output(self, row: Row, raised: dict[int, Exception]) -> tuple[Any, ...] | None:
        """The output row; None if a row that it needs does not exist."""
        instance = reference(row.rows, row.id)
        known = members(row.rows.cls)
        values: list[Any] = []
        missing = False
        for name, is_attribute in self._outputs[row.rows]:
            member = known[name]
            try:
                value = member.value(instance, is_output=True) if is_attribute else row.id  # type: ignore[attr-defined]
            except ErrorCellError:
                value = ERROR
            except Exception as error:
                # The same exception for all that depend on where it arose.
                is_missing = isinstance(error, MissingRowError)
                raised.setdefault(id(error), KeyError(str(error)) if is_missing else error)
                missing |= is_missing
                value = ERROR
            values.append(value)
        return None if missing else tuple(values)

    # --- state ------------------------------------------------------------------------------------

    def save(self, start: int, end: int) -> list[tuple[Pointer, bytes]]:
        """The rows, and what was made of them, of ids whose shard is in a range."""
        saved = []
        for number, rows in enumerate(self._tables):
            for row in rows:
                if row.values is not None and start <= int(row.id) & _SHARD_MASK < end:
                    part = self._parts.get(rows)
                    emitted = None if part is None else self._emitted.get((part, row.id))
                    saved.append((row.id, pickle.dumps((number, row.values, emitted), protocol=4)))
        return saved

    def load(self, state: Sequence[tuple[Pointer, bytes]]) -> None:
        """Takes up saved rows; their outputs are computed anew at the next step."""
        for row_id, data in state:
            number, values, emitted = pickle.loads(data)
            rows = self._tables[number]
            self._computation.put(rows.row(row_id), values)
            part = self._parts.get(rows)
            if part is not None and emitted is not None:
                self._emitted[part, row_id] = emitted
