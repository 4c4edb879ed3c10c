"""`pw.io.dead_letters`: the records that a source could not turn into rows."""

from __future__ import annotations

from pathway.internals.runtime_type_check import check_arg_types
from pathway.internals.table import Table
from pathway.internals.trace import current_frame, trace_user_frame


@trace_user_frame
@check_arg_types
def dead_letters(table: Table) -> Table:
    """The records that a source could not turn into rows: columns `raw`, `position`, `reason`.

    `table` is what a `read` function returned.

    >>> import pathway as pw
    >>> import pathlib, tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     _ = pathlib.Path(folder, "t.jsonl").write_text('{"a": 1}\\nnonsense\\n')
    ...     t = pw.io.jsonlines.read(folder, schema=pw.schema_from_types(a=int), mode="static")
    ...     bad = pw.io.dead_letters(t).select(pw.this.raw)
    ...     pw.debug.compute_and_print(t, bad, include_id=False)
    a
    1
    raw
    b'nonsense'
    """
    return Table(table._engine.dead_letters(current_frame()))
