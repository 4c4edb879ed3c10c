"""The text of expressions, with tables numbered by first appearance."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from pathway.internals.expression.column import ColumnReference
from pathway.internals.expression.expression import ColumnExpression
from pathway.internals.expression.nodes import PointerFrom
from pathway.internals.expression.walk import fold, nodes_of


class TableNames:
    """Names for the tables of one printed text: `<table1>`, `<table2>`, …"""

    def __init__(self) -> None:
        self._names: dict[int, str] = {}
        self.tables: list[Any] = []

    def of(self, table: Any) -> str:
        """The name of a table; placeholders have their own."""
        own = getattr(type(table), "_expression_text", None)
        if own is not None:
            return str(own(table))
        if id(table) not in self._names:
            self.tables.append(table)
            self._names[id(table)] = f"<table{len(self.tables)}>"
        return self._names[id(table)]

    def text(self, expression: ColumnExpression) -> str:
        """The text of an expression."""
        for node in nodes_of(expression):
            if isinstance(node, (ColumnReference, PointerFrom)):
                self.of(node._table)
        return fold(expression, self._text_of_node)

    def _text_of_node(self, node: ColumnExpression, operands: Sequence[str]) -> str:
        if isinstance(node, (ColumnReference, PointerFrom)):
            return node._text([self.of(node._table), *operands])
        return node._text(operands)


def expression_text(expression: ColumnExpression) -> str:
    """The `repr` of an expression."""
    return TableNames().text(expression)


def expression_info(expression: ColumnExpression) -> str:
    """What a type error tells about the expression it is about."""
    names = TableNames()
    lines = ["It refers to the following expression:", "\t" + names.text(expression)]
    location = expression._location
    if location is not None:
        lines.append(f"called in {location.file}:{location.line}")
    if names.tables:
        lines.append("with tables:")
    for table in names.tables:
        created = getattr(table, "_location", None)
        where = "" if created is None else f" created in {created.file}:{created.line}"
        lines.append(f"\t{names.of(table)}{where}")
    return "\n".join(lines)
