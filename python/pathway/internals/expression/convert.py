"""Conversions of types: `cast`, `declare_type`, and `make_tuple`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from pathway._engine import DType, Expr
from pathway.internals import dtype as dt
from pathway.internals.expression.expression import ColumnExpression
from pathway.internals.expression.nodes import MakeTuple, operand
from pathway.internals.trace import trace_user_frame, warn


class Cast(ColumnExpression):
    """Values converted to another type."""

    __slots__ = ("_target",)

    def __init__(self, target: DType, value: ColumnExpression) -> None:
        super().__init__(value)
        self._target = target

    def _lower(self, operands: Sequence[Expr]) -> Expr:
        (value,) = operands
        if dt.unoptionalize(self._target) is dt.BOOL and dt.unoptionalize(value.dtype) is dt.STR:
            warn(
                f"{self!r} is True for every text but the empty one, 'False' included. "
                "Use .str.parse_bool() to read truth values."
            )
        return value.cast(self._target)

    def _text(self, operands: Sequence[str]) -> str:
        return f"pathway.cast({self._target}, {operands[0]})"


class DeclareType(ColumnExpression):
    """The same values under another type."""

    __slots__ = ("_target",)

    def __init__(self, target: DType, value: ColumnExpression) -> None:
        super().__init__(value)
        self._target = target

    def _lower(self, operands: Sequence[Expr]) -> Expr:
        return operands[0].declare_type(self._target)

    def _text(self, operands: Sequence[str]) -> str:
        return f"pathway.declare_type({self._target}, {operands[0]})"


@trace_user_frame
def cast(target_type: Any, col: Any) -> ColumnExpression:
    """The values of `col` converted to `target_type`, between int, float, bool and str.

    >>> import pathway as pw
    >>> t = pw.debug.table_from_markdown('''
    ... a
    ... 1.5
    ... 2.0
    ... ''')
    >>> pw.debug.compute_and_print(t.select(b=pw.cast(int, t.a)), include_id=False)
    b
    1
    2
    """
    return Cast(dt.wrap(target_type), operand(col))


@trace_user_frame
def declare_type(target_type: Any, col: Any) -> ColumnExpression:
    """`col` under a wider or narrower type; the values stay as they are.

    >>> import pathway as pw
    >>> import typing
    >>> t = pw.debug.table_from_markdown('''
    ... a
    ... 1
    ... ''')
    >>> t.select(b=pw.declare_type(typing.Any, t.a))
    <pathway.Table schema={'b': typing.Any}>
    """
    return DeclareType(dt.wrap(target_type), operand(col))


@trace_user_frame
def make_tuple(*args: Any) -> ColumnExpression:
    """A tuple of the arguments.

    >>> import pathway as pw
    >>> t = pw.debug.table_from_markdown('''
    ... a | b
    ... 1 | x
    ... ''')
    >>> pw.debug.compute_and_print(t.select(c=pw.make_tuple(t.a, t.b, None)), include_id=False)
    c
    (1, 'x', None)
    """
    return MakeTuple(*map(operand, args))
