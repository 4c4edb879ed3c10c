"""Static tables from text, rows, data frames and Parquet files."""

from __future__ import annotations

import os
from typing import Any

from pathway.debug.markdown import parse_markdown
from pathway.debug.static_data import StaticData, static_table
from pathway.internals.runtime_type_check import check_arg_types
from pathway.internals.schema import Schema
from pathway.internals.table import Table
from pathway.internals.trace import trace_user_frame


@trace_user_frame
@check_arg_types
def table_from_markdown(
    table_def: str,
    id_from: list[str] | None = None,
    unsafe_trusted_ids: bool = False,
    schema: type[Schema] | None = None,
    *,
    split_on_whitespace: bool = True,
    _new_universe: bool = False,
) -> Table:
    """A table from text: a header line, then one line per row, cells separated by `|` or spaces.

    A first column without a name, or named `id`, labels the rows. The columns `__time__`, `__diff__`
    and `__shard__` tell when a row is added (1) or removed (-1), and where it is processed.

    >>> import pathway as pw
    >>> t = pw.debug.table_from_markdown('''
    ...   | name  | age | __time__
    ... 1 | Alice | 30  | 2
    ... 2 | Bob   |     | 4
    ... ''')
    >>> pw.debug.compute_and_print_update_stream(t)
                | name  | age | __time__ | __diff__
    ^YYY4HAB... | Alice | 30  | 2        | 1
    ^Z3QWT29... | Bob   |     | 4        | 1
    """
    data = parse_markdown(table_def, split_on_whitespace=split_on_whitespace)
    return static_table(
        data,
        schema,
        id_from=id_from,
        unsafe_trusted_ids=unsafe_trusted_ids,
        new_universe=_new_universe,
    )


@trace_user_frame
@check_arg_types
def table_from_rows(
    schema: type[Schema],
    rows: list[tuple[Any, ...]],
    unsafe_trusted_ids: bool = False,
    is_stream: bool = False,
) -> Table:
    """A table from tuples in the order of the schema; with `is_stream`, time and diff follow.

    >>> import pathway as pw
    >>> class Person(pw.Schema):
    ...     name: str = pw.column_definition(primary_key=True)
    ...     age: int
    >>> t = pw.debug.table_from_rows(Person, [("Alice", 30), ("Bob", 25)])
    >>> pw.debug.compute_and_print(t, include_id=False)
    name  | age
    Alice | 30
    Bob   | 25
    """
    names = schema.column_names()
    names += ["__time__", "__diff__"] if is_stream else []
    for row in rows:
        if len(row) < len(names):
            raise ValueError(f"the row {row!r} has {len(row)} values, but there are the columns {names}.")
    columns = {name: [row[i] for row in rows] for i, name in enumerate(names)}
    return static_table(
        StaticData(columns, {}, None, len(rows)), schema, unsafe_trusted_ids=unsafe_trusted_ids
    )


@trace_user_frame
@check_arg_types
def table_from_pandas(
    df: Any,
    id_from: list[str] | None = None,
    unsafe_trusted_ids: bool = False,
    schema: type[Schema] | None = None,
    *,
    _new_universe: bool = False,
) -> Table:
    """A table from a pandas data frame, whose index labels the rows.

    >>> import pandas as pd
    >>> import pathway as pw
    >>> t = pw.debug.table_from_pandas(pd.DataFrame({"a": [1, 2], "b": ["x", "y"]}))
    >>> t
    <pathway.Table schema={'a': <class 'int'>, 'b': <class 'str'>}>
    """
    from pathway.debug.infer import from_data_frame

    if not hasattr(df, "columns") or not hasattr(df, "index"):
        raise TypeError(f"table_from_pandas() takes a pandas data frame, found {type(df).__name__}.")
    return static_table(
        from_data_frame(df, with_schema=schema is not None),
        schema,
        id_from=id_from,
        unsafe_trusted_ids=unsafe_trusted_ids,
        new_universe=_new_universe,
    )


@trace_user_frame
def table_from_parquet(
    path: str | os.PathLike[str],
    id_from: list[str] | None = None,
    unsafe_trusted_ids: bool = False,
) -> Table:
    """A table from a Parquet file."""
    import pandas

    return table_from_pandas(pandas.read_parquet(path), id_from, unsafe_trusted_ids)
