"""Transformers, applied to tables, and calls of the methods that they make."""

from __future__ import annotations

import dataclasses
import functools
import types
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from pathway import _engine
from pathway._engine import DType, Expr
from pathway.internals.errors import no_such_column
from pathway.internals.expression.expression import ColumnExpression
from pathway.internals.expression.nodes import operand
from pathway.internals.parse_graph import G
from pathway.internals.trace import current_frame, trace_user_frame
from pathway.internals.transformers.declare import (
    ClassArg,
    InputAttribute,
    InputMethod,
    Method,
    OutputAttribute,
    input_method,
    members,
    outputs,
)
from pathway.internals.transformers.run import Session

if TYPE_CHECKING:
    from pathway.internals.table import Table


@dataclasses.dataclass(frozen=True)
class MethodSource:
    """Where a column of methods comes from."""

    application: Application
    inner: str
    method: str
    result: DType


@dataclasses.dataclass
class Inner:
    """An inner class with the table that it was applied to."""

    name: str
    cls: type[ClassArg]
    table: _engine.Table
    columns: list[str]
    expressions: list[Expr]
    #: Where the columns of methods among them come from.
    methods: dict[str, MethodSource]


class Application:
    """A transformer applied to tables."""

    def __init__(self, inner: Sequence[Inner]) -> None:
        self.inner = inner

    def all(self) -> list[Application]:
        """This application and those whose methods it calls."""
        found: dict[int, Application] = {id(self): self}
        todo: list[Application] = [self]
        while todo:
            for inner in todo.pop().inner:
                for source in inner.methods.values():
                    if id(source.application) not in found:
                        found[id(source.application)] = source.application
                        todo.append(source.application)
        return list(found.values())

    def tables(self, name: str) -> dict[str, _engine.Table]:
        """The output tables, by the names of the inner classes."""
        parts: list[tuple[int, list[tuple[str, DType]]]] = []
        for number, inner in enumerate(self.inner):
            columns = [output.column() for output in outputs(inner.cls)]
            if columns:
                parts.append((number, columns))
        result: dict[str, _engine.Table] = {}
        for inner in self.inner:
            if not outputs(inner.cls):
                result[inner.name] = inner.table.select([], current_frame())
        if parts:
            applications = self.all()
            transformer = _engine.Transformer(
                functools.partial(Session, applications, [number for number, _ in parts]), name, parts
            )
            inputs = [(inner.table, inner.expressions) for one in applications for inner in one.inner]
            made = G.engine.transform(transformer, inputs, current_frame())
            for (number, _), table in zip(parts, made, strict=True):
                result[self.inner[number].name] = table
                self._register_methods(self.inner[number], table)
        return {inner.name: result[inner.name] for inner in self.inner}

    def _register_methods(self, inner: Inner, table: _engine.Table) -> None:
        for output in outputs(inner.cls):
            if isinstance(output, Method):
                name, _ = output.column()
                source = MethodSource(self, inner.name, output.name, output.result_type())
                G.methods[table.node, name] = source


def method_source(expression: Expr) -> MethodSource | None:
    """Where the methods of a column come from, through all operations that pass it on."""
    origin = G.engine.passed_from(expression)
    return None if origin is None else G.methods.get(origin)


def _inner(name: str, cls: type[ClassArg], table: _engine.Table, expressions: Mapping[str, Expr]) -> Inner:
    """An inner class applied to these columns."""
    methods: dict[str, MethodSource] = {}
    for column, member in members(cls).items():
        expression = expressions.get(column)
        if expression is None:
            continue
        kind = expression.dtype.kind
        if isinstance(member, InputMethod):
            source = method_source(expression)
            if source is None:
                raise TypeError(
                    f"the column {column} of {name} has to be a column of methods that a transformer made; "
                    f"it is of type {expression.dtype}."
                )
            methods[column] = source
        elif kind == "future":
            raise TypeError(
                f"the column {column} of {name} is of type {expression.dtype}: its values may still be "
                "pending. Use await_futures() on the table first."
            )
    return Inner(name, cls, table, list(expressions), list(expressions.values()), methods)


class RowTransformer:
    """A transformer: makes tables of tables; see [`transformer`][]."""

    def __init__(self, cls: type) -> None:
        self.__doc__ = cls.__doc__
        self.__name__ = cls.__name__
        self._classes: dict[str, type[ClassArg]] = {
            name: value
            for name, value in sorted(vars(cls).items())
            if isinstance(value, type) and issubclass(value, ClassArg)
        }

    def __getattr__(self, name: str) -> type[ClassArg]:
        if name.startswith("__") or name not in self._classes:
            raise AttributeError(
                f"the transformer {self.__name__} has no inner class {name}; there are "
                f"{', '.join(self._classes)}"
            )
        return self._classes[name]

    def __repr__(self) -> str:
        return f"<pathway transformer {self.__name__}({', '.join(self._classes)})>"

    @trace_user_frame
    def __call__(self, *tables: Table, **named: Table) -> TransformerResult:
        """The output tables for these tables, one for each inner class in alphabetical order."""
        from pathway.internals.table import Table

        given = self._bind(tables, named)
        inner = []
        for name, cls in self._classes.items():
            table = given[name]
            if not isinstance(table, Table):
                raise TypeError(f"{self.__name__}() takes tables, found {table!r} for {name}.")
            inner.append(_inner(name, cls, table._engine, self._columns(name, cls, table)))
        made = Application(inner).tables(self.__name__)
        return TransformerResult({name: Table(engine) for name, engine in made.items()})

    def _bind(self, tables: Sequence[Table], named: Mapping[str, Table]) -> dict[str, Table]:
        names = list(self._classes)
        if len(tables) > len(names):
            raise TypeError(f"{self.__name__}() takes the tables {names}, {len(tables)} were given.")
        given = dict(zip(names, tables, strict=False))
        missing = [name for name in names if name not in given and name not in named]
        if missing:
            raise AssertionError(f"{self.__name__}() takes the tables {names}, there is none for {missing}.")
        for name, table in named.items():
            if name not in names or name in given:
                raise TypeError(f"{self.__name__}() takes the tables {names}, found one more for {name}.")
            given[name] = table
        return given

    def _columns(self, name: str, cls: type[ClassArg], table: Table) -> dict[str, Expr]:
        columns = {}
        for column, member in members(cls).items():
            if isinstance(member, (InputAttribute, InputMethod)):
                if column not in table.keys():  # noqa: SIM118 (a table is not a dict)
                    raise KeyError(no_such_column(column, table.keys(), f"the table for {name}"))
                columns[column] = Expr.column(table._engine, column)
        return columns


class TransformerResult:
    """The output tables of a transformer, as attributes and by name."""

    def __init__(self, tables: dict[str, Table]) -> None:
        self._tables = tables

    def __getattr__(self, name: str) -> Table:
        if name.startswith("__") or name not in self._tables:
            raise AttributeError(f"there is no output table {name}; there are {', '.join(self._tables)}")
        return self._tables[name]

    def __getitem__(self, name: str) -> Table:
        return self._tables[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._tables)

    def __len__(self) -> int:
        return len(self._tables)

    def keys(self) -> list[str]:
        """The names of the tables."""
        return list(self._tables)

    def values(self) -> list[Table]:
        """The tables."""
        return list(self._tables.values())

    def items(self) -> list[tuple[str, Table]]:
        """Names and tables."""
        return list(self._tables.items())

    def __repr__(self) -> str:
        return f"<tables {', '.join(self._tables)}>"


def transformer(cls: type) -> RowTransformer:
    """Decorates a class with an inner class (a `ClassArg`) for each table: rows may look at other rows.

    >>> import pathway as pw
    >>> from pathway.internals import ClassArg, input_attribute, output_attribute, transformer
    >>> @transformer
    ... class lengths:
    ...     class nodes(ClassArg):
    ...         following = input_attribute()
    ...         @output_attribute
    ...         def length(self) -> int:
    ...             if self.following is None:
    ...                 return 1
    ...             return 1 + self.transformer.nodes[self.following].length
    >>> t = pw.debug.table_from_markdown('''
    ... id | next
    ... 1  | 2
    ... 2  | 3
    ... 3  |
    ... ''')
    >>> nodes = t.select(following=t.pointer_from(t.next, optional=True))
    >>> pw.debug.compute_and_print(lengths(nodes=nodes).nodes, include_id=False)
    length
    1
    2
    3
    """
    return RowTransformer(cls)


class MethodCall(ColumnExpression):
    """The results of a column of methods for some arguments."""

    __slots__ = ("_names",)

    def __init__(self, method: ColumnExpression, args: Sequence[Any], kwargs: Mapping[str, Any]) -> None:
        super().__init__(method, *map(operand, args), *map(operand, kwargs.values()))
        self._names = tuple(kwargs)

    def _lower_over(self, base: _engine.Table, operands: Sequence[Expr]) -> Expr:
        """The results as a column over the rows of `base`."""
        source = method_source(operands[0])
        if source is None:
            raise TypeError(
                f"{self._operands[0]!r} is not a column of methods that a transformer made; it is of type "
                f"{operands[0].dtype} and cannot be called."
            )
        columns = {"method": operands[0]}
        columns.update((f"argument_{i}", expression) for i, expression in enumerate(operands[1:]))
        cls = _caller(len(operands) - 1 - len(self._names), self._names, source.result)
        inner = _inner(f"calls of {source.method}", cls, base, columns)
        (table,) = Application([inner]).tables(f"{source.inner}.{source.method}").values()
        return Expr.column(table, "result")

    def _text(self, operands: Sequence[str]) -> str:
        return f"{operands[0]}({', '.join(operands[1:])})"


def _caller(positional: int, names: tuple[str, ...], result: DType) -> type[ClassArg]:
    """An inner class whose rows are calls."""

    def call(self: Any) -> Any:
        args = [getattr(self, f"argument_{i}") for i in range(positional)]
        kwargs = {name: getattr(self, f"argument_{positional + i}") for i, name in enumerate(names)}
        return self.method(*args, **kwargs)

    call.__annotations__["return"] = result
    arguments = {f"argument_{i}": InputAttribute() for i in range(positional + len(names))}
    body = {**arguments, "method": input_method(), "result": OutputAttribute(call)}
    cls: type[ClassArg] = types.new_class("_Call", (ClassArg,), exec_body=lambda names: names.update(body))
    return cls
