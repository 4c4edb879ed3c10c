"""Tables as plain HTML, for pages that have no panel: columns, their types, and the first rows."""

from __future__ import annotations

import html
from typing import Any

from pathway.debug.capture import capture
from pathway.internals.interactive import LiveTable
from pathway.internals.table import Table
from pathway.stdlib.viz._view import Rows

__all__ = ["_repr_html_", "schema_text"]

#: So many rows are shown.
FIRST_ROWS = 10
#: Characters of a cell.
_LONGEST = 100


def schema_text(table: Table) -> str:
    """The columns with their types: `name: str, age: int`."""
    return ", ".join(f"{name}: {_type(hint)}" for name, hint in table.typehints().items())


def _type(hint: Any) -> str:
    return hint.__name__ if isinstance(hint, type) else str(hint).replace("typing.", "")


def _repr_html_(self: Table) -> str:
    """The columns with their types and the first rows, as far as these can be had without an end in the open.

    Rows of sources that come to an end are computed; of a live table those are shown that are there now; of
    other tables none.
    """
    rows, remark = _rows(self)
    names = ["id", *self.keys()]
    types = ["", *map(_type, self.typehints().values())]
    lines = ["<table>", f"<caption>{html.escape(remark)}</caption>", "<thead>", _line("th", names)]
    lines += [_line("th", types), "</thead>", "<tbody>"]
    lines += [_line("td", map(_cell, row)) for row in rows[:FIRST_ROWS]]
    return "\n".join([*lines, "</tbody>", "</table>"])


def _rows(table: Table) -> tuple[list[tuple[Any, ...]], str]:
    """The rows, by id, and what is to be said about them."""
    if isinstance(table, LiveTable):
        snapshot = table.snapshot()
        rows = [(key, *values) for key, values in snapshot.data]
        what = str(snapshot).partition("\n")[0]
        return rows, f"{what}: {_how_many(len(rows))}"
    if not table._engine.is_bounded:
        return [], "its rows come while it is computed: pw.run(), or table.live()"
    (captured,) = capture(table)
    present = Rows(list(table.keys()))
    for change in captured.updates:
        present.apply(change)
    rows = present.in_order()
    return rows, _how_many(len(rows))


def _how_many(rows: int) -> str:
    text = f"{rows} row{'' if rows == 1 else 's'}"
    return f"the first {FIRST_ROWS} of {text}" if rows > FIRST_ROWS else text


def _line(tag: str, texts: Any) -> str:
    return "<tr>" + "".join(f"<{tag}>{html.escape(text)}</{tag}>" for text in texts) + "</tr>"


def _cell(value: Any) -> str:
    text = str(value)
    return text if len(text) <= _LONGEST else text[:_LONGEST] + "..."
