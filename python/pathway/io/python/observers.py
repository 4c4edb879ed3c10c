"""`pw.io.python.write`: an object is told the changes of a table."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable
from typing import Any

from pathway._engine import Pointer
from pathway.internals.expression.column import ColumnReference
from pathway.internals.runtime_type_check import check_arg_types
from pathway.internals.table import Table
from pathway.internals.trace import trace_user_frame
from pathway.io._subscribe import subscribe


class _Observer(ABC):  # noqa: B024 (its subclasses have the abstract method)
    def on_time_end(self, time: int) -> None:  # noqa: B027 (overriding it is optional)
        """Called after the changes of each time."""

    def on_end(self) -> None:  # noqa: B027 (overriding it is optional)
        """Called when the input has ended."""


class ConnectorObserver(_Observer):
    """Is told the changes of a table, one call at a time."""

    @abstractmethod
    def on_change(self, key: Pointer, row: dict[str, Any], time: int, is_addition: bool) -> None:
        """`row` was added or removed at `time`."""


class AsyncConnectorObserver(_Observer):
    """Is told the changes of a table; the calls of one time run concurrently."""

    @abstractmethod
    async def on_change(self, key: Pointer, row: dict[str, Any], time: int, is_addition: bool) -> None:
        """`row` was added or removed at `time`."""


@trace_user_frame
@check_arg_types
def write(
    table: Table,
    observer: ConnectorObserver | AsyncConnectorObserver,
    *,
    name: str | None = None,
    sort_by: Iterable[ColumnReference] | None = None,
) -> None:
    """Tells an object the changes of a table.

    >>> import pathway as pw
    >>> class Printer(pw.io.python.ConnectorObserver):
    ...     def on_change(self, key, row, time, is_addition):
    ...         print(row["a"])
    >>> t = pw.debug.table_from_markdown('''
    ... a
    ... 1
    ... ''')
    >>> pw.io.python.write(t, Printer())
    >>> pw.run(monitoring_level=pw.MonitoringLevel.NONE)
    1
    """
    subscribe(
        table,
        on_change=observer.on_change,
        on_end=observer.on_end,
        on_time_end=observer.on_time_end,
        name=name,
        sort_by=sort_by,
    )
