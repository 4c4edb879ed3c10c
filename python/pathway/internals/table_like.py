"""`pw.TableLike`: what has rows with ids; the base of tables and joins."""

from __future__ import annotations

from typing import TypeVar

from pathway import _engine
from pathway._engine import Universe
from pathway.internals.runtime_type_check import check_arg_types
from pathway.internals.trace import trace_user_frame

_Self = TypeVar("_Self", bound="TableLike")


class TableLike:
    """Something with a set of row ids, its universe."""

    _engine: _engine.Table

    @property
    def _universe(self) -> Universe:
        return self._engine.universe

    @trace_user_frame
    @check_arg_types
    def promise_universes_are_disjoint(self: _Self, other: TableLike) -> _Self:
        """Promises that no row id is in both; `concat` needs this where it cannot be proved.

        >>> import pathway as pw
        >>> a = pw.debug.table_from_markdown('''
        ...   | v
        ... 1 | x
        ... ''')
        >>> b = pw.debug.table_from_markdown('''
        ...   | v
        ... 2 | y
        ... ''')
        >>> both = a.promise_universes_are_disjoint(b).concat(b)
        >>> pw.debug.compute_and_print(both, include_id=False)
        v
        x
        y
        """
        Universe.promise_disjoint([self._universe, other._universe])
        _show_warnings()
        return self

    @trace_user_frame
    @check_arg_types
    def promise_universe_is_subset_of(self: _Self, other: TableLike) -> _Self:
        """Promises that all row ids of this are in `other`."""
        self._universe.promise_subset_of(other._universe)
        _show_warnings()
        return self

    @trace_user_frame
    @check_arg_types
    def promise_universe_is_equal_to(self: _Self, other: TableLike) -> _Self:
        """Promises that this and `other` have the same row ids."""
        self._universe.promise_equal_to(other._universe)
        _show_warnings()
        return self


def _show_warnings() -> None:
    from pathway.internals.parse_graph import G

    with G.scoped():
        G.touch()
