"""The rows of the outputs of runs, and what each of them comes from: computed beforehand, for all of them."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

from pathway._engine import Frame, Pointer
from pathway._engine import Table as EngineTable
from pathway.debug.why import Reason, Step, Walk, look, steps_of, text
from pathway.internals.config import RunConfig
from pathway.internals.parse_graph import G
from pathway.internals.run_options import RunOptions

#: What sinks of tables that a program only looks at are called.
_CAPTURE = "capture"


class NotBounded(Exception):
    """An output has an input that does not end."""


class NoSuchRow(Exception):
    """There is no such output or row, or there are several; the text says which there are."""


class Output(NamedTuple):
    """An output of a run, after it."""

    name: str
    frame: Frame | None
    #: The number of its table among the steps.
    table: int
    columns: list[str]
    rows: dict[Pointer, tuple[Any, ...]]

    def cells(self, row: tuple[Any, ...]) -> list[str]:
        """The cells of a row as texts."""
        return [text(value) for value in row]


class Row(NamedTuple):
    """A row with what it comes from, as far as that has been looked at."""

    table: int
    reason: Reason
    #: The numbers of others in the same list; None: not looked at.
    origins: list[int] | None


class Reasons:
    """Outputs with all of their rows, and all rows of the tables before that these come from."""

    def __init__(self) -> None:
        self.outputs: list[Output] = []
        self._steps: list[Step] = []

    def add(self, numbers: Sequence[int], options: RunOptions, *, ends: bool) -> None:
        """Runs some outputs, but in place of writing them keeps what they and their rows come from.

        Args:
            numbers: the outputs.
            options: of the run; in one for debugging, data for that stands for that of sources.
            ends: all sources come to an end in this run, whatever they are.

        Raises:
            NotBounded: a source does not end.
        """
        config = RunConfig.from_environment()
        if config.workers > config.threads:
            raise ValueError("reasons are told in runs of one process; set PATHWAY_PROCESSES=1.")
        found = [_described(number) for number in numbers]
        for name, _, table in found:
            if not (ends or (table.is_bounded_in_debug if options.debug else table.is_bounded)):
                raise NotBounded(f"the output {name} has an input that does not end")
        origins, tables = G.engine.origins_of_all([table for _, _, table in found])
        first = len(self._steps)
        for step in steps_of(origins, options):
            links = [(first + to, pairs) for to, pairs in step.links]
            self._steps.append(step._replace(links=links))
        taken = {output.name for output in self.outputs}
        for (name, frame, _), at in zip(found, tables, strict=True):
            number, unique = 2, name
            while unique in taken:
                number, unique = number + 1, f"{name} ({number})"
            taken.add(unique)
            step = self._steps[first + at]
            self.outputs.append(Output(unique, frame, first + at, step.columns, step.rows))

    def output(self, name: str | None) -> Output:
        """The output with this name, or the only one that has it in its name.

        Raises:
            NoSuchRow: there is none, or there are several.
        """
        names = ", ".join(output.name for output in self.outputs)
        if name is None:
            if len(self.outputs) == 1:
                return self.outputs[0]
            raise NoSuchRow(f"there are {len(self.outputs)} outputs, one of which has to be chosen: {names}")
        exact = [output for output in self.outputs if output.name == name]
        found = exact or [output for output in self.outputs if name in output.name]
        if len(found) == 1:
            return found[0]
        count = f"{len(found)} outputs have" if found else "no output has"
        raise NoSuchRow(f"{count} {name!r} in the name; the outputs are: {names}")

    def find(self, output: Output, prefix: str | None, cells: dict[str, str]) -> Pointer:
        """The only row of an output whose id begins so, and whose cells have these texts.

        Raises:
            NoSuchRow: there is none, or there are several.
        """
        for name in cells:
            if name not in output.columns:
                columns = ", ".join(output.columns)
                raise NoSuchRow(
                    f"the output {output.name} has no column {name!r}; its columns are: {columns}"
                )
        places = [(output.columns.index(name), wanted) for name, wanted in cells.items()]
        beginning = "" if prefix is None else prefix.removesuffix("...")
        found = [
            key
            for key, row in output.rows.items()
            if all(wanted in (str(row[place]), text(row[place])) for place, wanted in places)
            and str(key).startswith(beginning)
        ]
        if len(found) == 1:
            return found[0]
        asked = [f"{name}={wanted}" for name, wanted in cells.items()] + ([] if prefix is None else [prefix])
        told = f"{len(found)} rows" if found else "no row"
        way_out = "; tell more of the cells, or the id" if found else f" among {len(output.rows)}"
        raise NoSuchRow(f"the output {output.name} has {told} with {' and '.join(asked)}{way_out}")

    def reason(self, output: Output, row: Pointer, limit: int) -> Reason:
        """What a row of an output comes from, back to the inputs, with so many rows of each group."""
        return Walk(self._steps, limit).row(output.table, row)

    def unfolded(self, table: int, row: Pointer, limit: int, *, each: int, most: int) -> list[Row]:
        """A row with what it comes from, so many rows of it, and below it `each`, the nearest ones first.

        Raises:
            KeyError: there is no such row.
        """
        rows: list[Row] = []
        numbers = {(table, row): 0}
        todo = [(table, row)]
        for at, (number, key) in enumerate(todo):
            reason, origins = look(self._steps, number, key)
            kept = origins[: each if at else limit]
            reason.more = len(origins) - len(kept)
            new = [origin for origin in kept if origin not in numbers]
            if at and len(todo) + len(new) > most:
                rows.append(Row(number, reason, None if origins else []))
                continue
            for origin in new:
                numbers[origin] = len(todo)
                todo.append(origin)
            rows.append(Row(number, reason, [numbers[origin] for origin in kept]))
        return rows

    def matching(self, output: Output, wanted: str) -> Iterator[tuple[Pointer, list[str]]]:
        """The rows of an output that have a text in a cell, or at the beginning of the id."""
        wanted = wanted.casefold()
        for key, row in output.rows.items():
            cells = output.cells(row)
            if (
                not wanted
                or any(wanted in cell.casefold() for cell in cells)
                or str(key).casefold().startswith(wanted)
            ):
                yield key, cells


def _described(number: int) -> tuple[str, Frame | None, EngineTable]:
    """What an output is called, its line and its table."""
    name, sink, frame, table = G.engine.output_at(number)
    if name is not None or sink != _CAPTURE:
        return name or sink, frame, table
    # A table that the program looks at is known by the line that made it.
    made = table.frame
    return "table" if made is None else f"table of {os.path.basename(made.file)}:{made.line}", made, table


__all__ = ["NoSuchRow", "NotBounded", "Output", "Reasons", "Row"]
