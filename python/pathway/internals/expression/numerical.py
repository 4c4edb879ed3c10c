"""`.num`: functions of numbers."""

from __future__ import annotations

from typing import Any

from pathway.internals.expression.expression import ColumnExpression
from pathway.internals.expression.nodes import MethodCall
from pathway.internals.trace import trace_user_frame


class NumericalNamespace:
    """Functions of INT and FLOAT columns, reached as `column.num`."""

    __slots__ = ("_expression",)

    def __init__(self, expression: ColumnExpression) -> None:
        self._expression = expression

    def abs(self) -> ColumnExpression:
        """The absolute value.

        >>> import pathway as pw
        >>> t = pw.debug.table_from_markdown('''
        ... a
        ... -3
        ... ''')
        >>> pw.debug.compute_and_print(t.select(b=t.a.num.abs()), include_id=False)
        b
        3
        """
        return MethodCall("num.abs", self._expression)

    def round(self, decimals: Any = 0) -> ColumnExpression:
        """Rounded to `decimals` digits after the point; halves go to the even neighbour."""
        return MethodCall("num.round", self._expression, decimals)

    @trace_user_frame
    def fill_na(self, default_value: float) -> ColumnExpression:
        """`default_value` where the number is None or nan.

        >>> import pathway as pw
        >>> t = pw.debug.table_from_rows(pw.schema_from_types(a=float | None), [(1.5,), (None,)])
        >>> pw.debug.compute_and_print(t.select(b=t.a.num.fill_na(0)), include_id=False)
        b
        0.0
        1.5
        """
        return MethodCall("num.fill_na", self._expression, default_value, shown=())
