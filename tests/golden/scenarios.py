"""Reads golden scenarios (see README.md) and runs them with the `pathway` that is installed."""

from __future__ import annotations

import contextlib
import io
import os
import re
import warnings
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pathway as pw
from pathway.internals.parse_graph import G

from .cells import NotationError, Type, parse_cell, parse_pointer, parse_type, printed

FOLDER = Path(__file__).resolve().parent

_TITLE = re.compile(r"^## +(.+)$")
_TABLE = re.compile(r"^(Input|Output) +`(\w+)`.*:$")
_RAISES = re.compile(r"^Raises +`(\w+)` +at (build|run)(?:, line (\d+))?\.$")
_OPTION = re.compile(r"^Option +`(\w+)=(\w+)`\.$")


@dataclass(frozen=True)
class Column:
    """A header cell: `name: type`, or one of the special columns."""

    name: str
    type: Type
    key: bool = False


@dataclass
class Block:
    """A table as it stands in the file."""

    name: str
    line: int
    columns: list[Column]
    rows: list[list[str]]

    def special(self, name: str) -> int | None:
        """Position of `id`, `__time__` or `__diff__`, if the table has it."""
        for position, column in enumerate(self.columns):
            if column.name == name:
                return position
        return None

    def ordinary(self) -> list[tuple[int, Column]]:
        """The columns that belong to the table itself."""
        return [(i, c) for i, c in enumerate(self.columns) if c.name not in ("id", "__time__", "__diff__")]


@dataclass
class Scenario:
    """One `##` section of a file."""

    path: Path
    title: str
    line: int
    inputs: list[Block] = field(default_factory=list)
    program: str = ""
    program_line: int = 0
    outputs: list[Block] = field(default_factory=list)
    raises: tuple[str, str, int | None] | None = None
    options: dict[str, Any] = field(default_factory=dict)

    @property
    def name(self) -> str:
        return f"{self.path.stem}: {self.title}"


def all_scenarios() -> list[Scenario]:
    """Every scenario of every file, in order."""
    paths = sorted(path for path in FOLDER.glob("*.md") if path.name != "README.md")
    return [scenario for path in paths for scenario in read(path)]


def read(path: Path) -> list[Scenario]:
    """The scenarios of one file."""
    scenarios: list[Scenario] = []
    lines = path.read_text(encoding="utf-8").splitlines()
    position = 0
    while position < len(lines):
        line, number = lines[position].rstrip(), position + 1
        position += 1
        if match := _TITLE.match(line):
            scenarios.append(Scenario(path, match[1].strip(), number))
            continue
        if not scenarios:
            continue
        current = scenarios[-1]
        if line == "```python":
            end = lines.index("```", position)
            current.program, current.program_line = "\n".join(lines[position:end]), position + 1
            position = end + 1
        elif match := _TABLE.match(line):
            block, position = _read_table(path, match[2], lines, position)
            (current.inputs if match[1] == "Input" else current.outputs).append(block)
        elif match := _RAISES.match(line):
            current.raises = (match[1], match[2], int(match[3]) if match[3] else None)
        elif match := _OPTION.match(line):
            current.options[match[1]] = {"True": True, "False": False}[match[2]]
        elif re.match(r"^(Input|Output|Raises|Option)\b", line):
            raise NotationError(f"{path}:{number}: cannot read {line!r}")
    for scenario in scenarios:
        if not scenario.program or not (scenario.outputs or scenario.raises):
            raise NotationError(
                f"{path}:{scenario.line}: {scenario.title} needs a program and what comes out"
            )
    return scenarios


def _cells(line: str) -> list[str]:
    return [cell.strip() for cell in line.strip().removeprefix("|").removesuffix("|").split("|")]


def _read_table(path: Path, name: str, lines: list[str], position: int) -> tuple[Block, int]:
    while position < len(lines) and not lines[position].strip():
        position += 1
    start = position
    while position < len(lines) and lines[position].startswith("|"):
        position += 1
    if position - start < 2:
        raise NotationError(f"{path}:{start + 1}: a table with a header is missing")
    columns = [_column(cell) for cell in _cells(lines[start])]
    rows = [_cells(line) for line in lines[start + 2 : position]]
    for offset, row in enumerate(rows):
        if len(row) != len(columns):
            raise NotationError(f"{path}:{start + 3 + offset}: {len(row)} cells under {len(columns)} headers")
    return Block(name, start + 1, columns, rows), position


def _column(text: str) -> Column:
    if text in ("__time__", "__diff__"):
        return Column(text, parse_type("int"))
    if text == "id":
        return Column(text, parse_type("pointer"))
    name, separator, notation = text.partition(":")
    if not separator:
        raise NotationError(f"header {text!r} has no type")
    notation = notation.strip()
    key = notation.endswith(" key")
    return Column(name.strip(), parse_type(notation.removesuffix(" key")), key)


def build_input(block: Block) -> pw.Table[Any]:
    """The table of an input block; its row ids are `key(label)`, or those of its key columns."""
    ordinary = block.ordinary()
    label, when, diff = (block.special(name) for name in ("id", "__time__", "__diff__"))
    keyed = any(column.key for _, column in ordinary)
    if label is not None and keyed:
        raise NotationError(f"input {block.name}: either an id column or key columns")
    if label is None and not keyed and any(diff is not None and row[diff] == "-1" for row in block.rows):
        raise NotationError(f"input {block.name}: deletions need an id column or key columns")
    definitions = {
        column.name: pw.column_definition(dtype=column.type.annotation(), primary_key=column.key)
        for _, column in ordinary
    }
    if not keyed:
        kind: Any = int if all(_is_int(row[label]) for row in block.rows if label is not None) else str
        definitions["_label"] = pw.column_definition(dtype=kind, primary_key=True)
    rows = []
    for number, row in enumerate(block.rows):
        values = [parse_cell(row[i], column.type) for i, column in ordinary]
        if not keyed:
            text = str(number) if label is None else row[label]
            values.append(int(text) if kind is int else text)
        values += [int(row[when]) if when is not None else 0, int(row[diff]) if diff is not None else 1]
        rows.append(tuple(values))
    table = pw.debug.table_from_rows(pw.schema_builder(definitions), rows, is_stream=True)
    return table if keyed else table.without("_label").update_id_type(pw.Pointer)


def _is_int(text: str) -> bool:
    return text.lstrip("-").isdigit()


Change = tuple[str, ...]


def expected(block: Block, lines: Counter[Change] | None = None) -> Counter[Change]:
    """What the block says, as printed cells: (time, diff, id if it has one, cells…), with multiplicities."""
    when, diff, label = (block.special(name) for name in ("__time__", "__diff__", "id"))
    changes = Counter[Change]() if lines is None else lines
    for row in block.rows:
        cells = [printed(row[i], column.type) for i, column in block.ordinary()]
        if label is not None:
            cells.insert(0, str(parse_pointer(row[label])))
        sign = int(row[diff]) if diff is not None else 1
        if when is not None:
            changes[(row[when], str(sign), *cells)] += 1
        else:
            changes[tuple(cells)] += sign
    return changes


def observed(block: Block, table: pw.Table[Any], options: dict[str, Any]) -> Counter[Change]:
    """The same for what a run produces. Without a time column in the block: the net result of all changes."""
    text = io.StringIO()
    with contextlib.redirect_stdout(text):
        pw.debug.compute_and_print_update_stream(table, short_pointers=False, **options)
    lines = text.getvalue().splitlines()
    starts = [0] + [match.end() for match in re.finditer(r" \| ", lines[0])]
    names = ["id", *table.column_names(), "__time__", "__diff__"]
    if len(starts) != len(names):
        raise NotationError(f"cannot tell the columns {names} apart in {lines[0]!r}")
    ends = [start - 3 for start in starts[1:]] + [None]
    place = {name: position for position, name in enumerate(names)}
    wanted = [place[column.name] for _, column in block.ordinary()]
    if block.special("id") is not None:
        wanted.insert(0, place["id"])
    changes = Counter[Change]()
    for line in lines[1:]:
        cells = [line[start:end].strip() for start, end in zip(starts, ends, strict=True)]
        row = tuple(cells[position] for position in wanted)
        if block.special("__time__") is not None:
            changes[(cells[place["__time__"]], cells[place["__diff__"]], *row)] += 1
        else:
            changes[row] += int(cells[place["__diff__"]])
    return Counter({row: count for row, count in changes.items() if count})


def same_type(declared: Type, found: Any) -> bool:
    """True if the table's column has the declared type; the arguments of pointers are not compared."""
    if declared.name == "pointer":
        return "Pointer" in str(found) and declared.optional == ("None" in str(found))
    return bool(declared.annotation() == found)


@contextlib.contextmanager
def workers(count: int) -> Iterator[None]:
    """Runs inside the block use this number of worker threads."""
    before = os.environ.get("PATHWAY_THREADS")
    os.environ["PATHWAY_THREADS"] = str(count)
    try:
        yield
    finally:
        if before is None:
            del os.environ["PATHWAY_THREADS"]
        else:
            os.environ["PATHWAY_THREADS"] = before


def execute(scenario: Scenario) -> dict[str, Any]:
    """Builds the inputs, runs the program text, and returns its names. Its lines are those of the file."""
    G.clear()
    names: dict[str, Any] = {"pw": pw, **{block.name: build_input(block) for block in scenario.inputs}}
    padded = "\n" * (scenario.program_line - 1) + scenario.program
    exec(compile(padded, str(scenario.path), "exec"), names)
    return names


def check(scenario: Scenario, worker_count: int = 1) -> None:
    """Runs the scenario; raises AssertionError with both sides if it does not do what the file says."""
    with workers(worker_count), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        if scenario.raises is not None:
            _check_raises(scenario)
            return
        names = execute(scenario)
        for block in scenario.outputs:
            table = names[block.name]
            hints = table.typehints()
            declared = [column.name for _, column in block.ordinary()]
            assert list(hints) == declared, f"columns of {block.name}: {list(hints)}, expected {declared}"
            for _, column in block.ordinary():
                found = hints[column.name]
                assert same_type(column.type, found), (
                    f"type of {column.name}: {found}, expected {column.type}"
                )
            want, got = expected(block), observed(block, table, scenario.options)
            assert got == want, difference(block.name, want, got)


def difference(name: str, want: Counter[Change], got: Counter[Change]) -> str:
    """Both streams as a listing: what is missing and what is there too much."""
    lines = [f"{name} differs (time, diff, cells):"]
    lines += [f"  missing   {row}" for row in sorted((want - got).elements())]
    lines += [f"  surplus   {row}" for row in sorted((got - want).elements())]
    lines += [f"  as said   {row}" for row in sorted((want & got).elements())]
    return "\n".join(lines)


def _check_raises(scenario: Scenario) -> None:
    assert scenario.raises is not None
    kind, moment, line = scenario.raises
    stage, error = _first_exception(scenario)
    assert error is not None, f"nothing was raised, expected {kind} at {moment}"
    raised = [cls.__name__ for cls in type(error).__mro__]
    assert kind in raised, f"raised {type(error).__name__} ({error}), expected {kind}"
    assert stage == moment, f"{kind} came at {stage}, expected at {moment}"
    if line is not None:
        place = f"{scenario.path}:{scenario.program_line + line - 1}"
        notes = "\n".join(getattr(error, "__notes__", []))
        assert place in notes, f"the note does not name {place}: {notes!r}"


def _first_exception(scenario: Scenario) -> tuple[str, Exception | None]:
    """The first exception of building, then running the program, and at which of the two it came."""
    try:
        names = execute(scenario)
    except Exception as error:
        return "build", error
    try:
        for table in names.values():
            if isinstance(table, pw.Table):
                with contextlib.redirect_stdout(io.StringIO()):
                    pw.debug.compute_and_print_update_stream(table, **scenario.options)
    except Exception as error:
        return "run", error
    return "run", None
