"""Error logs: tables of what goes wrong in a run with `terminate_on_error=False`."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from pathway.internals.parse_graph import G
from pathway.internals.schema import Schema
from pathway.internals.table import Table
from pathway.internals.trace import current_frame


class ErrorLogSchema(Schema, append_only=True):
    """The columns of an error log."""

    operator_id: int
    message: str
    trace: str


def global_error_log() -> Table:
    """The table of everything that goes wrong in operators without a log of their own.

    It grows while a run goes on that does not end on errors: a row for each cell that could not be
    computed and for each row that could not be placed, with the line of the program in `trace`.

    >>> import pathway as pw
    >>> t = pw.debug.table_from_markdown('''
    ... a | b
    ... 6 | 2
    ... 5 | 0
    ... ''')
    >>> quotients = t.select(q=t.a // t.b)
    >>> messages = pw.global_error_log().select(pw.this.message)
    >>> pw.debug.compute_and_print(quotients, messages, include_id=False, terminate_on_error=False)
    q
    Error
    3
    message
    division by zero
    """
    return Table(G.engine.global_error_log())


@contextmanager
def local_error_log() -> Iterator[Table]:
    """A log of what goes wrong in the operators that are built inside of the block.

    They report to it instead of to the log around it. The log is an ordinary table and stays one
    after the block.

    >>> import pathway as pw
    >>> t = pw.debug.table_from_markdown('''
    ... a | b
    ... 6 | 2
    ... 5 | 0
    ... ''')
    >>> with pw.local_error_log() as log:
    ...     quotients = t.select(q=t.a // t.b)
    >>> pw.debug.compute_and_print(quotients, terminate_on_error=False, include_id=False)
    q
    Error
    3
    >>> pw.debug.compute_and_print(
    ...     log.select(pw.this.message), quotients, terminate_on_error=False, include_id=False
    ... )
    message
    division by zero
    q
    Error
    3
    """
    number, log = G.engine.local_error_log(current_frame())
    table: Table = Table(log)
    before = G.engine.log_to(number)
    try:
        yield table
    finally:
        G.engine.log_to(before)
