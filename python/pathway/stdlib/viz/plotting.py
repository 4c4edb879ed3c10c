"""`Table.plot`: a plot of the columns of a table."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from pathway.internals.expression.column import ColumnReference
from pathway.internals.lazy_import import optional_module
from pathway.internals.runtime_type_check import check_arg_types
from pathway.internals.table import Table
from pathway.internals.trace import trace_user_frame
from pathway.stdlib.viz._view import Rows, View, kind, panel

__all__ = ["plot"]


@trace_user_frame
@check_arg_types
def plot(
    self: Table, plotting_function: Callable[[Any], Any], sorting_col: str | ColumnReference | None = None
) -> Any:
    """A plot of the table for notebooks.

    If all that the table depends on comes to an end by itself, the rows are computed now. Otherwise the plot
    fills when the program runs (`pw.run()`), and follows the changes.

    Args:
        plotting_function: makes a plot of bokeh from a `ColumnDataSource` with the columns of the table.
        sorting_col: the column that orders the rows; without it they are in the order of their ids.

    Returns:
        A column of panel, which notebooks display.

    Raises:
        ImportError: without panel and bokeh: `pip install "pathway[viz]"`.
        KeyError: if there is no such column.
    """
    pn = panel("Table.plot")
    models = optional_module("bokeh.models", "Table.plot", "viz")
    names = list(self.keys())
    order = None if sorting_col is None else self[sorting_col].name
    source = models.ColumnDataSource(data={name: [] for name in names})
    pane = pn.pane.Bokeh(plotting_function(source))

    def draw(rows: Rows) -> None:
        found = rows.in_order(None if order is None else lambda row: row[order])
        source.data = {name: [row[at] for row in found] for at, name in enumerate(names, start=1)}
        pn.io.push_notebook(pane)

    View(self, Rows(names), draw)
    return pn.Column(pn.Row(kind(self)), pane)
