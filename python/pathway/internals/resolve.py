"""From expressions to the engine's: what columns and placeholders mean in an operation.

Each operation evaluates its expressions in a [`Scope`][]: it knows the table whose rows are visited,
what `pw.this` stands for, and which columns may be read. [`Scope.lower`][] walks a tree once; nodes
that are shared stay shared, also between the columns of one operation.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

from pathway import _engine
from pathway._engine import Expr
from pathway.internals.expression.column import ColumnReference
from pathway.internals.expression.expression import ColumnExpression
from pathway.internals.expression.nodes import Constant
from pathway.internals.expression.printing import TableNames, expression_info
from pathway.internals.thisclass import Placeholder
from pathway.internals.trace import current_frame

if TYPE_CHECKING:
    from pathway.internals.table import Table

#: A column of an engine table, by its place.
ColumnKey = tuple[int, str]
#: Columns that are known not to be None where an expression is evaluated.
Narrowed = frozenset[ColumnKey]

_NOTHING: Narrowed = frozenset()


class Scope:
    """The place where expressions are evaluated: one row of `base` after another."""

    def __init__(self, base: _engine.Table) -> None:
        self.base = base
        self.derived: WeakKeyDictionary[Placeholder, Any] = WeakKeyDictionary()
        self._lowered: dict[tuple[int, Narrowed], Expr] = {}
        self._kept: list[ColumnExpression] = []

    # --- what a kind of scope defines -------------------------------------------------------------

    def placeholder(self, kind: str) -> Any:
        """What `pw.this`, `pw.left` or `pw.right` stands for."""
        raise TypeError(f"pw.{kind} stands for nothing here; it is meant for joins.")

    def column(self, reference: ColumnReference) -> Expr:
        """The engine's expression for a column that is not one of a placeholder."""
        raise NotImplementedError

    def key(self, reference: ColumnReference) -> ColumnKey:
        """A key that two references to one column share."""
        return id(reference.table), reference.name

    def not_none(self, reference: ColumnReference) -> Narrowed:
        """The columns that are not None where `reference` is not."""
        return frozenset((self.key(self.resolve(reference)),))

    def substitute(self, node: ColumnExpression) -> Expr | None:
        """The engine's expression for a node that means something else here."""
        return None

    def typed(self, node: ColumnExpression, lowered: Expr) -> Expr:
        """What was made of a node, where more is known about its type here."""
        return lowered

    # --- resolving and lowering -------------------------------------------------------------------

    def resolve(self, reference: ColumnReference) -> ColumnReference:
        """The reference with placeholders replaced by what they stand for."""
        while isinstance(reference.table, Placeholder):
            reference = reference.table._columns(self)[reference.name]
        return reference

    def lower(self, expression: ColumnExpression) -> Expr:
        """The engine's expression, typed; raises TypeError and other errors of the user's making."""
        self._kept.append(expression)  # identities of its nodes are keys as long as the scope lives
        lowered = self._lowered
        stack = [(expression, _NOTHING)]
        while stack:
            node, narrowed = stack[-1]
            place = (id(node), narrowed)
            if place in lowered:
                stack.pop()
                continue
            known = self._leaf(node, narrowed)
            if known is not None:
                lowered[place] = known
                stack.pop()
                continue
            inside = node._narrowed_operands(self, narrowed) or [narrowed] * len(node._operands)
            parts = list(zip(node._operands, inside, strict=True))
            waiting = [part for part in parts if (id(part[0]), part[1]) not in lowered]
            if waiting:
                stack.extend(reversed(waiting))
                continue
            operands = [lowered[id(operand), known] for operand, known in parts]
            lowered[place] = self.typed(node, _build(node, operands, self.base))
            stack.pop()
        return lowered[id(expression), _NOTHING]

    def _leaf(self, node: ColumnExpression, narrowed: Narrowed) -> Expr | None:
        substituted = self.substitute(node)
        if substituted is not None or not isinstance(node, ColumnReference):
            return substituted
        reference = self.resolve(node)
        lowered = self.column(reference)
        return lowered.narrow() if self.key(reference) in narrowed else lowered

    def named(self, columns: dict[str, ColumnExpression]) -> list[_engine.NamedExpr]:
        """The columns as the engine takes them: name, expression, the line of the operation."""
        here = current_frame()
        return [(name, self.lower(expression), here) for name, expression in columns.items()]


def _build(node: ColumnExpression, operands: Sequence[Expr], base: _engine.Table) -> Expr:
    try:
        return node._lower_over(base, operands)
    except (TypeError, AttributeError, IndexError) as error:
        if isinstance(node, Constant) or type(error) not in (TypeError, AttributeError, IndexError):
            raise
        raise type(error)(f"{error}\n{expression_info(node)}") from None


class TableScope(Scope):
    """Expressions over the rows of a table.

    Columns may also be those of another table that is known to have all these rows: it is restricted to them.
    """

    def __init__(self, table: Table) -> None:
        super().__init__(table._engine)
        self.table = table

    def placeholder(self, kind: str) -> Any:
        return self.table if kind == "this" else super().placeholder(kind)

    def column(self, reference: ColumnReference) -> Expr:
        table = checked_table(reference)
        if table._engine.universe == self.base.universe:
            return place_of(table._engine, reference)
        restricted = self.table._restricted.get(table)
        if restricted is None:
            restricted = self._restricted(table._engine)
            if restricted is None:
                raise foreign_universe(reference, self.table)
            self.table._restricted[table] = restricted
        return place_of(restricted, reference)

    def _restricted(self, other: _engine.Table) -> _engine.Table | None:
        """The rows of another table that are visited; None if it is not known to have all of them."""
        if not self.base.universe.is_subset_of(other.universe):
            return None
        equal = other.universe.is_subset_of(self.base.universe)
        align = other.with_universe_of if equal else other.restrict
        return align(self.base, current_frame())


def place_of(table: _engine.Table, reference: ColumnReference) -> Expr:
    """What a reference to a column, or to the row ids, is in the engine's table."""
    return Expr.id(table) if reference._is_row_id else Expr.column(table, reference.name)


def checked_table(reference: ColumnReference) -> Table:
    """The table of a reference; a join is none."""
    from pathway.internals.table import Table

    if not isinstance(reference.table, Table):
        raise ValueError(
            f"{reference!r} belongs to a {type(reference.table).__name__}; such columns can be used "
            "only in its "
            "own select(), filter(), groupby() or reduce()."
        )
    return reference.table


def foreign_universe(reference: ColumnReference, table: Any) -> ValueError:
    """The error for a column whose table has other rows than the one visited."""
    names = TableNames()
    text, own = names.text(reference), names.of(table)
    other = names.of(reference.table)
    return ValueError(
        f"{text} cannot be used for the rows of {own}: the universes of {other} and {own}, their sets of row "
        f"ids, are different. If you are sure that they are equal, write "
        f"{other}.with_universe_of({own}).{reference.name}; otherwise join the tables or use {other}.ix(...)."
    )
