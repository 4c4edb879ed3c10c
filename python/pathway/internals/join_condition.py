"""Building a join: its arguments and conditions checked, its columns placed."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from pathway import _engine
from pathway._engine import Expr
from pathway.internals.expression.column import ColumnReference
from pathway.internals.expression.expression import ColumnExpression
from pathway.internals.expression.nodes import Binary
from pathway.internals.join_mode import JoinMode
from pathway.internals.joinable import Joinable
from pathway.internals.joins import ROW_IDS, JoinResult
from pathway.internals.resolve import Scope, TableScope
from pathway.internals.table import Table
from pathway.internals.thisclass import Placeholder, TablePlaceholder
from pathway.internals.trace import current_frame

_FORM = "a join condition compares two columns: left.column == right.column"
_HOW = {JoinMode.INNER: "inner", JoinMode.LEFT: "left", JoinMode.RIGHT: "right", JoinMode.OUTER: "outer"}


_Result = TypeVar("_Result", bound=JoinResult)
#: A left and a right column that are equal.
Pair = tuple[ColumnReference, ColumnReference]


@dataclass(frozen=True)
class Joined:
    """The engine's table of a join, and what it is made of."""

    engine: _engine.Table
    sides: Sides
    how: JoinMode
    pairs: Sequence[Pair]
    #: The rows of both sides that were joined.
    rows: tuple[_engine.Table, _engine.Table]


def make_join(left: Joinable, right: Joinable, on: tuple[Any, ...], **options: Any) -> JoinResult:
    """The join of two tables or joins; options as those of [`joined`][]."""
    return place(joined(left, right, on, **options), JoinResult)


def joined(
    left: Joinable,
    right: Joinable,
    on: tuple[Any, ...],
    *,
    how: Any,
    id: Any = None,
    instances: tuple[Any, Any] = (None, None),
    exactly_once: tuple[bool, bool] = (False, False),
    in_time: Callable[[Sides], _engine.InTime] | None = None,
    with_itself: bool = False,
) -> Joined:
    """The join of two tables or joins, with its arguments checked; `with_itself` if they may be the same."""
    _check_sides(left, right, with_itself)
    _check_how(how)
    sides = Sides(left, right)
    conditions = [sides.condition(condition) for condition in on]
    for side, flag in zip(("left", "right"), exactly_once, strict=True):
        if not isinstance(flag, bool):
            raise TypeError(f"join(): parameter {side}_exactly_once={flag!r} violates type hint bool.")
    if (instances[0] is None) != (instances[1] is None):
        raise ValueError("left_instance and right_instance go together; one of them is missing.")
    paired = None if instances[0] is None else sides.pair(*instances)
    engine = left._engine.join(
        right._engine,
        [sides.lower(pair) for pair in conditions],
        how=_HOW[how],
        id=sides.id_side(id),
        left_instance=None if paired is None else sides.lower(paired)[0],
        right_instance=None if paired is None else sides.lower(paired)[1],
        left_exactly_once=exactly_once[0],
        right_exactly_once=exactly_once[1],
        in_time=None if in_time is None else in_time(sides),
        frame=current_frame(),
    )
    pairs = conditions if paired is None else [*conditions, paired]
    return Joined(engine.table, sides, how, pairs, engine.rows)


def _check_sides(left: Joinable, right: Any, with_itself: bool) -> None:
    if not isinstance(right, Joinable):
        raise TypeError(f"join(): parameter other={right!r} violates type hint Joinable: it is no table.")
    if with_itself:
        return
    if left is right:
        raise ValueError("the sides of a join have to be two tables: use table.copy() for one of them.")
    common = {id(table) for table in _tables(left)} & {id(table) for table in _tables(right)}
    if common:
        raise AssertionError(
            "both sides of the join contain the same table, so its columns would be ambiguous. Use "
            "<table>.copy() on one side."
        )


def _check_how(how: Any) -> None:
    if isinstance(how, str):
        raise ValueError(
            f"how={how!r} is a string; write pw.JoinMode.{how.upper()} (there are INNER, LEFT, RIGHT, OUTER)."
        )
    if not isinstance(how, JoinMode):
        raise ValueError(f"how={how!r} is no member of pw.JoinMode.")


def _tables(side: Any) -> Iterator[Any]:
    """The table, or the tables below a join, and the joins themselves."""
    yield side
    if isinstance(side, JoinResult):
        yield from _tables(side._left)
        yield from _tables(side._right)


class Sides:
    """The two sides of a join, and which columns belong to which."""

    def __init__(self, left: Joinable, right: Joinable) -> None:
        self.left, self.right = left, right
        self._scopes = (_side_scope(left), _side_scope(right))
        self._members = ({id(t) for t in _tables(left)}, {id(t) for t in _tables(right)})

    def condition(self, condition: Any) -> Pair:
        """The two columns of a condition, checked."""
        if not isinstance(condition, Binary) or condition._op != "eq":
            raise ValueError(f"{_FORM}, found {condition!r}.")
        first, second = condition._operands
        if not isinstance(first, ColumnReference) or not isinstance(second, ColumnReference):
            raise ValueError(f"{_FORM}, found {condition!r}. Compute expressions first, with with_columns().")
        return self.pair(first, second)

    def pair(self, first: Any, second: Any) -> Pair:
        """A left and a right column, resolved; ValueError if they belong elsewhere."""
        for column in (first, second):
            if not isinstance(column, ColumnReference):
                raise ValueError(f"{_FORM}; {column!r} is not a column.")
        if self._side_of(first) == "right" and self._side_of(second) == "left":
            raise ValueError(
                "the column of the left side comes first in a join condition, so write "
                f"left.{second.name} == right.{first.name}."
            )
        for column, side in ((first, "left"), (second, "right")):
            if self._side_of(column) != side:
                raise ValueError(
                    f"{column!r} is no column of the {side} side of the join, where this condition "
                    "expects one."
                )
        return self._resolve(0, first), self._resolve(1, second)

    def place_of(self, column: ColumnReference) -> tuple[int, ColumnReference]:
        """The side that a column belongs to (0 is the left one), and the column of that side's table."""
        side = self._side_of(column)
        if side is None:
            raise ValueError(f"{column!r} is a column of neither side of the join.")
        number = 0 if side == "left" else 1
        return number, self._resolve(number, column)

    def _side_of(self, column: ColumnReference) -> str | None:
        table = column.table
        while isinstance(table, Placeholder) and not isinstance(table, TablePlaceholder):
            table = getattr(table, "_source", None)
        if isinstance(table, TablePlaceholder):
            return "right" if table._kind == "right" else "left"
        for side, members in zip(("left", "right"), self._members, strict=True):
            if id(table) in members:
                return side
        return None

    def _resolve(self, side: int, column: ColumnReference) -> ColumnReference:
        return self._scopes[side].resolve(column)

    def prefixes(self) -> dict[int, str]:
        """The prefix of the engine's columns for each table or join below, by its identity."""
        prefixes: dict[int, str] = {}
        for prefix, side in (("l.", self.left), ("r.", self.right)):
            below = side._prefixes if isinstance(side, JoinResult) else {id(side): ""}
            prefixes.update((identity, prefix + inner) for identity, inner in below.items())
        return prefixes

    def lower(self, pair: Pair) -> tuple[Expr, Expr]:
        """The engine's columns."""
        return self._scopes[0].lower(pair[0]), self._scopes[1].lower(pair[1])

    def lower_on(self, side: int, expression: Any) -> Expr:
        """The engine's expression for one over the rows of a side (0 is the left one)."""
        if not isinstance(expression, ColumnExpression):
            raise TypeError(
                f"the times of a join are column expressions; found {expression!r} for its "
                f"{'right' if side else 'left'} side."
            )
        return self._scopes[side].lower(expression)

    def id_side(self, column: Any) -> str | None:
        """`left` or `right`, the side whose ids the joined rows keep."""
        if column is None:
            return None
        if isinstance(column, str):
            raise ValueError(
                f"id={column!r} is a string; the ids of a side are named by a column: pw.left.{column}."
            )
        if not isinstance(column, ColumnReference):
            raise ValueError(f"id={column!r} is no column: write pw.left.id or pw.right.id.")
        side = self._side_of(column)
        own = {"left": self.left, "right": self.right}.get(str(side))
        is_own = isinstance(column.table, Placeholder) or column.table is own
        if not column._is_row_id or not is_own:
            raise AssertionError(
                f"the id argument of a join is the id of one of its sides; {column!r} is not."
            )
        return side


def _side_scope(side: Joinable) -> Scope:
    if isinstance(side, JoinResult):
        return _JoinSideScope(side)
    if isinstance(side, Table):
        return _TableSideScope(side)
    raise TypeError(f"{side!r} cannot be joined")


class _TableSideScope(TableScope):
    """Conditions on one side: `pw.left`, `pw.right` and `pw.this` are that side."""

    def placeholder(self, kind: str) -> Any:
        return self.table


class _JoinSideScope(Scope):
    """Conditions on a side that is itself a join."""

    def __init__(self, join: JoinResult) -> None:
        super().__init__(join._engine)
        self._join = join
        self._inner = join._scope()

    def placeholder(self, kind: str) -> Any:
        return self._join

    def column(self, reference: ColumnReference) -> Expr:
        return self._inner.column(reference)


def place(joined: Joined, result: type[_Result]) -> _Result:
    """The join with its columns under the names that they have in it."""
    sides, engine = joined.sides, joined.engine
    prefixes = sides.prefixes()
    pairs = joined.pairs
    shared = {a.name: (a, b) for a, b in pairs if a.name == b.name and not a._is_row_id and not b._is_row_id}
    names: dict[str, ColumnReference | None] = dict(_named(sides.left))
    for name, column in _named(sides.right):
        names[name] = None if name in names else column
    merged: dict[str, str] = {}
    for name, (left, _) in shared.items():
        names[name] = left
    optional = optional_columns(joined)
    if joined.how is not JoinMode.INNER and shared:
        engine, merged = _merge_keys(sides, engine, prefixes, shared, result._keys_are_there)
    return result(
        engine,
        left=sides.left,
        right=sides.right,
        prefixes=prefixes,
        names=names,
        optional=optional,
        mergeable=merged,
    )


def _named(side: Any) -> Iterator[tuple[str, ColumnReference | None]]:
    if isinstance(side, JoinResult):
        yield from side._columns_by_name()
    else:
        for column in side:
            yield column.name, column


def optional_columns(joined: Joined) -> frozenset[str]:
    """The engine's columns that are Optional only because their side may have no row."""
    result: set[str] = set()
    sides, how = joined.sides, joined.how
    for prefix, side, may_miss in (
        ("l.", sides.left, how in (JoinMode.RIGHT, JoinMode.OUTER)),
        ("r.", sides.right, how in (JoinMode.LEFT, JoinMode.OUTER)),
    ):
        inner = side._optional if isinstance(side, JoinResult) else frozenset()
        for name in side._engine.column_names():
            was_optional = side._engine.column_dtype(name).kind in ("optional", "none", "any")
            if name in inner or (may_miss and not was_optional):
                result.add(prefix + name)
        if may_miss:
            result.add(prefix + ROW_IDS)
    return frozenset(result)


def _merge_keys(
    sides: Sides,
    engine: _engine.Table,
    prefixes: dict[int, str],
    shared: dict[str, Pair],
    keys_are_there: bool,
) -> tuple[_engine.Table, dict[str, str]]:
    """Adds a column `m.<name>` for each key that both sides have under one name."""
    frame = current_frame()
    columns: list[_engine.NamedExpr] = [
        (name, Expr.column(engine, name), frame) for name in engine.column_names()
    ]
    merged = {}
    for name, pair in shared.items():
        left, right = (_placed(engine, prefixes, column) for column in pair)
        key = Expr.coalesce([left, right])
        own = [side.dtype for side in sides.lower(pair)]
        if keys_are_there and key.dtype.args and all(key.dtype.args[0] == dtype for dtype in own):
            key = key.declare_type(own[0])
        columns.append((f"m.{name}", key, frame))
        merged[name] = f"m.{name}"
    return engine.select(columns, frame), merged


def _placed(engine: _engine.Table, prefixes: dict[int, str], column: ColumnReference) -> Expr:
    inner = "m." if isinstance(column.table, JoinResult) else ""
    return Expr.column(engine, f"{prefixes[id(column.table)]}{inner}{column.name}")
