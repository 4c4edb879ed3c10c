"""Expressions of columns: the nodes, their namespaces, their text."""

from pathway.internals.expression.column import ColumnReference
from pathway.internals.expression.expression import ColumnExpression
from pathway.internals.expression.reducer import ReducerExpression

__all__ = ["ColumnExpression", "ColumnReference", "ReducerExpression"]
