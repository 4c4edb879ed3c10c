"""Small plans for tests of the native module alone."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from pathway._engine import (
    CallbackSink,
    CaptureSink,
    DType,
    Expr,
    Field,
    Graph,
    SubjectBase,
    SubjectSource,
    Table,
    Udf,
    ref_scalar,
)

Row = tuple[Any, ...]


def static(graph: Graph, dtypes: dict[str, DType], rows: Sequence[Row], **options: Any) -> Table:
    """A table of these rows with ids made of their positions."""
    columns = [[row[i] for row in rows] for i in range(len(dtypes))]
    fields = [Field(name, dtype) for name, dtype in dtypes.items()]
    return graph.static_table(fields, [ref_scalar(i) for i in range(len(rows))], columns, **options)


def capture(table: Table, **options: Any) -> list[tuple[Any, Row, int, int]]:
    """The update stream of a table."""
    sink = CaptureSink([table.column_dtype(name) for name in table.column_names()])
    output = table.graph.output(table, sink, keep_errors=True)
    table.graph.run(outputs=[output], **options)
    return sink.updates()


def rows(table: Table, **options: Any) -> list[Row]:
    """The rows that are left at the end, in any order."""
    left: dict[tuple[Any, str], tuple[Row, int]] = {}
    for key, row, _time, diff in capture(table, **options):
        name = (key, repr(row))
        left[name] = (row, left.get(name, (row, 0))[1] + diff)
    return [row for row, count in left.values() for _ in range(count)]


def apply(
    table: Table,
    function: Callable[..., Any],
    dtype: DType,
    *columns: str,
    deterministic: bool = True,
    propagate_none: bool = False,
    **options: Any,
) -> Table:
    """A table with the one column `r`: the function's results."""
    udf = Udf(
        function, "function", dtype, deterministic=deterministic, propagate_none=propagate_none, **options
    )
    return table.select([("r", Expr.udf(udf, [Expr.column(table, c) for c in columns]), None)])


def subscribe(table: Table, on_change: Callable[..., Any], **options: Any) -> int:
    """Registers callbacks."""
    names = table.column_names()
    sink = CallbackSink(
        names,
        [table.column_dtype(name) for name in names],
        on_change=on_change,
        on_time_end=options.pop("on_time_end", None),
        on_end=options.pop("on_end", None),
        **options,
    )
    return table.graph.output(table, sink)


class Script(SubjectBase):
    """A subject whose `run` is a function of it."""

    def __init__(self, run: Callable[[Script], Any], *, finite: bool = True) -> None:
        self.run = run
        self.finite = finite

    def source(
        self,
        dtypes: dict[str, DType],
        *,
        key: Sequence[str] = (),
        session: str = "native",
        deletions: bool = False,
        format: str = "values",
        defaults: dict[str, Any] | None = None,
    ) -> SubjectSource:
        """The source that it feeds."""
        defaults = defaults or {}
        fields = [
            Field(
                name,
                dtype,
                primary_key=name in key,
                has_default=name in defaults,
                default=defaults.get(name),
            )
            for name, dtype in dtypes.items()
        ]
        return SubjectSource(
            self,
            fields,
            session=session,
            deletions=deletions or session == "upsert",
            start=lambda run: self.run(self),
            finite=lambda: self.finite,
            resume=lambda position: None,
            description="script",
            format=format,
        )
