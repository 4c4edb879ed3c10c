"""Reducers in expressions: a value per group."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from pathway._engine import DType, Expr
from pathway.internals.expression.expression import ColumnExpression
from pathway.internals.expression.nodes import operand


class ReducerExpression(ColumnExpression):
    """`pw.reducers.<name>(...)`: an aggregate of the engine."""

    __slots__ = ("_name", "_options", "_template")

    def __init__(
        self,
        name: str,
        *args: Any,
        options: Mapping[str, Any] | None = None,
        template: str = "pathway.reducers.{name}({args})",
    ) -> None:
        super().__init__(*map(operand, args))
        self._name = name
        self._options = dict(options or {})
        self._template = template

    def _lower(self, operands: Sequence[Expr]) -> Expr:
        return Expr.reducer(self._name, operands, self._options)

    def _text(self, operands: Sequence[str]) -> str:
        return self._template.format(name=self._name, args=", ".join(operands))


class CustomReducerExpression(ReducerExpression):
    """A reducer in Python: `new_group` makes the state of one group."""

    __slots__ = ("_new_group", "_return_type")

    def __init__(self, name: str, return_type: DType, new_group: Callable[[], Any], *args: Any) -> None:
        super().__init__(name, *args)
        self._return_type = return_type
        self._new_group = new_group

    def _lower(self, operands: Sequence[Expr]) -> Expr:
        return Expr.custom_reducer(self._name, self._return_type, self._new_group, operands)
