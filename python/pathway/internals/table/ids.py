"""Row ids: making them from values, and giving rows new ones."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from pathway._engine import Expr
from pathway.internals.expression.column import ColumnReference
from pathway.internals.expression.expression import ColumnExpression
from pathway.internals.expression.nodes import PointerFrom
from pathway.internals.resolve import TableScope
from pathway.internals.runtime_type_check import check_arg_types
from pathway.internals.table.core import TableCore
from pathway.internals.trace import current_frame, trace_user_frame

if TYPE_CHECKING:
    from pathway.internals.table import Table


_NEW_ID = "_pw_new_id"


class IdOperations(TableCore):
    """`pointer_from`, `with_id`, `with_id_from`."""

    @trace_user_frame
    @check_arg_types
    def pointer_from(self, *args: Any, optional: bool = False, instance: Any = None) -> PointerFrom:
        """The row id made of these values, as in a primary key, a group or `with_id_from`.

        With `optional`, None in any of them gives None.

        >>> import pathway as pw
        >>> t = pw.debug.table_from_markdown('''
        ... a
        ... 1
        ... ''').with_id_from(pw.this.a)
        >>> pw.debug.compute_and_print(t.select(ok=t.id == t.pointer_from(t.a)), include_id=False)
        ok
        True
        """
        return PointerFrom(self, args, optional, instance)

    @trace_user_frame
    @check_arg_types
    def with_id(self, new_index: ColumnReference) -> Table:
        """The rows under the ids in a column."""
        pointer = TableScope(cast("Table", self)).lower(new_index)
        return self._wrap(self._engine.with_id(pointer, current_frame()))

    @trace_user_frame
    def with_id_from(self, *args: Any, instance: Any = None) -> Table:
        """The rows under ids made of these values.

        >>> import pathway as pw
        >>> t = pw.debug.table_from_markdown('''
        ... shop | n
        ... A    | 1
        ... ''')
        >>> t.with_id_from(t.shop)
        <pathway.Table schema={'shop': <class 'str'>, 'n': <class 'int'>} id_type=pathway.engine.Pointer[str]>
        """
        table = cast("Table", self)
        scope = TableScope(table)
        columns: dict[str, ColumnExpression] = {column.name: column for column in table}
        columns[_NEW_ID] = PointerFrom(self, args, False, instance)
        frame = current_frame()
        keyed = self._engine.select(scope.named(columns), frame)
        moved = keyed.with_id(Expr.column(keyed, _NEW_ID), frame)
        kept = [(name, Expr.column(moved, name), frame) for name in self._names]
        return self._wrap(moved.select(kept, frame))
