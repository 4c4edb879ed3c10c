"""`Table.show`: a table of cells."""

from __future__ import annotations

import sys
from datetime import date
from typing import Any

from pathway._engine import DType, Pointer
from pathway.internals import dtype as dt
from pathway.internals.runtime_type_check import check_arg_types
from pathway.internals.table import Table
from pathway.internals.trace import trace_user_frame
from pathway.stdlib.viz._html import _repr_html_, schema_text
from pathway.stdlib.viz._view import Rows, View, kind, panel

__all__ = ["_repr_mimebundle_", "show"]

#: Greater integers lose digits in a browser.
_EXACT = 2**53
#: How many characters of an id tell it from others.
_SHORT = 8


@trace_user_frame
@check_arg_types
def show(
    self: Table,
    *,
    snapshot: bool = True,
    include_id: bool = True,
    short_pointers: bool = True,
    sorters: list[dict[str, str]] | None = None,
    page_size: int = 10,
    table_height: int = 400,
) -> Any:
    """A view of the table for notebooks.

    If all that the table depends on comes to an end by itself, the rows are computed now. Otherwise the view
    fills when the program runs (`pw.run()`), and follows the changes. That of a live table does so at once.

    Args:
        snapshot: the rows as they are now; False for all changes, with columns `time` and `diff`.
        include_id: with a column of the ids.
        short_pointers: the first characters of ids only.
        sorters: the order of the rows: a list such as `[{"field": "age", "dir": "desc"}]`.
        page_size: how many rows a page has.
        table_height: in pixels.

    Returns:
        A column of panel, which notebooks display.

    Raises:
        ImportError: without panel: `pip install "pathway[viz]"`.
        NotImplementedError: for changes of a table whose rows are computed now.
    """
    pn = panel("Table.show")
    static = self._engine.is_bounded
    if static and not snapshot:
        raise NotImplementedError(
            "the rows of this table are computed now, so it has no changes to show: use snapshot=True."
        )
    pandas = _pandas()
    names = list(self.keys())
    texts = _Texts(short_pointers)

    def frame(rows: Rows) -> Any:
        columns = [("id", dt.ANY_POINTER), *self._dtypes().items()]
        if rows.changes is None:
            cells = rows.in_order()
        else:
            cells = [(key, *row, time, diff) for key, row, time, diff in rows.changes]
            columns += [("time", dt.INT), ("diff", dt.INT)]
        shown = [[texts.cell(value) for value in column] for column in zip(*cells, strict=True)]
        series = [
            pandas.Series(
                shown[at] if shown else [], name=name, dtype=_kind(dtype, shown[at] if shown else [])
            )
            for at, (name, dtype) in enumerate(columns)
            if include_id or at > 0
        ]
        return pandas.concat(series, axis=1)

    rows = Rows(names, changes=not snapshot)
    widget = pn.widgets.Tabulator(
        frame(rows),
        disabled=True,
        show_index=False,
        sizing_mode="stretch_width",
        pagination="local",
        page_size=page_size,
        height=table_height,
        sorters=[] if sorters is None else sorters,
    )

    def draw(rows: Rows) -> None:
        widget.value = frame(rows)

    View(self, rows, draw)
    return pn.Column(pn.Row(f"{kind(self)}: {schema_text(self)}"), widget)


#: What columns of these types are for pandas, even without rows: a browser formats cells by it.
_KINDS = {dt.INT: ("int64", int), dt.FLOAT: ("float64", float), dt.BOOL: ("bool", bool)}


def _kind(dtype: DType, cells: list[Any]) -> str:
    name, member = _KINDS.get(dtype, ("object", object))
    return name if all(type(cell) is member for cell in cells) else "object"


class _Texts:
    """Cells as a browser can show them."""

    def __init__(self, short_pointers: bool) -> None:
        self._short = short_pointers

    def cell(self, value: Any) -> Any:
        """Numbers, texts, dates and None as they are, all else as text."""
        if isinstance(value, Pointer):
            text = str(value)
            return text[:_SHORT] + "..." if self._short and len(text) > _SHORT else text
        if value is None or isinstance(value, (bool, float, str, date)):
            return value
        if isinstance(value, int) and abs(value) <= _EXACT:
            return value
        if isinstance(value, tuple):
            return "(" + ", ".join(str(self.cell(member)) for member in value) + ")"
        return str(value)


def _repr_mimebundle_(self: Table, include: Any = None, exclude: Any = None) -> Any:
    """What notebooks display of a table: its view, see `Table.show`; without panel its first rows.

    The prompt of IPython gets nothing of that: there it is the text of the table.
    """
    if _is_in_a_terminal():
        return {}
    try:
        view = show(self)
    except ImportError as error:
        return {"text/plain": f"{self!r}\n{error}", "text/html": _repr_html_(self)}
    return view._repr_mimebundle_(include, exclude)


def _is_in_a_terminal() -> bool:
    """True at the prompt of IPython."""
    shell = sys.modules.get("IPython.core.interactiveshell")
    if shell is None or not shell.InteractiveShell.initialized():
        return False
    return type(shell.InteractiveShell.instance()).__name__ == "TerminalInteractiveShell"


def _pandas() -> Any:
    import pandas

    return pandas
