"""`pw.pandas_transformer`: tables through a function of data frames."""

from __future__ import annotations

import dataclasses
import functools
import inspect
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from pathway._engine import DType, Pointer, ref_scalar
from pathway.internals import reducers
from pathway.internals.lazy_import import LazyModule
from pathway.internals.schema import Schema
from pathway.internals.table import Table
from pathway.internals.thisclass import this
from pathway.internals.trace import trace_user_frame
from pathway.internals.udfs.apply import apply_with_type

if TYPE_CHECKING:
    import pandas as pd
else:
    pd = LazyModule("pandas")

#: The ids of a data frame's rows, and the values of its columns.
_Frame = tuple[list[Any], list[list[Any]]]


def pandas_transformer(
    output_schema: type[Schema], output_universe: str | int | None = None
) -> Callable[[Callable[..., Any]], Callable[..., Table]]:
    """Makes a function of data frames one of tables; it is called again whenever a table has changed.

    The data frames are indexed by the row ids; rows with errors are left out. The index of the result gives
    its row ids: pointers as they are, other values as the key that they make.

    Args:
        output_schema: names and types of the columns of the result, by position.
        output_universe: name or number of the argument whose row ids the result has.

    >>> import pathway as pw
    >>> class Sums(pw.Schema):
    ...     sum: int
    >>> @pw.pandas_transformer(output_schema=Sums, output_universe="numbers")
    ... def sums(numbers):
    ...     return numbers.sum(axis="columns")
    >>> t = pw.debug.table_from_markdown('''
    ... a | b
    ... 1 | 2
    ... 3 | 4
    ... ''')
    >>> pw.debug.compute_and_print(sums(t), include_id=False)
    sum
    3
    7
    """

    def decorate(function: Callable[..., Any]) -> Callable[..., Table]:
        signature = inspect.signature(function)

        @functools.wraps(function)
        @trace_user_frame
        def transformed(*tables: Table) -> Table:
            signature.bind(*tables)
            for table in tables:
                if not isinstance(table, Table):
                    raise TypeError(f"{function.__name__}() takes tables, found {table!r}.")
            universe = _universe_argument(output_universe, list(signature.parameters))
            transformer = _Transformer(function, output_schema, universe)
            if not tables:
                return _static_table(transformer)
            result = _computed(transformer, tables)
            if universe is None:
                return result
            ids = tables[universe]
            # The rows follow those of the argument, so they are removed only if those are.
            append_only = ids.schema.universe_properties.append_only
            return result.update_id_type(Pointer, id_append_only=append_only).with_universe_of(ids)

        return transformed

    return decorate


def _universe_argument(output_universe: str | int | None, parameters: list[str]) -> int | None:
    """The number of the argument whose row ids the result has."""
    if isinstance(output_universe, str):
        if output_universe not in parameters:
            raise ValueError(
                f"wrong output universe. No argument of name: {output_universe}; there are {parameters}."
            )
        return parameters.index(output_universe)
    if output_universe is not None and not 0 <= output_universe < len(parameters):
        raise ValueError(
            f"wrong output universe. Index out of range: {output_universe}; there are {len(parameters)} "
            "arguments."
        )
    return output_universe


@dataclasses.dataclass(frozen=True)
class _Transformer:
    """The function on plain values."""

    function: Callable[..., Any]
    schema: type[Schema]
    universe: int | None

    def __call__(self, frames: Sequence[pd.DataFrame]) -> _Frame:
        """What the function gives for these data frames, checked."""
        result = self.function(*frames)
        if isinstance(result, pd.Series):
            result = result.to_frame()
        name, names = self.function.__name__, self.schema.column_names()
        if not isinstance(result, pd.DataFrame):
            raise TypeError(
                f"the function {name} has to return a DataFrame or a Series, it returned {result!r}."
            )
        if len(result.columns) != len(names):
            raise ValueError(
                f"the function {name} returned {len(result.columns)} columns, its output schema has "
                f"{len(names)}: {list(result.columns)} for {names}."
            )
        if not result.index.is_unique:
            raise ValueError("index of resulting DataFrame must be unique")
        ids = [_as_pointer(value) for value in result.index]
        if self.universe is not None and set(ids) != set(frames[self.universe].index):
            raise ValueError("resulting universe does not match the universe of the indicated argument")
        dtypes = [column.dtype for column in self.schema.columns().values()]
        return ids, [_values(result.iloc[:, number], dtype) for number, dtype in enumerate(dtypes)]


def _as_pointer(value: Any) -> Pointer:
    if isinstance(value, Pointer):
        return value
    pointer: Pointer = ref_scalar(*value) if isinstance(value, tuple) else ref_scalar(value)
    return pointer


def _values(series: pd.Series[Any], dtype: DType) -> list[Any]:
    """The values of a column; pandas makes floats of integers where some are missing."""
    optional = dtype.kind == "optional"
    kind = dtype.args[0].kind if optional and dtype.args else dtype.kind

    def value(cell: Any) -> Any:
        if pd.api.types.is_scalar(cell) and pd.isna(cell) and (optional or kind != "float"):
            return None
        if kind == "int" and isinstance(cell, float) and cell.is_integer():
            return int(cell)
        return cell

    return [value(cell) for cell in series]


def _static_table(transformer: _Transformer) -> Table:
    from pathway.debug.static_data import StaticData, static_table

    ids, columns = transformer(())
    named = dict(zip(transformer.schema.column_names(), columns, strict=True))
    data = StaticData(named, {}, ids, len(ids))
    return static_table(data, transformer.schema, new_universe=True, ids_by_label=True)


def _computed(transformer: _Transformer, tables: Sequence[Table]) -> Table:
    """The result as one row with everything, taken apart."""
    names = [list(table.keys()) for table in tables]

    def rows(*columns: tuple[Any, ...]) -> list[tuple[Any, ...]]:
        remaining = iter(columns)
        frames = []
        for own in names:
            index = pd.Index(list(next(remaining)), dtype=object)
            frames.append(pd.DataFrame({name: list(next(remaining)) for name in own}, index=index))
        ids, values = transformer(frames)
        return list(zip(ids, *values, strict=True))

    everything = _side_by_side([_as_one_row(table, number) for number, table in enumerate(tables)])
    row_type = DType.tuple(
        DType.ANY_POINTER, *(column.dtype for column in transformer.schema.columns().values())
    )
    result = everything.select(row=apply_with_type(rows, DType.list(row_type), *everything))
    flat = result.flatten(result.row)
    columns = {name: this.row[number + 1] for number, name in enumerate(transformer.schema.column_names())}
    unpacked = flat.select(**columns, _pw_id=this.row[0])
    return unpacked.with_id(unpacked._pw_id).without("_pw_id")


def _as_one_row(table: Table, number: int) -> Table:
    """A table of one row: the ids and columns of all rows without errors; no row if there are none."""
    table = table.remove_errors()
    columns = {f"_pw_{number}_{i}": reducers.tuple(column) for i, column in enumerate(table)}
    return table.reduce(**{f"_pw_{number}_id": reducers.tuple(table.id)}, **columns)


def _side_by_side(rows: Sequence[Table]) -> Table:
    first, *others = rows
    for other in others:
        first = first.join(other).select(*first, *other)
    return first


__all__ = ["pandas_transformer"]
