"""`pw.JoinResult`: a join whose columns are still to be chosen.

The engine gives a join as one table with all columns of both sides, named `l.<name>` and `r.<name>`
(`l.l.<name>` and so on where a side is itself a join), the row ids of both, and here also
`m.<name>` for key columns merged from both sides. A [`JoinResult`][] knows which prefix stands for
which table.
"""

from __future__ import annotations

import copy
from collections.abc import Iterator, KeysView, Mapping
from typing import TYPE_CHECKING, Any, ClassVar

from pathway import _engine
from pathway._engine import Expr
from pathway.internals.arguments import collect_columns
from pathway.internals.errors import no_such_column
from pathway.internals.expression.column import ColumnReference
from pathway.internals.expression.conditional import Coalesce
from pathway.internals.expression.expression import ColumnExpression
from pathway.internals.expression.nodes import NoneTest
from pathway.internals.groupby import GroupedJoinResult
from pathway.internals.joinable import Joinable
from pathway.internals.parse_graph import G
from pathway.internals.resolve import ColumnKey, Narrowed, Scope, checked_table, foreign_universe, place_of
from pathway.internals.runtime_type_check import check_arg_types
from pathway.internals.schema import ColumnSchema, Schema, make_schema
from pathway.internals.thisclass import ColumnNamespace
from pathway.internals.trace import current_frame, trace_user_frame, user_location

if TYPE_CHECKING:
    from pathway.internals.table import Table

#: The name of row ids among the engine's columns, which no column of a table has.
ROW_IDS = "\0id"


class JoinResult(Joinable):
    """The pairs of rows of a join; `select`, `filter`, `groupby` or `reduce` compute something of them."""

    #: Keys that both sides have under one name are not Optional where both sides may be missing.
    _keys_are_there: ClassVar[bool] = False
    #: What `coalesce` chooses from both sides is not Optional: one of them is there.
    _a_side_is_there: ClassVar[bool] = False

    def __init__(
        self,
        engine: _engine.Table,
        *,
        left: Joinable,
        right: Joinable,
        prefixes: Mapping[int, str],
        names: Mapping[str, ColumnReference | None],
        optional: frozenset[str],
        mergeable: Mapping[str, str],
    ) -> None:
        self._engine = engine
        self._left = left
        self._right = right
        #: The prefix of the engine's columns for each table or join below, by its identity.
        self._prefixes = {**prefixes, id(self): ""}
        #: Columns by their own name; None where both sides have it.
        self._names = dict(names)
        #: Columns of the engine that the join made Optional.
        self._optional = optional
        #: Engine columns of merged keys, by name.
        self._merged = dict(mergeable)
        self._location = user_location()
        #: What `_prefixes` knows by identity, so that nothing else gets that identity.
        self._known: tuple[Any, ...] = (left, right)
        G.touch()

    # --- columns ----------------------------------------------------------------------------------

    def keys(self) -> KeysView[str]:
        """The names that are unambiguous: those of the left, then new ones of the right."""
        return {name: None for name, column in self._columns_by_name() if column is not None}.keys()

    def _columns_by_name(self) -> Iterator[tuple[str, ColumnReference | None]]:
        for name, column in self._names.items():
            yield name, ColumnReference(self, name) if name in self._merged else column

    def __iter__(self) -> Iterator[ColumnReference]:
        return iter([column for _, column in self._columns_by_name() if column is not None])

    @trace_user_frame
    def __getitem__(self, item: Any) -> Any:
        name = item.name if isinstance(item, ColumnReference) else item
        if isinstance(name, (list, tuple)):
            return self.select(*[self[column] for column in name])
        if name == "id" or name in self._merged:
            return ColumnReference(self, name)
        if name not in self._names:
            raise KeyError(no_such_column(str(name), self.keys(), "the join"))
        column = self._names[name]
        if column is None:
            raise KeyError(
                f"both sides of the join have a column {name}: write pw.left.{name} or pw.right.{name}."
            )
        return column

    def __getattr__(self, name: str) -> ColumnReference:
        if name.startswith("_"):
            raise AttributeError(name)
        try:
            column: ColumnReference = self[name]
        except KeyError as error:
            raise AttributeError(*error.args) from None
        return column

    @property
    def id(self) -> ColumnReference:
        """The ids of the joined rows."""
        return ColumnReference(self, "id")

    @property
    def C(self) -> ColumnNamespace:
        """The columns by name, also those that are named like a method."""
        return ColumnNamespace(self)

    @property
    def slice(self) -> Any:
        """The columns as a mapping that can be narrowed and renamed."""
        from pathway.internals.table_slice import TableSlice

        return TableSlice({name: self[name] for name in self.keys()}, self)

    def __repr__(self) -> str:
        return f"<pathway.JoinResult columns={list(self.keys())}>"

    # --- operations -------------------------------------------------------------------------------

    def _scope(self) -> JoinScope:
        return JoinScope(self)

    @trace_user_frame
    def select(self, *args: Any, **kwargs: Any) -> Table:
        """A table of the joined rows with these columns.

        `pw.left`, `pw.right` and the joined tables name columns of either side, `pw.this` those that
        only one side has or that are equal on both.

        >>> import pathway as pw
        >>> a = pw.debug.table_from_markdown('''
        ... k | x
        ... 1 | 3
        ... ''')
        >>> b = pw.debug.table_from_markdown('''
        ... k | x
        ... 1 | 5
        ... ''')
        >>> pairs = a.join(b, a.k == b.k).select(pw.this.k, ax=a.x, bx=pw.right.x)
        >>> pw.debug.compute_and_print(pairs, include_id=False)
        k | ax | bx
        1 | 3  | 5
        """
        from pathway.internals.table import Table

        scope = self._scope()
        columns = collect_columns(args, kwargs, scope, "select")
        return Table(self._engine.select(scope.named(columns), current_frame()))

    @trace_user_frame
    def with_columns(self, *args: Any, **kwargs: Any) -> Table:
        """A table of the unambiguous columns of both sides, some of them replaced, and further ones."""
        columns = {name: self[name] for name in self.keys()}
        columns.update(collect_columns(args, kwargs, self._scope(), "with_columns"))
        return self.select(**columns)

    @trace_user_frame
    def ix(self, expression: Any, **options: Any) -> Table:
        """The joined rows that have these ids, as [`Table.ix`][] of all unambiguous columns."""
        table: Table = self.select(*self).ix(expression, **options)
        return table

    @property
    def schema(self) -> type[Schema]:
        """Names and types of the unambiguous columns."""
        columns = {
            name: ColumnSchema(dtype=self._scope().lower(self[name]).dtype, name=name, append_only=False)
            for name in self.keys()
        }
        return make_schema(f"schema_from_columns({list(columns)})", columns)

    @trace_user_frame
    @check_arg_types
    def filter(self, filter_expression: ColumnExpression) -> JoinResult:
        """The joined rows where the condition is true."""
        scope = self._scope()
        condition = scope.lower(filter_expression)
        narrowed = scope.narrowed_names(filter_expression)
        return self._over(self._engine.filter(condition, narrowed, current_frame()), frozenset(narrowed))

    def _over(self, engine: _engine.Table, narrowed: frozenset[str]) -> JoinResult:
        """The same join over some of its rows, in which these columns are not None."""
        result = copy.copy(self)
        result._engine = engine
        result._prefixes = {**self._prefixes, id(result): ""}
        result._known = (self,)
        result._optional = self._optional - narrowed
        result._location = user_location()
        G.touch()
        return result

    @trace_user_frame
    def groupby(
        self, *args: Any, id: Any = None, sort_by: Any = None, instance: Any = None
    ) -> GroupedJoinResult:
        """The joined rows grouped by columns; the parameters are those of [`Table.groupby`][].

        >>> import pathway as pw
        >>> a = pw.debug.table_from_markdown('''
        ... k | x
        ... 1 | 3
        ... 1 | 2
        ... ''')
        >>> b = a.copy()
        >>> j = a.join(b, a.k == b.k)
        >>> pairs = j.groupby(pw.this.k, sort_by=a.x).reduce(pw.this.k, xs=pw.reducers.tuple(a.x))
        >>> pw.debug.compute_and_print(pairs, include_id=False)
        k | xs
        1 | (2, 2, 3, 3)
        """
        return GroupedJoinResult.create(self, args, id=id, sort_by=sort_by, instance=instance)

    @trace_user_frame
    def reduce(self, *args: Any, **kwargs: Any) -> Table:
        """One row made of all joined rows."""
        return self.groupby().reduce(*args, **kwargs)

    #: The name of the ids that joined tables have by themselves, among the engine's columns.
    _row_ids: ClassVar[str] = ROW_IDS

    def _tables(self) -> Iterator[tuple[Table, str]]:
        """The joined tables and the prefixes of their columns."""
        from pathway.internals.table import Table

        for side in (self._left, self._right):
            if isinstance(side, JoinResult):
                yield from ((table, self._prefixes[id(table)]) for table, _ in side._tables())
            elif isinstance(side, Table):
                yield side, self._prefixes[id(side)]

    # --- places of columns ------------------------------------------------------------------------

    def _engine_name(self, reference: ColumnReference) -> str | None:
        """The engine's column for a column of this join or of a table below; None if it is neither."""
        prefix = self._prefixes.get(id(reference.table))
        if prefix is None:
            return None
        if reference._is_row_id:
            return prefix + ROW_IDS
        if isinstance(reference.table, JoinResult):
            return f"{prefix}m.{reference.name}"
        return prefix + reference.name


class JoinScope(Scope):
    """Expressions over the rows of a join."""

    def __init__(self, join: JoinResult) -> None:
        super().__init__(join._engine)
        self.join = join

    def placeholder(self, kind: str) -> Any:
        return {"this": self.join, "left": self.join._left, "right": self.join._right}[kind]

    def key(self, reference: ColumnReference) -> ColumnKey:
        name = self.join._engine_name(reference)
        return super().key(reference) if name is None else (0, name)

    def not_none(self, reference: ColumnReference) -> Narrowed:
        name = self.join._engine_name(self.resolve(reference))
        if name is None:
            return super().not_none(reference)
        if not name.endswith("." + ROW_IDS):
            return frozenset(((0, name),))
        side = name.removesuffix(ROW_IDS)
        return frozenset((0, column) for column in self.join._optional if column.startswith(side))

    def typed(self, node: ColumnExpression, lowered: Expr) -> Expr:
        if not (self.join._a_side_is_there and isinstance(node, Coalesce)):
            return lowered
        inside = lowered.dtype.args
        if lowered.dtype.kind != "optional" or not inside:
            return lowered
        there = {self._side_with(operand) for operand in node._operands}
        return lowered.declare_type(inside[0]) if {"l.", "r."} <= there else lowered

    def _side_with(self, operand: ColumnExpression) -> str | None:
        """The side for whose rows the operand has a value; None if it may be None for them."""
        if not isinstance(operand, ColumnReference):
            return None
        name = self.join._engine_name(self.resolve(operand)) or ""
        side = {"l.": self.join._left, "r.": self.join._right}.get(name[:2])
        if side is None or name not in self.join._optional:
            return None
        own = name[2:]
        return name[:2] if own == ROW_IDS or side._engine.column_dtype(own).kind != "optional" else None

    def narrowed_names(self, condition: ColumnExpression) -> list[str]:
        """Engine columns that are not None in rows that fulfil the condition."""
        if not isinstance(condition, NoneTest) or condition._for_none:
            return []
        tested = condition._operands[0]
        if not isinstance(tested, ColumnReference):
            return []
        name = self.join._engine_name(self.resolve(tested))
        return [] if name in (None, ROW_IDS) else [str(name)]

    def column(self, reference: ColumnReference) -> Expr:
        name = self.join._engine_name(reference)
        if name == ROW_IDS:
            return Expr.id(self.base)
        if name is not None:
            return Expr.column(self.base, name)
        table = checked_table(reference)
        if table._universe == self.base.universe:
            return place_of(table._engine, reference)
        ids = self._ids_in(table)
        if ids is None:
            raise foreign_universe(reference, self.join)
        if reference._is_row_id:
            return ids
        optional = ids.dtype.kind == "optional"
        found = table._engine.ix(ids, self.base, optional=optional, allow_misses=False, frame=current_frame())
        return Expr.column(found, reference.name)

    def _ids_in(self, table: Table) -> Expr | None:
        """The ids of the joined table for whose rows those of another one were looked up.

        None if there is none, or if it is unclear which of the joined tables is meant.
        """
        asking = table._asking
        if asking is None:
            return None
        joined = list(self.join._tables())
        prefixes = {prefix for own, prefix in joined if own is asking}
        if not prefixes:
            prefixes = {prefix for own, prefix in joined if own._universe.is_subset_of(asking._universe)}
        if len(prefixes) != 1:
            return None
        return Expr.column(self.base, prefixes.pop() + self.join._row_ids)
