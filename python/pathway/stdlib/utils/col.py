"""Columns taken apart and computed together."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from pathway._engine import DType, Pointer
from pathway.internals import dtype as dt
from pathway.internals import reducers
from pathway.internals.expression.column import ColumnReference
from pathway.internals.expression.conditional import unwrap
from pathway.internals.expression.expression import ColumnExpression
from pathway.internals.runtime_type_check import check_arg_types
from pathway.internals.schema import Schema
from pathway.internals.table import Table
from pathway.internals.thisclass import this
from pathway.internals.trace import trace_user_frame
from pathway.internals.udfs.apply import apply_with_type


@trace_user_frame
@check_arg_types
def unpack_col(
    column: ColumnReference,
    *unpacked_columns: str | ColumnReference,
    schema: type[Schema] | None = None,
) -> Table:
    """A table with one column per element of the tuples in a column.

    Args:
        column: tuples, lists or Json arrays.
        unpacked_columns: names for the elements.
        schema: names and types for the elements, instead of names.

    >>> import pathway as pw
    >>> t = pw.debug.table_from_rows(pw.schema_from_types(pair=tuple[int, str]), [((1, "x"),)])
    >>> pw.debug.compute_and_print(pw.utils.col.unpack_col(t.pair, "a", "b"), include_id=False)
    a | b
    1 | x
    """
    if (schema is None) == (not unpacked_columns):
        raise ValueError("give either names for the elements or a schema")
    if schema is not None:
        names = schema.column_names()
    else:
        names = [name if isinstance(name, str) else name.name for name in unpacked_columns]
    table: Table = column.table
    result = table.select(**{name: column[index] for index, name in enumerate(names)})
    return result if schema is None else result.update_types(**schema.typehints())


@trace_user_frame
@check_arg_types
def unpack_col_dict(column: ColumnReference, schema: type[Schema]) -> Table:
    """A table with the fields of the Json objects in a column, converted to the types of a schema.

    >>> import pathway as pw
    >>> t = pw.debug.table_from_rows(pw.schema_from_types(d=pw.Json), [({"n": 3, "s": "x"},)])
    >>> class Fields(pw.Schema):
    ...     n: int
    ...     s: str | None
    >>> pw.debug.compute_and_print(pw.utils.col.unpack_col_dict(t.d, Fields), include_id=False)
    n | s
    3 | x
    """
    table: Table = column.table
    fields = {name: _json_field(column.get(name), field.dtype) for name, field in schema.columns().items()}
    return table.select(**fields).update_types(**schema.typehints())


def _json_field(field: ColumnExpression, dtype: DType) -> ColumnExpression:
    convert = _FROM_JSON.get(dt.unoptionalize(dtype).kind)
    if convert is None:
        raise TypeError(f"a field of a Json object cannot be converted to {dtype}.")
    value = convert(field)
    return value if dtype.kind == "optional" else unwrap(value)


_FROM_JSON: dict[str, Callable[[ColumnExpression], ColumnExpression]] = {
    "json": lambda field: field,
    "int": lambda field: field.as_int(),
    "float": lambda field: field.as_float(),
    "bool": lambda field: field.as_bool(),
    "str": lambda field: field.as_str(),
    "date_time_naive": lambda field: _from_text(field, lambda text: text.dt.strptime("%Y-%m-%dT%H:%M:%S.%f")),
    "date_time_utc": lambda field: _from_text(field, lambda text: text.dt.strptime("%Y-%m-%dT%H:%M:%S.%f%z")),
    "duration": lambda field: _require(unwrap(field.as_int()).dt.to_duration("ns"), field.as_int()),
}


def _from_text(
    field: ColumnExpression, parse: Callable[[ColumnExpression], ColumnExpression]
) -> ColumnExpression:
    return _require(parse(unwrap(field.as_str())), field.as_str())


def _require(value: ColumnExpression, dependency: ColumnExpression) -> ColumnExpression:
    from pathway.internals.expression.conditional import require

    return require(value, dependency)


@trace_user_frame
def apply_all_rows(
    *cols: ColumnReference, fun: Callable[..., Sequence[Any]], result_col_name: str | ColumnReference
) -> Table:
    """A column that a function computes of all rows at once, given whole columns.

    >>> import pathway as pw
    >>> t = pw.debug.table_from_markdown('''
    ... a
    ... 3
    ... 1
    ... ''')
    >>> def shares(column):
    ...     return [value / sum(column) for value in column]
    >>> pw.debug.compute_and_print(
    ...     pw.utils.col.apply_all_rows(t.a, fun=shares, result_col_name="share"), include_id=False
    ... )
    share
    0.25
    0.75
    """
    name = result_col_name if isinstance(result_col_name, str) else result_col_name.name
    return multiapply_all_rows(*cols, fun=lambda *columns: [fun(*columns)], result_col_names=[name])


@trace_user_frame
def multiapply_all_rows(
    *cols: ColumnReference,
    fun: Callable[..., Sequence[Sequence[Any]]],
    result_col_names: list[str | ColumnReference],
) -> Table:
    """Like [`apply_all_rows`][], for a function that gives several columns."""
    if not cols:
        raise AssertionError("at least one column is needed, to tell the rows")
    table: Table = cols[0].table
    for column in cols:
        if column.table is not table:
            raise AssertionError(f"the columns have to be of one table; {column!r} is of another")
    names = [name if isinstance(name, str) else name.name for name in result_col_names]

    def rows(ids: tuple[Any, ...], *columns: tuple[Any, ...]) -> list[tuple[Any, ...]]:
        results = fun(*columns)
        return [(row_id, *values) for row_id, *values in zip(ids, *results, strict=False)]

    everything = table.reduce(
        rows=apply_with_type(
            rows,
            list[tuple],
            reducers.tuple(table.id),
            *(reducers.tuple(column) for column in cols),
        )
    )
    flat = everything.flatten(everything.rows)
    columns = {name: this.rows[index + 1] for index, name in enumerate(names)}
    unpacked = flat.select(_pw_id=_as_pointer(flat.rows[0]), **columns)
    result = unpacked.with_id(unpacked._pw_id).without("_pw_id")
    append_only = table.schema.universe_properties.append_only
    return result.update_id_type(Pointer, id_append_only=append_only).with_universe_of(table)


def _as_pointer(value: ColumnExpression) -> ColumnExpression:
    from pathway.internals.expression.convert import declare_type

    return declare_type(Pointer, value)


@trace_user_frame
@check_arg_types
def groupby_reduce_majority(column_group: ColumnReference, column_val: ColumnReference) -> Table:
    """For each group the most frequent value, in the column `majority`.

    >>> import pathway as pw
    >>> t = pw.debug.table_from_markdown('''
    ... g | v
    ... a | 1
    ... a | 2
    ... a | 2
    ... ''')
    >>> pw.debug.compute_and_print(pw.utils.col.groupby_reduce_majority(t.g, t.v), include_id=False)
    g | majority
    a | 2
    """
    table: Table = column_group.table
    pairs = table.select(_pw_group=column_group, _pw_value=column_val)
    counts = pairs.groupby(pairs._pw_group, pairs._pw_value).reduce(
        pairs._pw_group, pairs._pw_value, _pw_count=reducers.count()
    )
    best = counts.groupby(counts._pw_group).reduce(
        counts._pw_group, majority=this.ix(reducers.argmax(this._pw_count))._pw_value
    )
    return best.select(**{column_group.name: best._pw_group}, majority=best.majority)


__all__ = [
    "apply_all_rows",
    "groupby_reduce_majority",
    "multiapply_all_rows",
    "unpack_col",
    "unpack_col_dict",
]
