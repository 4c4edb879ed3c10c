"""`Table.why`: the rows that a row comes from, back to the inputs."""

from __future__ import annotations

import dataclasses
import datetime
import html
import json
import os
from collections import deque
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

from pathway._engine import Frame, Pointer
from pathway._engine import Table as EngineTable
from pathway.debug.capture import Captured, capture, captured
from pathway.debug.options import debug_options
from pathway.internals.config import RunConfig
from pathway.internals.run_options import RunOptions
from pathway.internals.table import Table

#: A table on the way, as the engine gives it.
OriginStep = tuple[str, Frame | None, EngineTable, list[tuple[int, EngineTable | None]], str | None]

#: Characters of an id in texts, as in printed tables.
_SHORT = 8
#: Names of columns that no program made have it.
INTERNAL = "\0"
#: What an operation that only computes columns is called.
_SELECT = "select"
#: Cells that rows can have in common.
_SCALARS = (int, float, str, bytes, Pointer, datetime.datetime, datetime.timedelta)


@dataclasses.dataclass(eq=False)
class Reason:
    """A row, and the rows that it comes from.

    Attributes:
        id: the id of the row.
        cells: its cells, by column.
        operations: what made it, from the last to the first, all of them at one line of the program.
        file, line, function, source: that line; empty and 0 if it is not known.
        origins: the rows that it comes from. A row that several rows come from is one object.
        more: how many others there are beyond the limit.
        ends: why these are not all, where something is not followed.
    """

    id: Pointer
    cells: dict[str, Any]
    operations: list[str]
    file: str
    line: int
    function: str
    source: str
    origins: list[Reason] = dataclasses.field(default_factory=list)
    more: int = 0
    ends: list[str] = dataclasses.field(default_factory=list)

    def inputs(self) -> list[Reason]:
        """The rows that come from nowhere else: those of sources and of static tables."""
        return [row for row in self._rows() if not row.origins and not row.ends]

    def to_dict(self) -> dict[str, Any]:
        """The row and all that it comes from as a document.

        It has `rows`, the first of which is the row itself; their `origins` are numbers of others, from 0.
        Cells and ids are texts.
        """
        rows = list(self._rows())
        numbers = {id(row): number for number, row in enumerate(rows)}
        return {
            "rows": [
                {
                    "id": str(row.id),
                    "cells": {name: text(value) for name, value in row.cells.items()},
                    "operations": row.operations,
                    "file": row.file,
                    "line": row.line,
                    "function": row.function,
                    "source": row.source,
                    "origins": [numbers[id(origin)] for origin in row.origins],
                    "more": row.more,
                    "ends": row.ends,
                }
                for row in rows
            ]
        }

    def to_json(self) -> str:
        """The document of [`to_dict`][] as text."""
        return json.dumps(self.to_dict(), ensure_ascii=False)

    def _rows(self) -> Iterator[Reason]:
        """This row and all that it comes from, each once."""
        seen: set[int] = set()
        todo = [self]
        while todo:
            row = todo.pop()
            if id(row) not in seen:
                seen.add(id(row))
                yield row
                todo.extend(reversed(row.origins))

    def _head(self) -> str:
        place = f"{os.path.basename(self.file)}:{self.line}" if self.file else ""
        return "  ".join(part for part in [" < ".join(self.operations), place, self.source] if part)

    def _shown(self) -> str:
        cells = [f"{name}={text(value)}" for name, value in self.cells.items()]
        return " ".join([short(self.id), *cells])

    def _remarks(self) -> list[str]:
        more = [f"and {self.more} more rows"] if self.more else []
        return more + [f"not followed further: {reason}" for reason in self.ends]

    def _lines(self, indent: str, seen: set[int]) -> Iterator[str]:
        if id(self) in seen:
            yield f"{indent}{self._shown()}  (as above)"
            return
        seen.add(id(self))
        yield f"{indent}{self._shown()}"
        yield f"{indent}  {self._head()}"
        for origin in self.origins:
            yield from origin._lines(indent + "    ", seen)
        for remark in self._remarks():
            yield f"{indent}    {remark}"

    def __str__(self) -> str:
        return "\n".join(self._lines("", set()))

    def _repr_html_(self) -> str:
        return f"<ul>{self._item(set())}</ul>"

    def _item(self, seen: set[int]) -> str:
        shown = f"<code>{html.escape(self._shown())}</code>"
        if id(self) in seen:
            return f"<li>{shown} (as above)</li>"
        seen.add(id(self))
        inside = "".join(origin._item(seen) for origin in self.origins)
        inside += "".join(f"<li><em>{html.escape(remark)}</em></li>" for remark in self._remarks())
        inside = f"<ul>{inside}</ul>" if inside else ""
        return f"<li>{shown}<br><small>{html.escape(self._head())}</small>{inside}</li>"


def short(pointer: Pointer) -> str:
    return f"{str(pointer)[:_SHORT]}..."


def text(value: Any) -> str:
    return (
        short(value) if isinstance(value, Pointer) else repr(value) if isinstance(value, str) else str(value)
    )


class Step(NamedTuple):
    """A table on the way, after the run."""

    operation: str
    frame: Frame | None
    columns: list[str]
    rows: dict[Pointer, tuple[Any, ...]]
    #: Other tables by number, with the rows there that each row comes from; None: the row with the same id.
    links: list[tuple[int, dict[Pointer, list[Pointer]] | None]]
    ends: str | None


def why(
    table: Table, row: Pointer | str | None, cells: dict[str, Any], limit: int, options: dict[str, Any]
) -> Reason:
    """See `Table.why`."""
    if limit < 1:
        raise ValueError(f"limit has to be 1 or more, not {limit}.")
    config = RunConfig.from_environment()
    if config.workers > config.threads:
        raise ValueError("why() works in runs of one process; set PATHWAY_PROCESSES=1.")
    if not table._engine.is_bounded_in_debug:
        raise ValueError(
            "why() computes the table until its inputs end, and this one has an input that does not end. "
            'Read it with mode="static", or give it debug_data=.'
        )
    asked = row if isinstance(row, Pointer) else _find(table, row, cells, options)
    steps = _computed(table._engine, asked, options)
    if asked not in steps[0].rows:
        raise KeyError(f"no row of the table has the id {asked} when its inputs have ended")
    return Walk(steps, limit).row(0, asked)


def _find(table: Table, prefix: str | None, cells: dict[str, Any], options: dict[str, Any]) -> Pointer:
    """The id of the one row whose id begins so, and that has these cells."""
    names = table.column_names()
    if prefix is None and not cells:
        raise TypeError(
            "why() takes the id of a row, the beginning of its text, or cells, as in why(city='Oslo')."
        )
    for name in cells:
        if name not in names:
            raise KeyError(f"the table has no column {name}; its columns are {', '.join(names)}")
    beginning = "" if prefix is None else prefix.removesuffix("...")
    (captured,) = capture(table, **options)
    places = {name: position for position, name in enumerate(names)}
    found = [
        key
        for key, values in captured.final_state().items()
        if str(key).startswith(beginning)
        and all(values[places[name]] == cell for name, cell in cells.items())
    ]
    if len(found) == 1:
        return found[0]
    wanted = [f"an id that begins with {beginning}"] if prefix is not None else []
    wanted += [f"{name}={cell!r}" for name, cell in cells.items()]
    count = f"{len(found)} rows have" if found else "no row has"
    way_out = "; tell more of the cells, or the id" if found else ""
    raise KeyError(f"{count} {' and '.join(wanted)}{way_out}")


def _computed(table: EngineTable, asked: Pointer, options: dict[str, Any]) -> list[Step]:
    """Runs what tells where a row comes from."""
    return steps_of(table.origins([asked]), debug_options(**options))


def steps_of(origins: Sequence[OriginStep], options: RunOptions) -> list[Step]:
    """Runs what tells where rows come from."""
    wanted = [rows for _, _, rows, _, _ in origins]
    wanted += [pairs for _, _, _, links, _ in origins for _, pairs in links if pairs is not None]
    found = captured(wanted, options, only_last=True)
    states = [next(found).final_state() for _ in origins]
    return [
        Step(
            operation,
            frame,
            rows.column_names(),
            state,
            [(to, None if pairs is None else _pairs(next(found))) for to, pairs in links],
            ends,
        )
        for (operation, frame, rows, links, ends), state in zip(origins, states, strict=True)
    ]


def _pairs(found: Captured) -> dict[Pointer, list[Pointer]]:
    pairs: dict[Pointer, list[Pointer]] = {}
    for row, origin in sorted(found.final_state().values(), key=lambda pair: int(pair[1])):
        pairs.setdefault(row, []).append(origin)
    return pairs


class Walk:
    """From a row to those that it comes from. What one line of the program does is one row."""

    def __init__(self, steps: Sequence[Step], limit: int) -> None:
        self._steps = steps
        self._limit = limit
        self._known: dict[tuple[int, Pointer], Reason] = {}

    def row(self, number: int, key: Pointer) -> Reason:
        """A row of the step with this number, with all that it comes from."""
        found = self._known.get((number, key))
        if found is None:
            found, origins = look(self._steps, number, key)
            self._known[(number, key)] = found
            found.more = max(0, len(origins) - self._limit)
            found.origins = [self.row(*origin) for origin in origins[: self._limit]]
        return found


def look(steps: Sequence[Step], number: int, key: Pointer) -> tuple[Reason, list[tuple[int, Pointer]]]:
    """A row without its origins, and the steps and ids of these.

    They are found through rows that are made at its line. Of several in one table those come first that the
    row names or has most cells in common with: of a group, the one with its largest value.
    """
    step = steps[number]
    frame = step.frame
    place = ("", 0, "", "") if frame is None else (frame.file, frame.line, frame.function, frame.source)
    named = zip(step.columns, step.rows[key], strict=True)
    reason = Reason(key, {name: value for name, value in named if INTERNAL not in name}, [], *place)
    line = (reason.file, reason.line)
    todo, seen = deque([(number, key)]), {(number, key)}
    outside: list[tuple[int, Pointer]] = []
    while todo:
        at, of = todo.popleft()
        step = steps[at]
        if step.operation not in reason.operations:
            reason.operations.append(step.operation)
        if step.ends is not None and step.ends not in reason.ends:
            reason.ends.append(step.ends)
        for to, pairs in step.links:
            rows, frame = steps[to].rows, steps[to].frame
            inside = frame is not None and (frame.file, frame.line) == line
            origins = [
                (to, origin)
                for origin in ([of] if pairs is None else pairs.get(of, []))
                if origin in rows and (to, origin) not in seen
            ]
            seen.update(origins)
            if len(origins) > 1:
                _most_alike_first(origins, rows, step.rows[of])
            (todo if inside else outside).extend(origins)
    if len(reason.operations) > 1 and _SELECT in reason.operations:
        reason.operations.remove(_SELECT)
    return reason, outside


def _most_alike_first(
    origins: list[tuple[int, Pointer]], rows: dict[Pointer, tuple[Any, ...]], row: tuple[Any, ...]
) -> None:
    """Sorts rows of a table by how many of their cells and ids are cells of a row that comes from them."""
    cells = {cell for cell in row if isinstance(cell, _SCALARS)}

    def unlike(origin: tuple[int, Pointer]) -> int:
        of_origin = rows[origin[1]]
        return -sum(isinstance(cell, _SCALARS) and cell in cells for cell in (origin[1], *of_origin))

    origins.sort(key=unlike)
