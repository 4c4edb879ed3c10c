"""CSV files sent row by row."""

from __future__ import annotations

import csv
import os
import time
from typing import Any, Literal

from pathway.demo.generators import seconds_between_rows
from pathway.internals import dtype as dt
from pathway.internals.expression.column import column_named
from pathway.internals.expression.convert import Cast
from pathway.internals.schema import Schema, schema_builder
from pathway.internals.table import Table
from pathway.internals.trace import trace_user_frame
from pathway.io import python

_UNITS = {"s": 1, "ms": 1_000, "us": 1_000_000, "ns": 1_000_000_000}


class _Replay(python.ConnectorSubject):
    """Sends the rows of a CSV file at a constant rate."""

    def __init__(self, path: str, columns: list[str], delay: float) -> None:
        super().__init__(datasource_name="demo.replay-csv")
        self._path = path
        self._columns = columns
        self._delay = delay

    def run(self) -> None:
        with open(self._path, encoding="utf-8-sig", newline="") as file:
            for row in csv.DictReader(file):
                self.next(**{column: row[column] for column in self._columns})
                time.sleep(self._delay)


class _TimedReplay(python.ConnectorSubject):
    """Sends the rows of a CSV file when a column says so."""

    def __init__(self, path: str, columns: list[str], time_column: str, per_second: float) -> None:
        super().__init__(datasource_name="demo.replay-csv-with-time")
        self._path = path
        self._columns = columns
        self._time_column = time_column
        self._per_second = per_second

    def run(self) -> None:
        begin = time.monotonic()
        first: float | None = None
        with open(self._path, encoding="utf-8-sig", newline="") as file:
            for row in csv.DictReader(file):
                moment = float(row[self._time_column])
                first = moment if first is None else first
                wait = begin + (moment - first) / self._per_second - time.monotonic()
                if wait > 0:
                    time.sleep(wait)
                self.next(**{column: row[column] for column in self._columns})


@trace_user_frame
def replay_csv(
    path: str | os.PathLike[str],
    *,
    schema: type[Schema],
    input_rate: float = 1.0,
    autocommit_ms: int | None = None,
) -> Table:
    """The rows of a CSV file as a stream.

    Args:
        path: a file with a header line.
        schema: the columns to send, with their types.
        input_rate: rows per second.
        autocommit_ms: the longest time between two commits; None for that between two rows.

    >>> import pathway as pw
    >>> import pathlib, tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = pathlib.Path(folder, "t.csv")
    ...     _ = path.write_text("a,b\\n1,x\\n2,y\\n")
    ...     t = pw.demo.replay_csv(path, schema=pw.schema_from_types(a=int), input_rate=1000)
    ...     pw.debug.compute_and_print(t, include_id=False)
    a
    1
    2
    """
    delay = seconds_between_rows(input_rate)
    subject = _Replay(os.fspath(path), schema.column_names(), delay)
    return _typed(subject, schema, int(1000 * delay) if autocommit_ms is None else autocommit_ms)


@trace_user_frame
def replay_csv_with_time(
    path: str | os.PathLike[str],
    *,
    schema: type[Schema],
    time_column: str,
    unit: Literal["s", "ms", "us", "ns"] = "s",
    autocommit_ms: int = 100,
    speedup: float = 1,
) -> Table:
    """The rows of a CSV file as a stream, sent at the moments that a column tells.

    Args:
        path: a file with a header line.
        schema: the columns to send, with their types.
        time_column: the column with the moments, an int or a float.
        unit: the unit of the moments.
        autocommit_ms: the longest time between two commits.
        speedup: how much faster than in the file.
    """
    columns = schema.columns()
    if time_column not in columns or columns[time_column].dtype not in (dt.INT, dt.FLOAT):
        raise ValueError(f"Invalid schema. Time columns must be int or float; {time_column!r} is not.")
    if unit not in _UNITS:
        raise ValueError(
            f"demo.replay_csv_with_time: the unit has to be one of {', '.join(_UNITS)}, not {unit!r}."
        )
    if not speedup > 0:
        raise ValueError(f"demo.replay_csv_with_time: speedup has to be positive, not {speedup}.")
    per_second = _UNITS[unit] * speedup
    subject = _TimedReplay(os.fspath(path), schema.column_names(), time_column, per_second)
    return _typed(subject, schema, autocommit_ms)


def _typed(subject: Any, schema: type[Schema], autocommit_ms: int) -> Table:
    """The texts that the subject sends, cast to the types of the schema, under the ids it wants."""
    import dataclasses

    texts = {
        name: dataclasses.replace(column.to_definition(), dtype=dt.STR, primary_key=False)
        for name, column in schema.columns().items()
    }
    table = python.read(subject, schema=schema_builder(texts), autocommit_duration_ms=max(autocommit_ms, 1))
    casts = {name: Cast(column.dtype, column_named(table, name)) for name, column in schema.columns().items()}
    typed = table.select(**casts)
    keys = schema.primary_key_columns()
    return typed if keys is None else typed.with_id_from(*(typed[name] for name in keys))
