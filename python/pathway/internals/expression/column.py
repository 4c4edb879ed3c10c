"""`pw.ColumnReference`: a column of a table, of a join, or of `pw.this`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from pathway._engine import Expr
from pathway.internals.expression.expression import ColumnExpression


class ColumnReference(ColumnExpression):
    """A column by name.

    >>> import pathway as pw
    >>> t = pw.debug.table_from_markdown("a\\n1")
    >>> t.a.name, t.a.table is t
    ('a', True)
    """

    __slots__ = ("_name", "_table")

    def __init__(self, table: Any, name: str) -> None:
        super().__init__()
        self._table = table
        self._name = name

    @property
    def table(self) -> Any:
        """The table whose column it is."""
        return self._table

    @property
    def name(self) -> str:
        """The name of the column."""
        return self._name

    @property
    def _is_row_id(self) -> bool:
        """True for `table.id`."""
        return self._name == "id"

    def __call__(self, *args: Any, **kwargs: Any) -> ColumnExpression:
        """The results of a column of methods, which a transformer made, for these arguments."""
        from pathway.internals.transformers.apply import MethodCall

        return MethodCall(self, args, kwargs)

    def _lower(self, operands: Sequence[Expr]) -> Expr:
        raise AssertionError("a column means something only in the scope of a table")

    def _text(self, operands: Sequence[str]) -> str:
        return f"{operands[0]}.{self._name}"


class ColumnNamedId(ColumnReference):
    """The column that a table has under the name `id`, where `table.id` stands for the row ids."""

    __slots__ = ()

    @property
    def _is_row_id(self) -> bool:
        """False: it is a column like others."""
        return False


def column_named(table: Any, name: str) -> ColumnReference:
    """A column that the table has, whatever its name."""
    return ColumnNamedId(table, name) if name == "id" else ColumnReference(table, name)
