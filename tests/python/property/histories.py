"""Random histories: rows that are inserted, updated and deleted, the changes spread over a few times."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from hypothesis import strategies as st

import pathway as pw

Values = tuple[Any, ...]


@dataclass(frozen=True)
class Change:
    """A row with key `k` is there from `time` on (`diff` 1), or no longer (`diff` -1)."""

    k: int
    values: Values
    time: int
    diff: int


@dataclass(frozen=True)
class History:
    """The changes of one table. Its columns are `k`, the primary key, and those of `types`."""

    types: Mapping[str, Any]
    changes: tuple[Change, ...]

    @property
    def times(self) -> list[int]:
        """The times at which anything may change."""
        return sorted({change.time for change in self.changes})

    def state(self, until: int | None = None) -> dict[int, Values]:
        """The rows that are there after the changes up to and including a time; by default after all."""
        rows: dict[int, Values] = {}
        for change in self.changes:
            if until is not None and change.time > until:
                continue
            if change.diff > 0:
                rows[change.k] = change.values
            else:
                del rows[change.k]
        return rows

    @property
    def schema(self) -> type[pw.Schema]:
        """`k` as the primary key, and the columns."""
        key = {"k": pw.column_definition(dtype=int, primary_key=True)}
        return pw.schema_builder({**key, **{n: pw.column_definition(dtype=t) for n, t in self.types.items()}})

    def as_stream(self) -> pw.Table[Any]:
        """A table that goes through all the changes."""
        if not self.changes:
            return self.as_static()
        rows = [(change.k, *change.values, change.time, change.diff) for change in self.changes]
        return pw.debug.table_from_rows(self.schema, rows, is_stream=True)

    def as_static(self, until: int | None = None) -> pw.Table[Any]:
        """A table that has had its final rows (or those of an earlier time) from the start."""
        rows = [(k, *values) for k, values in self.state(until).items()]
        return pw.debug.table_from_rows(self.schema, rows)


#: a column: its type and the values that are tried
Column = tuple[Any, st.SearchStrategy[Any]]

small_int: Column = (int, st.integers(-3, 3))
maybe_int: Column = (int | None, st.none() | st.integers(-2, 2))
#: multiples of 1/4 add up exactly in any order
quarter: Column = (float, st.integers(-8, 8).map(lambda n: n / 4))
letter: Column = (str, st.sampled_from(["", "a", "b", "ż", "long enough not to be stored inline"]))
flag: Column = (bool, st.booleans())
numbers: Column = (list[int], st.lists(st.integers(0, 3), max_size=3).map(tuple))
#: the key of a row of another table, which may or may not be there
reference: Column = (int, st.integers(0, 4))


@st.composite
def histories(
    draw: st.DrawFn, *, keys: int = 5, offset: int = 0, max_changes: int = 14, **columns: Column
) -> History:
    """A history over at most `keys` rows (keys from `offset` on) with changes at up to five times.

    Several changes of a row may fall on one time; a row may come and go within it.
    """
    rows: dict[int, Values] = {}
    changes: list[Change] = []
    time = 2
    values = st.tuples(*(strategy for _, strategy in columns.values()))
    for _ in range(draw(st.integers(0, max_changes))):
        time += 2 * draw(st.sampled_from([0, 0, 0, 1]))
        k = offset + draw(st.integers(0, keys - 1))
        before = rows.get(k)
        if before is not None:
            changes.append(Change(k, before, time, -1))
            del rows[k]
        if before is None or draw(st.booleans()):
            rows[k] = draw(values)
            changes.append(Change(k, rows[k], time, 1))
    return History({name: kind for name, (kind, _) in columns.items()}, tuple(changes))
