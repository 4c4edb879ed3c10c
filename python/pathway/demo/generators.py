"""Streams that are computed row by row."""

from __future__ import annotations

import json
import random
import time
from collections.abc import Callable
from typing import Any

from pathway.internals.json import Json
from pathway.internals.runtime_type_check import check_arg_types
from pathway.internals.schema import Schema, column_definition
from pathway.internals.table import Table
from pathway.internals.trace import trace_user_frame
from pathway.io import python
from pathway.io._utils import METADATA


def seconds_between_rows(input_rate: float) -> float:
    """The time that a rate of rows per second leaves between two rows."""
    if not input_rate > 0:
        raise ValueError(f"input_rate (rows per second) has to be positive, not {input_rate}.")
    return 1 / input_rate


class _Generator(python.ConnectorSubject):
    """Sends `nb_rows` rows at a rate."""

    def __init__(
        self,
        value_generators: dict[str, Callable[[int], Any]],
        columns: list[str],
        nb_rows: int | None,
        input_rate: float,
    ) -> None:
        super().__init__(datasource_name="demo.custom-stream")
        self._value_generators = {
            name: generate for name, generate in value_generators.items() if name in columns
        }
        self._nb_rows = nb_rows
        self._delay = seconds_between_rows(input_rate)

    def run(self) -> None:
        number = 0
        while self._nb_rows is None or number < self._nb_rows:
            row = {name: generate(number) for name, generate in self._value_generators.items()}
            self.next(**json.loads(Json.dumps(row)))
            number += 1
            time.sleep(self._delay)


@trace_user_frame
@check_arg_types
def generate_custom_stream(
    value_generators: dict[str, Callable[[int], Any]],
    *,
    schema: type[Schema],
    nb_rows: int | None = None,
    autocommit_duration_ms: int = 1000,
    input_rate: float = 1.0,
    name: str | None = None,
) -> Table:
    """A stream whose columns are functions of the number of the row.

    Args:
        value_generators: for each column a function of the row number, from 0.
        schema: the columns.
        nb_rows: how many rows; None for an endless stream.
        autocommit_duration_ms: the longest time between two commits.
        input_rate: rows per second.
        name: a unique name, for logs and persistence.

    >>> import pathway as pw
    >>> class Square(pw.Schema):
    ...     i: int
    ...     square: int
    >>> t = pw.demo.generate_custom_stream(
    ...     {"i": lambda i: i, "square": lambda i: i * i}, schema=Square, nb_rows=3, input_rate=1000
    ... )
    >>> pw.debug.compute_and_print(t, include_id=False)
    i | square
    0 | 0
    1 | 1
    2 | 4
    """
    if nb_rows is not None and nb_rows < 0:
        raise ValueError(f"nb_rows is a number of rows or None for no end, not {nb_rows}.")
    columns = [column for column in schema.column_names() if column != METADATA]
    subject = _Generator(value_generators, columns, nb_rows, input_rate)
    return python.read(subject, schema=schema, autocommit_duration_ms=autocommit_duration_ms, name=name)


class _Range(Schema):
    value: float


class _Noisy(Schema):
    x: float = column_definition(primary_key=True)
    y: float


@trace_user_frame
@check_arg_types
def range_stream(
    nb_rows: int | None = 30,
    offset: int = 0,
    input_rate: float = 1.0,
    autocommit_duration_ms: int = 1000,
) -> Table:
    """A stream of consecutive numbers: one column `value`.

    >>> import pathway as pw
    >>> numbers = pw.demo.range_stream(nb_rows=2, offset=5, input_rate=1000)
    >>> pw.debug.compute_and_print(numbers, include_id=False)
    value
    5.0
    6.0
    """
    _check_rows(nb_rows)
    return generate_custom_stream(
        {"value": lambda number: float(number + offset)},
        schema=_Range,
        nb_rows=nb_rows,
        input_rate=input_rate,
        autocommit_duration_ms=autocommit_duration_ms,
    )


@trace_user_frame
@check_arg_types
def noisy_linear_stream(nb_rows: int | None = 10, input_rate: float = 1.0) -> Table:
    """A stream of points near a line: `x` counts from 0, `y` is `x` with noise of at most 0.1."""
    _check_rows(nb_rows)
    noise = random.Random(0)
    return generate_custom_stream(
        {"x": float, "y": lambda number: number + (2 * noise.random() - 1) / 10},
        schema=_Noisy,
        nb_rows=nb_rows,
        input_rate=input_rate,
    )


def _check_rows(nb_rows: int | None) -> None:
    if nb_rows is not None and nb_rows < 0:
        raise ValueError(f"nb_rows is a number of rows or None for no end, not {nb_rows}.")
