"""A table in the terminal that is redrawn in place; where the output is no terminal, a line now and then."""

import sys
import time
from typing import Any, TextIO

Row = dict[str, Any]


class LiveTable:
    """Keeps the newest rows of a table by key and draws them, at most some times a second."""

    def __init__(self, columns: dict[str, int], order_by: str, output: TextIO = sys.stdout) -> None:
        self.columns = columns
        self.order_by = order_by
        self.output = output
        self.rows: dict[Any, Row] = {}
        self.caption = ""
        self.changes = 0
        self.drawn_lines = 0
        self.last_drawn = 0.0
        self.interval = 0.1 if output.isatty() else 2.0

    def on_change(self, key: Any, row: Row, time: int, is_addition: bool) -> None:
        """Takes a change as `pw.io.subscribe` delivers it: deletions of a time come before its insertions."""
        self.changes += 1
        if is_addition:
            self.rows[key] = row
        else:
            self.rows.pop(key, None)

    def draw(self, force: bool = False) -> None:
        """Shows the rows as they are now, unless that was done a moment ago."""
        now = time.monotonic()
        if not force and now - self.last_drawn < self.interval:
            return
        self.last_drawn = now
        if not self.output.isatty():
            print(f"live: {self.caption}, {self.changes:,} changes so far", file=self.output, flush=True)
            return
        lines = [self.caption, self._line({name: name.replace("_", " ") for name in self.columns})]
        ordered = sorted(self.rows.values(), key=lambda row: (row[self.order_by] is None, row[self.order_by]))
        lines += [self._line(row) for row in reversed(ordered)]
        up = f"\x1b[{self.drawn_lines}A" if self.drawn_lines else ""
        self.output.write(up + "".join(f"\x1b[2K{line}\n" for line in lines) + "\x1b[J")
        self.output.flush()
        self.drawn_lines = len(lines)

    def _line(self, row: Row) -> str:
        return "  ".join(cell(row[name], width) for name, width in self.columns.items())


def cell(value: Any, width: int) -> str:
    """Text to the left, numbers to the right."""
    if value is None:
        return "-".rjust(width)
    if isinstance(value, float):
        return f"{value:.1f}".rjust(width)
    if isinstance(value, int):
        return f"{value:,}".rjust(width)
    return str(value)[:width].ljust(width)
