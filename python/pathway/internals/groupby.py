"""Grouped tables and joins, and `reduce`."""

from __future__ import annotations

import functools
from collections.abc import Iterator, KeysView
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

from typing_extensions import Self

from pathway import _engine
from pathway._engine import Expr
from pathway.internals.arguments import collect_columns, expand_references
from pathway.internals.expression.column import ColumnReference
from pathway.internals.expression.expression import ColumnExpression
from pathway.internals.expression.reducer import ReducerExpression
from pathway.internals.expression.walk import nodes_of
from pathway.internals.resolve import Scope, TableScope, place_of
from pathway.internals.thisclass import DerivedPlaceholder, Placeholder
from pathway.internals.trace import current_frame, trace_user_frame

if TYPE_CHECKING:
    from pathway.internals.joins import JoinResult
    from pathway.internals.table import Table

#: By what is grouped, and how: the ids of the groups. Equal groupings give equal ids.
_UNIVERSES: WeakKeyDictionary[Any, dict[Any, _engine.Universe]] = WeakKeyDictionary()


class Grouped:
    """Rows of a table or a join, grouped; only `reduce` computes something."""

    _source: Any

    def __init__(
        self,
        source: Any,
        by: list[ColumnReference],
        *,
        id: ColumnReference | None = None,
        sort_by: ColumnReference | None = None,
        instance: ColumnReference | None = None,
        skip_errors: bool = True,
    ) -> None:
        self._source = source
        self._by = by
        self._id = id
        self._sort_by = sort_by
        self._instance = instance
        self._skip_errors = skip_errors

    def _scope(self) -> Scope:
        raise NotImplementedError

    @classmethod
    def create(
        cls,
        source: Any,
        args: tuple[Any, ...],
        *,
        id: Any,
        sort_by: Any,
        instance: Any,
        skip_errors: bool = True,
    ) -> Self:
        """Checks the arguments of `groupby`."""
        from pathway.handbook import row_expression

        scope = cls(source, [])._scope()
        columns = map(row_expression, expand_references(args, scope))
        by = [_checked(column, "args") for column in columns]
        if id is not None:
            _checked(id, "id")
            if len(by) > 1:
                raise ValueError("with id= rows are grouped by that column alone; leave the others out.")
            if by and scope.key(scope.resolve(by[0])) != scope.key(scope.resolve(id)):
                raise ValueError(
                    f"rows are grouped by the column given as id={id!r}; the other column, {by[0]!r}, is "
                    "another one. Give one of them."
                )
            by = [id]
        given = {"sort_by": sort_by, "instance": instance}
        further = [_checked(column, name) for name, column in given.items() if column is not None]
        for column in (*by, *further):
            dtype = scope.lower(column).dtype
            if dtype.kind == "future":
                raise TypeError(
                    f"groupby(): {column!r} is of type {dtype}, its values may still be pending. "
                    "Use await_futures() on the table first."
                )
        return cls(source, by, id=id, sort_by=sort_by, instance=instance, skip_errors=skip_errors)

    def keys(self) -> KeysView[str]:
        """The names of the columns of what is grouped."""
        keys: KeysView[str] = self._source.keys()
        return keys

    def __iter__(self) -> Iterator[ColumnReference]:
        return iter(self._source)

    def __getitem__(self, item: Any) -> Any:
        return self._source[item]

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):
            raise AttributeError(name)
        return getattr(self._source, name)

    @property
    def _universe(self) -> _engine.Universe:
        """The ids of the groups: equal in all results of `reduce`."""
        known = self._known_universes()
        universe: _engine.Universe = known.get(self._grouping) or self.reduce()._universe
        return universe

    def _known_universes(self) -> dict[Any, _engine.Universe]:
        return _UNIVERSES.setdefault(self._source, {})

    @functools.cached_property
    def _grouping(self) -> Any:
        """What equal groupings of the source share."""
        scope = self._scope()

        def key(column: ColumnReference | None) -> Any:
            return None if column is None else scope.key(scope.resolve(column))

        columns = [*self._by, self._instance]
        keys = tuple(map(key, columns))
        # Keys of columns of other tables hold only as long as these live.
        own = all(found is None or found[0] in (0, id(self._source)) for found in keys)
        return (keys, self._id is not None) if own else object()

    @trace_user_frame
    def reduce(self, *args: Any, **kwargs: Any) -> Table:
        """One row per group: grouping columns, reducers and expressions of these.

        >>> import pathway as pw
        >>> t = pw.debug.table_from_markdown('''
        ... shop | item | n
        ... A    | tea  | 2
        ... A    | nut  | 5
        ... B    | tea  | 1
        ... ''')
        >>> result = t.groupby(t.shop).reduce(
        ...     t.shop,
        ...     average=pw.reducers.sum(t.n) / pw.reducers.count(),
        ...     best=pw.this.ix(pw.reducers.argmax(pw.this.n)).item,
        ... )
        >>> pw.debug.compute_and_print(result, include_id=False)
        shop | average | best
        A    | 3.5     | nut
        B    | 1.0     | tea
        """
        from pathway.handbook import is_row_function, result_of_rows
        from pathway.internals.table import Table

        if len(args) == 1 and is_row_function(args[0]):
            return self.reduce(**result_of_rows(args[0], self), **kwargs)
        scope = self._scope()
        columns = collect_columns(args, kwargs, scope, "reduce", _name_of_positional_reducer)
        parts = _Parts(scope, self._by)
        if any(parts.look_up(expression) for expression in columns.values()):
            result = self._reduce_then_look_up(columns, parts, scope)
        else:
            result = Table(self._group_reduce(scope, columns))
        universe = result._universe
        known = self._known_universes().setdefault(self._grouping, universe)
        if known is not universe:
            universe.promise_equal_to(known)
        return result

    def _group_reduce(self, scope: Scope, columns: dict[str, ColumnExpression]) -> _engine.Table:
        return scope.base.group_reduce(
            [scope.lower(column) for column in self._by],
            scope.named(columns),
            id=None if self._id is None else scope.lower(self._id),
            instance=None if self._instance is None else scope.lower(self._instance),
            sort_by=None if self._sort_by is None else scope.lower(self._sort_by),
            skip_errors=self._skip_errors,
            frame=current_frame(),
        )

    def _reduce_then_look_up(
        self, columns: dict[str, ColumnExpression], parts: _Parts, scope: Scope
    ) -> Table:
        """Rows looked up by the groups' values need the groups first."""
        from pathway.internals.table import Table

        for expression in columns.values():
            parts.collect(expression)
        groups: Table = Table(self._group_reduce(scope, parts.columns()))
        outer = _GroupsScope(groups, parts, scope)
        return Table(groups._engine.select(outer.named(columns), current_frame()))


class GroupedTable(Grouped):
    """The result of `Table.groupby`."""

    _source: Table

    def _scope(self) -> Scope:
        return TableScope(self._source)


class GroupedJoinResult(Grouped):
    """The result of `JoinResult.groupby`."""

    _source: JoinResult

    def _scope(self) -> Scope:
        return self._source._scope()


def _checked(column: Any, parameter: str) -> ColumnReference:
    if not isinstance(column, ColumnReference):
        raise TypeError(
            f"groupby(): parameter {parameter}={column!r} violates type hint ColumnReference: rows are "
            "grouped by columns. Compute expressions first, with with_columns()."
        )
    return column


def _name_of_positional_reducer(argument: Any) -> ColumnReference | None:
    """`any(column)` and `unique(column)` are named after the column."""
    if isinstance(argument, ReducerExpression) and argument._name in ("any", "unique"):
        (operand,) = argument._operands
        return operand if isinstance(operand, ColumnReference) else None
    return None


def _is_reducer(node: ColumnExpression) -> bool:
    return isinstance(node, ReducerExpression)


class _Parts:
    """The reducers and grouping columns that output expressions are made of."""

    def __init__(self, scope: Scope, by: list[ColumnReference]) -> None:
        self._scope = scope
        self._by = {scope.key(scope.resolve(column)) for column in by}
        self.reducers: dict[int, tuple[str, ColumnExpression]] = {}
        self.grouping: dict[tuple[int, str], tuple[str, ColumnExpression]] = {}
        self._seen: set[DerivedPlaceholder] = set()

    def columns(self) -> dict[str, ColumnExpression]:
        return dict([*self.reducers.values(), *self.grouping.values()])

    def look_up(self, expression: ColumnExpression) -> bool:
        """True if rows are looked up outside of reducers."""
        outside = nodes_of(expression, lambda node: not _is_reducer(node))
        return any(self.lookup(node) is not None for node in outside)

    def lookup(self, node: ColumnExpression) -> DerivedPlaceholder | None:
        """The `ix` whose column the node is; also one whose pointers are columns of the grouped table."""
        if not isinstance(node, ColumnReference):
            return None
        table: Any = node.table
        placeholder = table
        while isinstance(placeholder, DerivedPlaceholder):
            if placeholder._method in ("ix", "ix_ref"):
                found: DerivedPlaceholder = table
                return found
            placeholder = placeholder._source
        if isinstance(table, Placeholder) or self._scope.key(node) in self._by:
            return None
        later: DerivedPlaceholder | None = getattr(table, "_lookup_of_groups", None)
        return later

    def collect(self, expression: ColumnExpression) -> None:
        for node in nodes_of(expression, lambda node: not _is_reducer(node)):
            if isinstance(node, ReducerExpression):
                self.reducers.setdefault(id(node), (f"_pw_reducer_{len(self.reducers)}", node))
            elif isinstance(node, ColumnReference):
                lookup = self.lookup(node)
                if lookup is None:
                    key = self._scope.key(self._scope.resolve(node))
                    self.grouping.setdefault(key, (f"_pw_group_{len(self.grouping)}", node))
                else:
                    self._collect_arguments(lookup)

    def _collect_arguments(self, placeholder: Any) -> None:
        while isinstance(placeholder, DerivedPlaceholder) and placeholder not in self._seen:
            self._seen.add(placeholder)
            for argument in (*placeholder._args, *placeholder._kwargs.values()):
                if isinstance(argument, ColumnExpression):
                    self.collect(argument)
            placeholder = placeholder._source


class _GroupsScope(Scope):
    """Expressions over groups whose reducers and grouping columns are columns of a table."""

    def __init__(self, groups: Table, parts: _Parts, inner: Scope) -> None:
        super().__init__(groups._engine)
        self._groups = groups
        self._parts = parts
        self._inner = inner

    def placeholder(self, kind: str) -> Any:
        return self._inner.placeholder(kind)

    def substitute(self, node: ColumnExpression) -> Expr | None:
        known = self._parts.reducers.get(id(node))
        if known is not None:
            return Expr.column(self.base, known[0])
        lookup = self._parts.lookup(node)
        if isinstance(node, ColumnReference) and lookup is not None and lookup is not node.table:
            return self.lower(ColumnReference(lookup, node.name))
        return None

    def column(self, reference: ColumnReference) -> Expr:
        known = self._parts.grouping.get(self._inner.key(reference))
        if known is not None:
            return Expr.column(self.base, known[0])
        return place_of(reference.table._engine, reference)
