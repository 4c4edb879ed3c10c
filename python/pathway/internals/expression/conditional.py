"""Expressions that choose: `if_else`, `coalesce`, `require`, `unwrap`, `fill_error`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from pathway._engine import Expr
from pathway.internals.expression.column import ColumnReference
from pathway.internals.expression.expression import ColumnExpression
from pathway.internals.expression.nodes import Constant, NoneTest, operand
from pathway.internals.trace import trace_user_frame

if TYPE_CHECKING:
    from pathway.internals.resolve import Narrowed, Scope


class IfElse(ColumnExpression):
    """One of two values by a condition."""

    __slots__ = ()

    def _narrowed_operands(self, scope: Scope, narrowed: Narrowed) -> Sequence[Narrowed] | None:
        condition = self._operands[0]
        if not isinstance(condition, NoneTest) or not isinstance(condition._operands[0], ColumnReference):
            return None
        there = narrowed | scope.not_none(condition._operands[0])
        branches = [narrowed, there] if condition._for_none else [there, narrowed]
        return [narrowed, *branches]

    def _lower(self, operands: Sequence[Expr]) -> Expr:
        return Expr.if_else(operands[0], operands[1], operands[2])

    def _text(self, operands: Sequence[str]) -> str:
        return f"pathway.if_else({', '.join(operands)})"


class Coalesce(ColumnExpression):
    """The first value that is not None."""

    __slots__ = ()

    def _lower(self, operands: Sequence[Expr]) -> Expr:
        return Expr.coalesce(operands)

    def _text(self, operands: Sequence[str]) -> str:
        return f"pathway.coalesce({', '.join(operands)})"


class Require(ColumnExpression):
    """The first operand, or None where one of the others is None."""

    __slots__ = ()

    def _narrowed_operands(self, scope: Scope, narrowed: Narrowed) -> Sequence[Narrowed] | None:
        there = narrowed
        for dependency in self._operands[1:]:
            if isinstance(dependency, ColumnReference):
                there |= scope.not_none(dependency)
        return [there, *[narrowed] * (len(self._operands) - 1)]

    def _lower(self, operands: Sequence[Expr]) -> Expr:
        return Expr.require(operands[0], operands[1:])

    def _text(self, operands: Sequence[str]) -> str:
        return f"pathway.require({', '.join(operands)})"


class Unwrap(ColumnExpression):
    """The value, which must not be None."""

    __slots__ = ()

    def _lower(self, operands: Sequence[Expr]) -> Expr:
        return operands[0].unwrap()

    def _text(self, operands: Sequence[str]) -> str:
        return f"pathway.unwrap({operands[0]})"


class FillError(ColumnExpression):
    """The value, or the replacement where it is an error."""

    __slots__ = ()

    def _lower(self, operands: Sequence[Expr]) -> Expr:
        return operands[0].fill_error(operands[1])

    def _text(self, operands: Sequence[str]) -> str:
        return f"pathway.fill_error({', '.join(operands)})"


@trace_user_frame
def if_else(if_clause: Any, then_clause: Any, else_clause: Any) -> ColumnExpression:
    """`then_clause` where `if_clause` is true, else `else_clause`; only the chosen one is evaluated.

    >>> import pathway as pw
    >>> t = pw.debug.table_from_markdown('''
    ... a | b
    ... 1 | 0
    ... 6 | 3
    ... ''')
    >>> pw.debug.compute_and_print(t.select(q=pw.if_else(t.b != 0, t.a // t.b, -1)), include_id=False)
    q
    -1
    2
    """
    return IfElse(operand(if_clause), operand(then_clause), operand(else_clause))


@trace_user_frame
def coalesce(*args: Any) -> ColumnExpression:
    """The first argument that is not None.

    >>> import pathway as pw
    >>> t = pw.debug.table_from_markdown('''
    ...   | a | b
    ... 1 | 1 | 7
    ... 2 |   | 8
    ... ''')
    >>> pw.debug.compute_and_print(t.select(c=pw.coalesce(t.a, t.b)), include_id=False)
    c
    1
    8
    """
    if not args:
        raise AssertionError("pw.coalesce() needs at least one argument")
    operands = [operand(arg) for arg in args]
    useful = [node for node in operands if not (isinstance(node, Constant) and node._value is None)]
    return Coalesce(*(useful or operands[:1]))


@trace_user_frame
def require(val: Any, *deps: Any) -> ColumnExpression:
    """`val`, or None where one of `deps` is None; inside `val` the columns in `deps` are not Optional.

    >>> import pathway as pw
    >>> t = pw.debug.table_from_markdown('''
    ...   | a | b
    ... 1 | 1 | 7
    ... 2 |   | 8
    ... ''')
    >>> pw.debug.compute_and_print(t.select(c=pw.require(t.a + t.b, t.a)), include_id=False)
    c
    None
    8
    """
    return Require(operand(val), *map(operand, deps))


@trace_user_frame
def unwrap(col: Any) -> ColumnExpression:
    """The value under its non-Optional type; None is an error.

    >>> import pathway as pw
    >>> t = pw.debug.table_from_rows(pw.schema_from_types(a=int | None), [(1,)])
    >>> t.select(a=pw.unwrap(t.a))
    <pathway.Table schema={'a': <class 'int'>}>
    """
    return Unwrap(operand(col))


@trace_user_frame
def fill_error(col: Any, replacement: Any) -> ColumnExpression:
    """`col`, or `replacement` where computing `col` failed.

    >>> import pathway as pw
    >>> t = pw.debug.table_from_markdown('''
    ... a | b
    ... 1 | 0
    ... 6 | 3
    ... ''')
    >>> pw.debug.compute_and_print(t.select(q=pw.fill_error(t.a // t.b, -1)), include_id=False)
    q
    -1
    2
    """
    return FillError(operand(col), operand(replacement))
