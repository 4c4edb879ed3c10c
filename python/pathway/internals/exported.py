"""Tables whose rows the program itself looks at, while a run goes on or after it."""

from __future__ import annotations

import contextlib
import functools
import threading
from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any, Final

from pathway._engine import CallbackSink, Pointer
from pathway.internals.parse_graph import G
from pathway.internals.trace import current_frame

if TYPE_CHECKING:
    from pathway.internals.table import Table


@functools.total_ordering
class _Done:
    """The frontier of a table that changes no more: greater than every time.

    >>> DONE > 7, DONE == DONE, DONE < 10**30
    (True, True, False)
    """

    def __eq__(self, other: object) -> bool:
        return self is other

    def __hash__(self) -> int:
        return hash("DONE")

    def __lt__(self, other: object) -> bool:
        return False

    def __repr__(self) -> str:
        return "DONE"


#: The frontier of a table that changes no more.
DONE: Final = _Done()

#: A time, or the end of time.
Frontier = int | _Done
#: A row: its id and the values of its columns.
Row = tuple[Pointer, list[Any]]
#: By id the rows, mostly one.
Rows = dict[Pointer, list[list[Any]]]
#: The time, the id and the values of a row, whether it was added.
Change = tuple[int, Pointer, list[Any], bool]


def add_up(rows: Rows, changes: Iterable[Change], frontier: Frontier) -> None:
    """Makes of rows what they are after the changes before a frontier; of one time, removals come first."""
    for time, key, values, is_addition in changes:
        if frontier <= time:
            break
        of_key = rows.setdefault(key, [])
        if is_addition:
            of_key.append(values)
        else:
            of_key.pop(0)
        if not of_key:
            del rows[key]


def in_order(rows: Rows) -> list[Row]:
    """The rows by id."""
    return [(key, values) for key in sorted(rows) for values in rows[key]]


class ExportedTable:
    """The rows of a table by time, as far as runs have come with it.

    Changes before the frontier that was told last are added up, so this takes as much memory as the rows, and
    the changes since.
    """

    def __init__(self, table: Table) -> None:
        self.table = table
        self._lock = threading.Lock()
        self._begin()
        dtypes = table._dtypes()
        sink = CallbackSink(
            list(dtypes),
            list(dtypes.values()),
            on_change=self._on_change,
            on_time_end=self._on_time_end,
            on_end=self._on_end,
        )
        self.output = G.engine.output(table._engine, sink, frame=current_frame())
        G.add_output(self.output)

    def _begin(self) -> None:
        #: The rows by changes before `_since`.
        self._rows: Rows = {}
        self._since = 0
        #: Later changes.
        self._changes: list[Change] = []
        self._frontier: Frontier = 0
        self._failed = False

    def begin(self) -> None:
        """A run begins: it tells everything anew."""
        with self._lock:
            self._begin()

    def fail(self) -> None:
        """The run has failed."""
        with self._lock:
            self._failed = True

    def frontier(self) -> Frontier:
        """The least time that may still change, as far as this table has changed; DONE at the end.

        Snapshots are of this frontier or of later ones from now on.
        """
        with self._lock:
            if isinstance(self._frontier, int):
                self._forget_before(self._frontier)
            return self._frontier

    def snapshot_at(self, frontier: Frontier) -> list[Row]:
        """The rows by all changes before a frontier, by id.

        Raises:
            ValueError: a later frontier was told, and how the rows were before is forgotten.
        """
        with self._lock:
            if isinstance(frontier, int) and frontier < self._since:
                raise ValueError(
                    f"the rows before {frontier} are forgotten: snapshots are of the frontier that was told "
                    f"last ({self._since}) or of later ones."
                )
            rows = self._rows_before(frontier)
        return in_order(rows)

    def failed(self) -> bool:
        """True if the last run with this table has failed."""
        with self._lock:
            return self._failed

    def _rows_before(self, frontier: Frontier) -> Rows:
        rows = {key: list(of_key) for key, of_key in self._rows.items()}
        add_up(rows, self._changes, frontier)
        return rows

    def _forget_before(self, frontier: int) -> None:
        self._rows = self._rows_before(frontier)
        self._changes = [change for change in self._changes if change[0] >= frontier]
        self._since = frontier

    def _on_change(self, key: Pointer, row: dict[str, Any], time: int, is_addition: bool) -> None:
        with self._lock:
            self._changes.append((time, key, list(row.values()), is_addition))

    def _on_time_end(self, time: int) -> None:
        with self._lock:
            self._frontier = time + 1

    def _on_end(self) -> None:
        with self._lock:
            self._frontier = DONE


def exported(table: Table) -> ExportedTable:
    """What runs from now on know of a table's rows."""
    found = G.exported.get(id(table))
    if found is None:
        found = G.exported[id(table)] = ExportedTable(table)
    return found


@contextlib.contextmanager
def told_to_exports(outputs: Sequence[int] | None) -> Iterator[None]:
    """Exported tables among these outputs, or all, begin anew with a run and learn that it has failed."""
    told = [one for one in list(G.exported.values()) if outputs is None or one.output in outputs]
    for one in told:
        one.begin()
    try:
        yield
    except Exception:
        for one in told:
            one.fail()
        raise
