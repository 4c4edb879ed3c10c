"""Computing tables to look at them."""

from __future__ import annotations

import os
from typing import Any

from pathway._engine import Pointer
from pathway.debug.capture import Captured, Update, capture
from pathway.debug.printing import snapshot_text, stream_text
from pathway.internals import dtype as dt
from pathway.internals.config import current_config
from pathway.internals.groupby import Grouped
from pathway.internals.joins import JoinResult
from pathway.internals.table import Table
from pathway.internals.trace import trace_user_frame


@trace_user_frame
def compute_and_print(
    *tables: Table,
    include_id: bool = True,
    short_pointers: bool = True,
    n_rows: int | None = None,
    **kwargs: Any,
) -> None:
    """Computes tables and prints their rows.

    Args:
        tables: what to compute, in one run.
        include_id: print the row ids.
        short_pointers: cut ids and pointers to their first characters.
        n_rows: print only so many rows.
        kwargs: options of `pw.run`.

    >>> import pathway as pw
    >>> t = pw.debug.table_from_markdown('''
    ... a | b
    ... 1 | x
    ... ''')
    >>> pw.debug.compute_and_print(t)
                | a | b
    ^X1MXHYY... | 1 | x
    """
    _print(snapshot_text, tables, include_id, short_pointers, n_rows, kwargs)


@trace_user_frame
def compute_and_print_update_stream(
    *tables: Table,
    include_id: bool = True,
    short_pointers: bool = True,
    n_rows: int | None = None,
    **kwargs: Any,
) -> None:
    """Computes tables and prints all their changes, with times.

    Takes the arguments of [`compute_and_print`][].

    >>> import pathway as pw
    >>> t = pw.debug.table_from_markdown('''
    ... a | __time__ | __diff__
    ... 1 | 2        | 1
    ... 4 | 4        | 1
    ... ''')
    >>> total = t.reduce(total=pw.reducers.sum(t.a))
    >>> pw.debug.compute_and_print_update_stream(total, include_id=False)
    total | __time__ | __diff__
    1     | 2        | 1
    1     | 4        | -1
    5     | 4        | 1
    """
    _print(stream_text, tables, include_id, short_pointers, n_rows, kwargs)


def _print(
    render: Any,
    tables: tuple[Table, ...],
    include_id: bool,
    short_pointers: bool,
    n_rows: int | None,
    kwargs: dict[str, Any],
) -> None:
    if n_rows is not None and not isinstance(n_rows, int):
        raise TypeError(f"n_rows={n_rows!r} violates type hint int | None: it is no number of rows.")
    if n_rows is not None and n_rows < 0:
        raise ValueError(f"n_rows has to be 0 or more, not {n_rows}.")
    for captured in _computed(tables, kwargs):
        lines = render(captured, include_id=include_id, short_pointers=short_pointers, n_rows=n_rows)
        if lines and current_config().process_id == "0":
            print("\n".join(lines))


def _computed(tables: tuple[Any, ...], kwargs: dict[str, Any]) -> list[Captured]:
    for table in tables:
        if not isinstance(table, Table):
            way_out = {Grouped: " Call reduce() on it.", JoinResult: " Call select() on it."}
            known = [text for kind, text in way_out.items() if isinstance(table, kind)]
            text = type(table).__name__ if isinstance(table, Grouped) else repr(table)
            raise TypeError(
                f"{text} violates type hint Table: it is of type {type(table).__name__}.{''.join(known)}"
            )
    return capture(*tables, **kwargs) if tables else []


@trace_user_frame
def table_to_updates(table: Table, **kwargs: Any) -> list[Update]:
    """All changes of a table: its update stream, in the order of times, removals first.

    Takes the options of `pw.run`.

    >>> import pathway as pw
    >>> t = pw.debug.table_from_markdown('''
    ... a | __time__ | __diff__
    ... 1 | 2        | 1
    ... 4 | 4        | 1
    ... ''')
    >>> total = t.reduce(total=pw.reducers.sum(t.a))
    >>> for key, values, time, diff in pw.debug.table_to_updates(total):
    ...     print(values, time, diff)
    (1,) 2 1
    (1,) 4 -1
    (5,) 4 1
    """
    return tables_to_updates(table, **kwargs)[0]


@trace_user_frame
def tables_to_updates(*tables: Table, **kwargs: Any) -> list[list[Update]]:
    """The update streams of several tables, computed in one run. See [`table_to_updates`][]."""
    return [captured.updates for captured in _computed(tables, kwargs)]


@trace_user_frame
def table_to_dicts(table: Table, **kwargs: Any) -> tuple[list[Pointer], dict[str, dict[Pointer, Any]]]:
    """The rows of a table: ids, and for each column a dict from id to value.

    >>> import pathway as pw
    >>> t = pw.debug.table_from_markdown('''
    ... a
    ... 7
    ... ''')
    >>> keys, columns = pw.debug.table_to_dicts(t)
    >>> columns["a"][keys[0]]
    7
    """
    (captured,) = _computed((table,), kwargs)
    state = captured.final_state()
    columns = {
        name: {key: row[position] for key, row in state.items()}
        for position, name in enumerate(table.column_names())
    }
    return list(state), columns


@trace_user_frame
def table_to_pandas(table: Table, *, include_id: bool = True, **kwargs: Any) -> Any:
    """The rows of a table as a pandas data frame, indexed by their ids.

    >>> import pathway as pw
    >>> t = pw.debug.table_from_markdown('''
    ... a | b
    ... 1 | x
    ... ''')
    >>> print(pw.debug.table_to_pandas(t, include_id=False))
       a  b
    0  1  x
    """
    import pandas

    keys, columns = table_to_dicts(table, **kwargs)
    frame = pandas.DataFrame(
        {name: list(values.values()) for name, values in columns.items()}, dtype=None if keys else object
    )
    for name, dtype in table._dtypes().items():
        if dtype is dt.Optional(dt.INT):
            frame[name] = frame[name].astype("Int64")
    if include_id:
        frame.index = pandas.Index(keys, dtype=object)
    return frame


@trace_user_frame
def table_to_parquet(table: Table, filename: str | os.PathLike[str], **kwargs: Any) -> None:
    """Writes the rows of a table to a Parquet file."""
    table_to_pandas(table, include_id=False, **kwargs).to_parquet(filename)
