"""The columns that `select(*args, **kwargs)` and its relatives are asked for."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from pathway.internals.expression.column import ColumnNamedId, ColumnReference, column_named
from pathway.internals.expression.expression import ColumnExpression
from pathway.internals.expression.nodes import column_value
from pathway.internals.joinable import Joinable
from pathway.internals.resolve import Scope
from pathway.internals.thisclass import Placeholder, Unpacked

#: Names a positional argument that is not a plain reference; None if it may not be positional.
PositionalName = Callable[[Any], "ColumnReference | None"]


def collect_columns(
    args: tuple[Any, ...],
    kwargs: Mapping[str, Any],
    scope: Scope,
    function: str,
    positional_name: PositionalName = lambda argument: None,
) -> dict[str, ColumnExpression]:
    """Output columns by name, in order: positional arguments, keywords, then `**pw.this` and the like."""
    columns: dict[str, ColumnExpression] = {}

    def add(name: str, expression: ColumnExpression) -> None:
        if name in columns:
            raise ValueError(f"two output columns are named {name}; give one of them another name.")
        columns[name] = expression

    for argument in args:
        for name, expression in _positional(argument, scope, function, positional_name):
            add(name, expression)
    unpacked: dict[str, ColumnExpression] = {}
    for name, value in kwargs.items():
        if isinstance(value, Unpacked):
            source = value.placeholder._columns(scope)
            unpacked.update((key, source[key]) for key in source.keys())  # noqa: SIM118 (not a dict)
        else:
            add(name, column_value(value))
    positional = set(columns) - set(kwargs)
    for name, expression in unpacked.items():
        if name in positional:
            add(name, expression)
        columns[name] = expression
    if "id" in columns and not isinstance(columns["id"], ColumnNamedId):
        raise ValueError(
            "a column cannot be named id, which stands for the row ids. Give it another name, as in "
            f"{function}(row_id=table.id)."
        )
    return columns


def _positional(
    argument: Any, scope: Scope, function: str, positional_name: PositionalName
) -> list[tuple[str, ColumnExpression]]:
    if isinstance(argument, Unpacked):
        references = list(argument.placeholder._columns(scope))
        return [(reference.name, reference) for reference in references]
    if isinstance(argument, ColumnReference):
        resolved = scope.resolve(argument)
        if resolved._is_row_id and "id" in resolved.table.keys():  # noqa: SIM118 (not a dict)
            # The row ids cannot be a column of this name, the table's own column can.
            argument = column_named(resolved.table, "id")
        return [(resolved.name, argument)]
    named = positional_name(argument)
    if named is not None:
        return [(scope.resolve(named).name, argument)]
    if isinstance(argument, str):
        raise ValueError(
            f"{function}() takes columns, and {argument!r} is a string: write pw.this.{argument}."
        )
    if isinstance(argument, (Joinable, Placeholder)):
        raise ValueError(
            f"{function}() takes columns: write *table for all columns of a table, not {argument!r}."
        )
    raise ValueError(
        f"{argument!r} has no name for its output column, as only columns have. Give it one: "
        f"{function}(name=...)."
    )


def expand_references(args: tuple[Any, ...], scope: Scope) -> list[Any]:
    """Positional arguments with `*pw.this` and the like replaced by the references."""
    result: list[Any] = []
    for argument in args:
        if isinstance(argument, Unpacked):
            result.extend(argument.placeholder._columns(scope))
        else:
            result.append(argument)
    return result
