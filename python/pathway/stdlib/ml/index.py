"""Nearest neighbours by vectors."""

from __future__ import annotations

from typing import Any

from pathway import _engine
from pathway.internals.expression.column import ColumnReference
from pathway.internals.expression.expression import ColumnExpression
from pathway.internals.expression.nodes import column_value
from pathway.internals.resolve import TableScope
from pathway.internals.runtime_type_check import check_arg_types
from pathway.internals.table import Table
from pathway.internals.trace import current_frame, trace_user_frame

__all__ = ["KNNIndex"]

_METRICS = {"euclidean": "l2sq", "cosine": "cos"}


class KNNIndex:
    """An exact index over the vectors of a table: which rows are nearest to a vector.

    Args:
        data_embedding: the vectors, an expression over `data`: arrays, lists or tuples of numbers.
        data: the table that is searched; answers have its columns.
        n_dimensions: the length of all vectors.
        n_or, n_and, bucket_length: accepted as settings of approximate indexes. This one measures all
            distances, so they change nothing.
        distance_type: `euclidean` for the squared distance, `cosine` for one minus the cosine.
        metadata: JSON of each row, an expression over `data`, for filters.

    Raises:
        ValueError: if `distance_type` is another one.

    >>> import pathway as pw
    >>> from pathway.stdlib.ml.index import KNNIndex
    >>> docs = pw.debug.table_from_markdown('''
    ... doc | x | y
    ... a   | 1 | 0
    ... b   | 0 | 1
    ... c   | 1 | 1
    ... ''')
    >>> index = KNNIndex(pw.make_tuple(docs.x, docs.y), docs, n_dimensions=2)
    >>> queries = pw.debug.table_from_markdown('''
    ... name | x | y
    ... q    | 1 | 3
    ... ''').select(pw.this.name, vector=pw.make_tuple(pw.this.x, pw.this.y))
    >>> found = index.get_nearest_items(queries.vector, k=2, with_distances=True)
    >>> result = queries.select(queries.name) + found.select(found.doc, found.dist)
    >>> pw.debug.compute_and_print(result, include_id=False)
    name | doc        | dist
    q    | ('c', 'b') | (4.0, 5.0)
    """

    @check_arg_types
    def __init__(
        self,
        data_embedding: ColumnExpression,
        data: Table,
        n_dimensions: int,
        n_or: int = 20,
        n_and: int = 10,
        bucket_length: float = 10.0,
        distance_type: str = "euclidean",
        metadata: ColumnExpression | None = None,
    ) -> None:
        if distance_type not in _METRICS:
            raise ValueError(
                f"KNNIndex: distance_type={distance_type!r} is not known; it is 'euclidean' or 'cosine'."
            )
        if n_dimensions < 1:
            raise ValueError(f"KNNIndex: vectors have at least one element, not n_dimensions={n_dimensions}.")
        self._data = data
        self._metric = _METRICS[distance_type]
        self._dimensions = n_dimensions
        scope = TableScope(data)
        self._vector = scope.lower(data_embedding)
        self._metadata = None if metadata is None else scope.lower(metadata)
        self._columns = [(name, scope.lower(column)) for name, column in zip(data.keys(), data, strict=True)]

    @trace_user_frame
    def get_nearest_items(
        self,
        query_embedding: ColumnReference,
        k: ColumnExpression | int = 3,
        collapse_rows: bool = True,
        with_distances: bool = False,
        metadata_filter: ColumnExpression | str | None = None,
    ) -> Table:
        """The rows nearest to each query; answers change with the data.

        Args:
            query_embedding: the vectors of the queries, a column of their table.
            k: how many rows are wanted, a number or an expression over the queries.
            collapse_rows: one row for each query, with each column of the data as a tuple, nearest first.
                Otherwise a row for each match, with the query's id as `query_id`, and a row of None for a
                query without matches.
            with_distances: adds the distances as `dist`.
            metadata_filter: a JMESPath expression over the metadata, with the function
                `globmatch(pattern, path)`; rows for which it is not true are passed over. A filter that is
                wrong finds nothing, and a warning says so. None is no filter.

        Raises:
            TypeError: if vectors, numbers or filters are of other types.
            ValueError: for a filter, if the index has no metadata.
        """
        how = _How(collapse_rows, with_distances, as_of_now=False)
        return self._search(query_embedding, k, metadata_filter, how)

    @trace_user_frame
    def get_nearest_items_asof_now(
        self,
        query_embedding: ColumnReference,
        k: ColumnExpression | int = 3,
        collapse_rows: bool = True,
        with_distances: bool = False,
        metadata_filter: ColumnExpression | str | None = None,
    ) -> Table:
        """The rows nearest to each query when it comes; the answer never changes, whatever the data do.

        A query that is removed takes its answer with it. Arguments are those of `get_nearest_items`.
        """
        how = _How(collapse_rows, with_distances, as_of_now=True)
        return self._search(query_embedding, k, metadata_filter, how)

    def _search(self, query_embedding: Any, k: Any, metadata_filter: Any, how: _How) -> Table:
        if not isinstance(query_embedding, ColumnReference) or not isinstance(query_embedding.table, Table):
            raise TypeError(
                "KNNIndex takes the queries as a column of their table, such as queries.vector; "
                f"{query_embedding!r} is none."
            )
        if isinstance(k, bool) or not isinstance(k, (int, ColumnExpression)):
            raise TypeError(f"KNNIndex: k is a number or an expression, not {k!r}.")
        if not isinstance(metadata_filter, (str, ColumnExpression, type(None))):
            raise TypeError(f"KNNIndex: metadata_filter is a text or an expression, not {metadata_filter!r}.")
        queries = query_embedding.table
        scope = TableScope(queries)
        wanted = None if metadata_filter is None else scope.lower(column_value(metadata_filter))
        search = _engine.Search(
            self._metric,
            self._dimensions,
            as_of_now=how.as_of_now,
            collapsed=how.collapse_rows,
            lenient=True,
        )
        found = queries._wrap(
            queries._engine.search(
                self._data._engine,
                (scope.lower(query_embedding), scope.lower(column_value(k)), wanted),
                (self._vector, self._metadata, self._columns),
                search,
                current_frame(),
            )
        )
        columns: dict[str, Any] = {name: found[name] for name in self._data.keys()}  # noqa: SIM118
        if how.with_distances:
            columns["dist"] = found["_pw_distances" if how.collapse_rows else "_pw_distance"]
        if not how.collapse_rows:
            columns["query_id"] = found["_pw_query_id"]
        return found.select(**columns)


class _How:
    """How answers are given."""

    def __init__(self, collapse_rows: bool, with_distances: bool, as_of_now: bool) -> None:
        self.collapse_rows = collapse_rows
        self.with_distances = with_distances
        self.as_of_now = as_of_now
