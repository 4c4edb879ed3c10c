"""`ix` and `ix_ref`: rows of a table by their ids."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from pathway.internals.expression.column import ColumnReference
from pathway.internals.expression.expression import ColumnExpression
from pathway.internals.expression.nodes import PointerFrom, operand
from pathway.internals.expression.reducer import ReducerExpression
from pathway.internals.expression.walk import nodes_of
from pathway.internals.resolve import Scope, TableScope
from pathway.internals.runtime_type_check import check_arg_types
from pathway.internals.table.core import TableCore
from pathway.internals.thisclass import DerivedPlaceholder, Placeholder
from pathway.internals.trace import current_frame, trace_user_frame

if TYPE_CHECKING:
    from pathway.internals.table import Table


class IndexOperations(TableCore):
    """Looking up rows for the rows of another table."""

    @trace_user_frame
    @check_arg_types
    def ix(
        self, expression: Any, *, optional: bool = False, context: Any = None, allow_misses: bool = False
    ) -> Any:
        """For each row of the asking table, the row of this table that `expression` names.

        The asking table is `context`, or the table in `expression`, or, where that is `pw.this`, the
        table of the operation.

        Args:
            expression: pointers to rows of this table.
            optional: a None pointer gives a row of None.
            context: the asking table.
            allow_misses: a pointer to no row gives a row of None.

        >>> import pathway as pw
        >>> people = pw.debug.table_from_markdown('''
        ...   | name  | boss
        ... 1 | Alice | 1
        ... 2 | Bob   | 1
        ... ''').with_columns(boss=pw.this.pointer_from(pw.this.boss))
        >>> pw.debug.compute_and_print(
        ...     people.select(people.name, boss=people.ix(people.boss).name), include_id=False
        ... )
        name  | boss
        Alice | Alice
        Bob   | Alice
        """
        flags = {"optional": optional, "allow_misses": allow_misses}
        return self._indexed("ix", (expression,), operand(expression), context, flags)

    @trace_user_frame
    @check_arg_types
    def ix_ref(
        self,
        *args: Any,
        optional: bool = False,
        context: Any = None,
        instance: Any = None,
        allow_misses: bool = False,
    ) -> Any:
        """For each row of the asking table, the row of this table whose id is made of these values.

        Without values it is the only row of a table made by `reduce`.

        >>> import pathway as pw
        >>> t = pw.debug.table_from_markdown('''
        ... shop | n
        ... A    | 2
        ... A    | 6
        ... B    | 1
        ... ''')
        >>> sums = t.groupby(t.shop).reduce(t.shop, total=pw.reducers.sum(t.n))
        >>> parts = t.select(t.shop, part=t.n / sums.ix_ref(t.shop).total)
        >>> pw.debug.compute_and_print(parts, include_id=False)
        shop | part
        A    | 0.25
        A    | 0.75
        B    | 1.0
        """
        pointer = PointerFrom(self, args, optional, instance)
        flags = {"optional": optional, "allow_misses": allow_misses, "instance": instance}
        return self._indexed("ix_ref", args, pointer, context, flags)

    def _indexed(
        self,
        method: str,
        args: tuple[Any, ...],
        pointer: ColumnExpression,
        context: Any,
        flags: dict[str, Any],
    ) -> Any:
        asking = context
        if asking is None:
            asking = _asking_table(pointer, cast("Table", self))
        elif not isinstance(asking, (Placeholder, TableCore)):
            raise TypeError(
                f"Table.{method}(): parameter context={asking!r} violates type hint Table: the asking "
                f"table is expected, not a value of type {type(asking).__name__}."
            )
        later = DerivedPlaceholder(self, method, args, flags)
        if asking is None or isinstance(asking, Placeholder):
            return later
        if any(isinstance(node, ReducerExpression) for node in nodes_of(pointer)):
            return later  # the groups ask, in reduce()
        found = self._lookup(pointer, flags, asking._key_scope())
        found._asking = asking
        found._lookup_of_groups = later
        return found

    def _key_scope(self) -> TableScope:
        return TableScope(cast("Table", self))

    def _ix_in_scope(self, method: str, args: tuple[Any, ...], kwargs: dict[str, Any], scope: Scope) -> Table:
        """The rows that a placeholder's pointers name, once the scope is known."""
        pointer = operand(args[0]) if method == "ix" else self._pointer(args, kwargs)
        return self._lookup(pointer, kwargs, scope)

    def _pointer(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> PointerFrom:
        return PointerFrom(self, args, kwargs.get("optional", False), kwargs.get("instance"))

    def _lookup(self, pointer: ColumnExpression, flags: dict[str, Any], scope: Scope) -> Table:
        from pathway.internals.table import Table

        engine = self._engine.ix(
            scope.lower(pointer),
            scope.base,
            optional=flags.get("optional", False),
            allow_misses=flags.get("allow_misses", False),
            frame=current_frame(),
        )
        return Table(engine)


def _asking_table(pointer: ColumnExpression, indexed: Table) -> Any:
    """The table whose columns the pointers are made of; None if they are all of placeholders."""
    asking: Any = None
    for node in nodes_of(pointer):
        if not isinstance(node, ColumnReference) or isinstance(node.table, Placeholder):
            continue
        if asking is None:
            asking = node.table
        elif asking is not node.table and asking._universe != node.table._universe:
            raise ValueError(
                f"the pointers {pointer!r} are made of columns of tables with different rows, so it "
                "is unclear "
                "for which rows to look them up; name the asking table with context=."
            )
    return asking
