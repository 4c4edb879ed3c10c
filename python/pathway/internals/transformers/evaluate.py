"""Attributes of rows, computed when they are needed and again when what they were made of has changed.

Every attribute (and call of a method) is a [`Node`][]; while it is computed, the input cells and the
nodes that it reads are noted. A change of an input marks what depends on it: nodes that read the cell
have to be computed again, nodes further away are looked at first, since the ones in between may come
out as they were. Only outputs that were marked are asked for again.

Python's stack limits how deep functions can call each other. Beyond a certain depth a node that needs
another one is abandoned, the other one is computed first, and then the node from its beginning.
"""

from __future__ import annotations

import enum
from collections.abc import Callable, Hashable, Iterator, Sequence
from types import TracebackType
from typing import TYPE_CHECKING, Any

from pathway._engine import ERROR, Pointer

if TYPE_CHECKING:
    from pathway.internals.transformers.declare import ClassArg

#: Nodes that may be under way in Python functions that call each other.
_DEEPEST = 40
#: What tells the nodes of a row from each other: the name first.
Key = tuple[Hashable, ...]

#: Members of a cycle that are named.
_LONGEST_CYCLE = 6


class MissingRowError(KeyError):
    """A row was read that does not exist: so does not the one that needs it."""

    def __str__(self) -> str:
        return str(self.args[0])


class ErrorCellError(Exception):
    """A cell was read that is an error; it was reported where it arose."""


class _Suspended(BaseException):  # no `except Exception` of a user's may stop it
    def __init__(self, node: Node) -> None:
        self.node = node


class State(enum.Enum):
    """What is known of the value of a node."""

    CLEAN = enum.auto()
    #: Something that it depends on may have changed.
    CHECK = enum.auto()
    #: It has to be computed.
    DIRTY = enum.auto()


class Cell:
    """Something that nodes read: an input value, or whether a row exists."""

    __slots__ = ("changed", "dependents", "row")

    def __init__(self, row: Row) -> None:
        self.row = row
        self.changed = 0
        self.dependents: set[Node] = set()


class Node(Cell):
    """A computed value."""

    __slots__ = (
        *("active", "checked", "compute", "deps", "error", "is_output", "key", "state", "trace"),
        *("value", "verified"),
    )

    def __init__(self, row: Row, key: Key, compute: Callable[[], Any], is_output: bool) -> None:
        super().__init__(row)
        self.key = key
        self.compute = compute
        self.is_output = is_output
        self.state = State.DIRTY
        self.active = False
        self.verified = 0
        #: How many of the dependencies have been looked at.
        self.checked = 0
        self.value: Any = None
        self.error: Exception | None = None
        self.trace: TracebackType | None = None
        self.deps: list[Cell] = []

    def __repr__(self) -> str:
        return f"{self.row.rows.name}[{self.row.id}].{self.key[0]}"


class Row:
    """A row of an inner class; `values` is None while it does not exist."""

    __slots__ = ("cells", "id", "nodes", "rows", "values")

    def __init__(self, rows: Rows, row_id: Pointer) -> None:
        self.rows = rows
        self.id = row_id
        self.values: Sequence[Any] | None = None
        self.cells: dict[str | None, Cell] = {}  # None: whether it exists
        self.nodes: dict[Key, Node] = {}

    def cell(self, name: str | None) -> Cell:
        """An input cell, or the existence of the row."""
        cell = self.cells.get(name)
        if cell is None:
            cell = self.cells[name] = Cell(self)
        return cell


class Rows:
    """All rows of an inner class of a transformer that was applied to tables."""

    def __init__(self, computation: Computation, name: str, cls: type[ClassArg], columns: list[str]) -> None:
        self.computation = computation
        self.name = name
        self.cls = cls
        self.positions = {column: position for position, column in enumerate(columns)}
        #: Inner classes of the same application, by name.
        self.siblings: dict[str, Rows] = {}
        #: For each input method, where its rows are and how the method is called there.
        self.methods: dict[str, tuple[Rows, str]] = {}
        #: Names of the attributes that are computed for the output; None for methods.
        self.outputs: list[tuple[str, bool]] = []
        self._rows: dict[Pointer, Row] = {}

    def row(self, row_id: Pointer) -> Row:
        """The row of an id, whether it exists or not."""
        row = self._rows.get(row_id)
        if row is None:
            row = self._rows[row_id] = Row(self, row_id)
        return row

    def __iter__(self) -> Iterator[Row]:
        return iter(self._rows.values())

    def forget_if_unused(self, row: Row) -> None:
        """Forgets a row that does not exist and that nobody asks for."""
        if row.values is None and not any(cell.dependents for cell in row.cells.values()):
            self._rows.pop(row.id, None)


class _Reads:
    """What a node that is under way has read, and what it was abandoned for."""

    __slots__ = ("cells", "suspended")

    def __init__(self) -> None:
        self.cells: dict[Cell, None] = {}
        self.suspended: Node | None = None


class Computation:
    """The values of all attributes of some applications of transformers, kept up to date."""

    def __init__(self) -> None:
        self.revision = 0
        self._reads: list[_Reads] = []
        self._under_way: list[Node] = []
        self._marked: dict[Row, None] = {}

    # --- what functions read ----------------------------------------------------------------------

    def read_input(self, row: Row, name: str) -> Any:
        """The value of an input column of a row."""
        if row.values is None:
            self._missing(row)
        self._note(row.cell(name))
        value = row.values[row.rows.positions[name]]  # type: ignore[index]
        if value is ERROR:
            raise ErrorCellError(f"{row.rows.name}[{row.id}].{name} is an error")
        return value

    def read_computed(
        self, row: Row, key: Key, compute: Callable[[], Any], *, is_output: bool = False
    ) -> Any:
        """The value of an attribute, or of a call of a method, computed if need be."""
        if row.values is None:
            self._missing(row)
        node = self._node(row, key, compute, is_output)
        self._note(node)
        if node.state is not State.CLEAN:
            if node.active:
                raise self._cycle(node)
            if len(self._reads) >= _DEEPEST:
                self._reads[-1].suspended = node
                raise _Suspended(node)
            self.demand(node)
        if node.error is not None:
            raise node.error.with_traceback(node.trace)
        return node.value

    def _note(self, cell: Cell) -> None:
        if self._reads:
            self._reads[-1].cells[cell] = None

    def _missing(self, row: Row) -> None:
        self._note(row.cell(None))
        raise MissingRowError(
            f"the row with id {row.id} does not exist in {row.rows.name}, but an attribute of it is needed"
        )

    def _cycle(self, node: Node) -> RecursionError:
        names = [repr(active) for active in self._under_way[self._under_way.index(node) :]]
        if len(names) > _LONGEST_CYCLE:
            names[_LONGEST_CYCLE - 1 : -1] = [f"... ({len(names) - _LONGEST_CYCLE} more)"]
        return RecursionError(
            f"attributes depend on each other in a circle: {' <- '.join([*names, repr(node)])}"
        )

    # --- computing --------------------------------------------------------------------------------

    def demand(self, node: Node) -> None:
        """Brings a node up to date, and what it needs before it, without recursion."""
        base = len(self._under_way)
        self._push(node)
        try:
            while len(self._under_way) > base:
                current = self._under_way[-1]
                needed = self._check(current) if current.state is State.CHECK else None
                if needed is None and current.state is State.DIRTY:
                    needed = self._run(current)
                if needed is None:
                    self._under_way.pop().active = False
                else:
                    self._push(needed)
        finally:
            while len(self._under_way) > base:
                self._under_way.pop().active = False

    def _push(self, node: Node) -> None:
        node.active = True
        node.checked = 0
        self._under_way.append(node)

    def _check(self, node: Node) -> Node | None:
        """Looks at what the node depends on, in the order in which it read it; gives what has to be
        brought up to date first."""
        while node.checked < len(node.deps):
            dep = node.deps[node.checked]
            if isinstance(dep, Node) and dep.state is not State.CLEAN:
                if not dep.active:
                    return dep
                node.state = State.DIRTY  # a circle: computing it tells
                return None
            if dep.changed > node.verified:
                node.state = State.DIRTY
                return None
            node.checked += 1
        node.state, node.verified = State.CLEAN, self.revision
        return None

    def _run(self, node: Node) -> Node | None:
        """Computes the node; gives what has to be computed first, if that is too deep."""
        reads = _Reads()
        self._reads.append(reads)
        value, error = None, None
        try:
            value = node.compute()
        except _Suspended:
            pass
        except Exception as raised:
            error = raised
            node.trace = raised.__traceback__
        finally:
            self._reads.pop()
        if reads.suspended is not None:
            return reads.suspended
        self._depend(node, list(reads.cells))
        is_new = node.changed == 0
        if is_new or error is not node.error or not _same(value, node.value):
            node.changed = self.revision
        node.value, node.error = value, error
        node.state, node.verified = State.CLEAN, self.revision
        return None

    def _depend(self, node: Node, deps: list[Cell]) -> None:
        before, node.deps = node.deps, deps
        for dep in deps:
            dep.dependents.add(node)
        self._release(node, set(before).difference(deps))

    def _release(self, node: Node, deps: set[Cell]) -> None:
        """The node does not depend on these any more; what nobody needs is forgotten."""
        todo = [(node, dep) for dep in deps]
        while todo:
            user, dep = todo.pop()
            dep.dependents.discard(user)
            if dep.dependents:
                continue
            if isinstance(dep, Node):
                if not dep.is_output and not dep.active and dep.row.nodes.pop(dep.key, None) is not None:
                    todo += [(dep, below) for below in dep.deps]
                    dep.deps = []
            else:
                dep.row.rows.forget_if_unused(dep.row)

    def _node(self, row: Row, key: Key, compute: Callable[[], Any], is_output: bool) -> Node:
        node = row.nodes.get(key)
        if node is None:
            node = row.nodes[key] = Node(row, key, compute, is_output)
        elif is_output:
            node.is_output = True
        return node

    # --- changes ----------------------------------------------------------------------------------

    def begin(self) -> None:
        """Starts the changes of a time."""
        self.revision += 1

    def put(self, row: Row, values: Sequence[Any]) -> None:
        """A row has come, or has other values."""
        before, row.values = row.values, values
        if before is None:
            self._marked[row] = None
            self._changed(list(row.cells.values()))
            return
        different = [
            name
            for name, position in row.rows.positions.items()
            if name in row.cells and not _same(before[position], values[position])
        ]
        self._changed([row.cells[name] for name in different])

    def remove(self, row: Row) -> None:
        """A row has gone."""
        row.values = None
        self._marked[row] = None
        nodes, row.nodes = list(row.nodes.values()), {}
        self._changed([*row.cells.values(), *nodes])
        for node in nodes:
            node.state = State.CLEAN  # it has changed and will not be asked for again
            self._release(node, set(node.deps))
            node.deps = []
        row.rows.forget_if_unused(row)

    def _changed(self, cells: Sequence[Cell]) -> None:
        todo: list[Node] = []
        for cell in cells:
            cell.changed = self.revision
            for node in cell.dependents:
                if node.state is State.CLEAN:
                    todo.append(node)
                node.state = State.DIRTY
        while todo:
            marked = todo.pop()
            if marked.is_output:
                self._marked[marked.row] = None
            for node in marked.dependents:
                if node.state is State.CLEAN:
                    node.state = State.CHECK
                    todo.append(node)

    def mark(self, row: Row) -> None:
        """Lets the outputs of a row be asked for."""
        self._marked[row] = None

    def take_marked(self) -> list[Row]:
        """The rows whose outputs may have changed since the last call."""
        marked, self._marked = list(self._marked), {}
        return marked


def _same(a: Any, b: Any) -> bool:
    """True if two values are certainly equal, and of one type."""
    if a is b:
        return True
    if type(a) is not type(b):
        return False
    try:
        equal = a == b
        return equal if isinstance(equal, bool) else bool(equal.all())
    except Exception:  # values of the user's, which may compare as they like
        return False
