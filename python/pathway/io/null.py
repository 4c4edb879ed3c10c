"""`pw.io.null`: computes a table and drops it."""

from __future__ import annotations

from collections.abc import Iterable

from pathway._engine import NullSink
from pathway.internals.expression.column import ColumnReference
from pathway.internals.runtime_type_check import check_arg_types
from pathway.internals.table import Table
from pathway.internals.trace import trace_user_frame
from pathway.io._files import register_output


@trace_user_frame
@check_arg_types
def write(table: Table, *, name: str | None = None, sort_by: Iterable[ColumnReference] | None = None) -> None:
    """Computes the table without writing it anywhere."""
    register_output(table, NullSink(), name, sort_by)


__all__ = ["write"]
