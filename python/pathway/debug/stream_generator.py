"""Tables whose rows come at given times and to given workers, for tests of streaming programs."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from pathway._engine import Pointer
from pathway.debug.markdown import parse_markdown
from pathway.debug.static_data import StaticData, static_table
from pathway.internals.errors import no_such_column
from pathway.internals.run_options import StreamGeneratorConfig
from pathway.internals.schema import Schema
from pathway.internals.table import Table
from pathway.internals.trace import trace_user_frame, warn


class StreamGenerator:
    """Makes tables of rows with times: even numbers from 2 on.

    A run takes the configuration of the generator, as programs for Pathway pass it; the tables deliver their
    rows without it, too.

    >>> import pathway as pw
    >>> class Reading(pw.Schema):
    ...     value: int
    >>> generator = pw.debug.StreamGenerator()
    >>> t = generator.table_from_list_of_batches([[{"value": 3}], [{"value": 4}, {"value": 5}]], Reading)
    >>> pw.debug.compute_and_print_update_stream(
    ...     t, include_id=False, persistence_config=generator.persistence_config()
    ... )
    value | __time__ | __diff__
    3     | 2        | 1
    4     | 4        | 1
    5     | 4        | 1
    """

    def __init__(self) -> None:
        self._used = False

    @trace_user_frame
    def table_from_list_of_batches(
        self, batches: Sequence[Sequence[Mapping[str, Any]]], schema: type[Schema]
    ) -> Table:
        """A table whose batches of rows (dicts from column to value) come at the times 2, 4, 6, …

        The ids are those of a table without labels, counted over all batches.

        Raises:
            KeyError: a row lacks a column.
        """
        return self._from_batches([{0: batch} for batch in batches], schema)

    @trace_user_frame
    def table_from_list_of_batches_by_workers(
        self, batches: Sequence[Mapping[int, Sequence[Mapping[str, Any]]]], schema: type[Schema]
    ) -> Table:
        """As [`table_from_list_of_batches`][], but each batch says which worker takes in which rows.

        With fewer workers than that, a worker number is taken modulo the number of workers.
        """
        return self._from_batches(batches, schema)

    @trace_user_frame
    def table_from_pandas(
        self,
        df: Any,
        id_from: list[str] | None = None,
        unsafe_trusted_ids: bool = False,
        schema: type[Schema] | None = None,
    ) -> Table:
        """A table from a data frame; `_time` (else 2), `_worker` (else 0), `_diff` (else 1) are special."""
        from pathway.debug.infer import from_data_frame

        return self._from_data(
            from_data_frame(df, with_schema=schema is not None), id_from, unsafe_trusted_ids, schema
        )

    @trace_user_frame
    def table_from_markdown(
        self,
        table: str,
        id_from: list[str] | None = None,
        unsafe_trusted_ids: bool = False,
        schema: type[Schema] | None = None,
    ) -> Table:
        """A table from text; `_time` (else 2), `_worker` (else 0) and `_diff` (else 1) are special.

        >>> import pathway as pw
        >>> t = pw.debug.StreamGenerator().table_from_markdown('''
        ...   | a | _time | _diff
        ... 1 | 5 | 2     | 1
        ... 1 | 5 | 4     | -1
        ... ''')
        >>> pw.debug.compute_and_print_update_stream(t, include_id=False)
        a | __time__ | __diff__
        5 | 2        | 1
        5 | 4        | -1
        """
        data = parse_markdown(table, split_on_whitespace=True)
        return self._from_data(data, id_from, unsafe_trusted_ids, schema)

    @trace_user_frame
    def _table_from_dict(
        self,
        batches: Mapping[int, Mapping[int, Sequence[tuple[int, Pointer, Sequence[Any]]]]],
        schema: type[Schema],
    ) -> Table:
        """A table from changes (diff, row id, values), by time and worker."""
        changes = [
            (time, worker, diff, key, values)
            for time, by_worker in batches.items()
            for worker, rows in by_worker.items()
            for diff, key, values in rows
        ]
        times, workers, diffs, keys, rows = map(list, zip(*changes, strict=True)) if changes else [[]] * 5
        return self._from_rows(rows, schema, times, workers, diffs, keys)

    def persistence_config(self) -> StreamGeneratorConfig | None:
        """What a run takes as `persistence_config`; None if no table was made.

        >>> pw_config = StreamGenerator().persistence_config()
        >>> pw_config is None
        True
        """
        return StreamGeneratorConfig() if self._used else None

    def _from_batches(
        self, batches: Sequence[Mapping[int, Sequence[Mapping[str, Any]]]], schema: type[Schema]
    ) -> Table:
        names = schema.column_names()
        rows, times, workers = [], [], []
        for number, by_worker in enumerate(batches, start=1):
            for worker, batch in by_worker.items():
                for row in batch:
                    for name in names:
                        if name not in row:
                            raise KeyError(no_such_column(name, row, f"the row {dict(row)}"))
                    rows.append([row[name] for name in names])
                    times.append(2 * number)
                    workers.append(worker)
        return self._from_rows(rows, schema, times, workers, [1] * len(rows), None)

    def _from_rows(
        self,
        rows: Sequence[Sequence[Any]],
        schema: type[Schema],
        times: list[int],
        workers: list[int],
        diffs: list[int],
        labels: list[Any] | None,
    ) -> Table:
        names = schema.column_names()
        for row in rows:
            if len(row) != len(names):
                raise ValueError(f"the row {row!r} has {len(row)} values, but there are the columns {names}.")
        columns = {name: [row[i] for row in rows] for i, name in enumerate(names)}
        columns |= {"_time": times, "_worker": workers, "_diff": diffs}
        return self._from_data(StaticData(columns, {}, labels, len(rows)), None, False, schema)

    def _from_data(
        self,
        data: StaticData,
        id_from: list[str] | None,
        unsafe_trusted_ids: bool,
        schema: type[Schema] | None,
    ) -> Table:
        special = {"_time": 2, "_worker": 0, "_diff": 1}
        times, workers, diffs = (
            data.special(name, default) or [default] * data.length for name, default in special.items()
        )
        _check(times, workers, diffs)
        data.columns |= {"__time__": times, "__shard__": workers, "__diff__": diffs}
        table = static_table(
            data,
            schema,
            id_from=id_from,
            unsafe_trusted_ids=unsafe_trusted_ids,
            new_universe=True,
            ids_by_label=schema is not None,
            known_at_start=True,
        )
        self._used = True
        return table


def _check(times: Iterable[int], workers: Iterable[int], diffs: Iterable[int]) -> None:
    if any(time < 0 for time in times):
        raise ValueError("the times of a stream have to be 0 or more.")
    if any(worker < 0 for worker in workers):
        raise ValueError("the worker numbers of a stream have to be 0 or more.")
    if not set(diffs) <= {1, -1}:
        raise ValueError("the diffs of a stream are 1 (a row is added) or -1 (it is removed).")
    if 0 in times:
        warn("rows at time 0 were there before the run: pw.debug shows them, outputs are not told of them")
