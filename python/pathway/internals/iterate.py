"""`pw.iterate`: a step that is repeated until its tables do not change any more."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from pathway import _engine
from pathway.internals.parse_graph import G
from pathway.internals.table import Table
from pathway.internals.table_like import TableLike
from pathway.internals.trace import current_frame, trace_user_frame


class iterate_universe:
    """Marks an argument of `pw.iterate` whose set of rows a step may change.

    >>> import pathway as pw
    >>> steps = pw.debug.table_from_markdown('''
    ... at | end
    ... 1  | 2
    ... 2  | 3
    ... ''')
    >>> start = pw.debug.table_from_markdown('''
    ... at
    ... 1
    ... ''').with_id_from(pw.this.at)
    >>> def step(reached: pw.Table) -> pw.Table:
    ...     new = reached.join(steps, reached.at == steps.at).select(at=steps.end)
    ...     return reached.update_rows(new.with_id_from(new.at))
    >>> reached = pw.iterate(step, reached=pw.iterate_universe(start))
    >>> pw.debug.compute_and_print(reached, include_id=False)
    at
    1
    2
    3
    """

    def __init__(self, table: Table) -> None:
        if not isinstance(table, Table):
            raise TypeError(f"iterate_universe takes a table, not {table!r}")
        self.table = table


class IterationResult(Mapping[str, Table]):
    """The tables that an iteration made: by name as attributes and items, in the order of the arguments.

    Iterating over it gives the tables.
    """

    def __init__(self, tables: Mapping[str, Table]) -> None:
        self._tables = dict(tables)

    def __getattr__(self, name: str) -> Table:
        try:
            return self.__dict__["_tables"][name]  # type: ignore[no-any-return]
        except KeyError:
            raise AttributeError(self._missing(name)) from None

    def __getitem__(self, name: str) -> Table:
        try:
            return self._tables[name]
        except KeyError:
            raise KeyError(self._missing(name)) from None

    def __iter__(self) -> Iterator[Any]:
        return iter(self._tables.values())

    def __len__(self) -> int:
        return len(self._tables)

    def __contains__(self, name: object) -> bool:
        return name in self._tables

    def keys(self) -> Any:
        return self._tables.keys()

    def values(self) -> Any:
        return self._tables.values()

    def items(self) -> Any:
        return self._tables.items()

    def _missing(self, name: str) -> str:
        return f"the iteration gives no table {name}; it gives {', '.join(self.__dict__.get('_tables', ()))}"

    def __repr__(self) -> str:
        return f"IterationResult({self._tables!r})"


@trace_user_frame
def iterate(
    func: Callable[..., Any],
    iteration_limit: int | None = None,
    **kwargs: Table | iterate_universe,
) -> Any:
    """Repeats a step until its tables do not change any more, and keeps the result up to date.

    `func` is called once, with tables under the names of the arguments, and says what one step makes of
    them: it returns a table (for the first argument), a tuple or list (for the arguments in order), or a
    mapping from names to tables; `iterate` gives the same. Arguments that it does not return stay as they
    are, as do tables around it that it uses. A step must not change which rows a table has, unless it was
    given as `pw.iterate_universe(table)`.

    Args:
        func: the step.
        iteration_limit: most steps; without it the iteration ends when nothing changes.
        kwargs: the tables.

    Raises:
        ValueError: if what `func` returns does not fit the arguments, and for operations that depend on
            when changes come, such as asynchronous functions.

    >>> import pathway as pw
    >>> t = pw.debug.table_from_markdown('''
    ... n
    ... 3
    ... 7
    ... 8
    ... ''')
    >>> def collatz(t: pw.Table) -> pw.Table:
    ...     next_one = pw.if_else(t.n % 2 == 0, t.n // 2, 3 * t.n + 1)
    ...     return t.select(n=pw.if_else(t.n == 1, 1, next_one))
    >>> pw.debug.compute_and_print(pw.iterate(collatz, t=t), include_id=False)
    n
    1
    1
    1
    >>> pw.debug.compute_and_print(pw.iterate(collatz, iteration_limit=3, t=t), include_id=False)
    n
    1
    16
    34
    """
    if not callable(func):
        raise TypeError(f"iterate() needs a function that makes one step, not {func!r}")
    if iteration_limit is not None:
        if isinstance(iteration_limit, TableLike):
            raise TypeError("the tables of iterate() are given by name, as in pw.iterate(step, t=t).")
        if not isinstance(iteration_limit, int) or isinstance(iteration_limit, bool):
            raise TypeError(f"iteration_limit has to be an integer, not {iteration_limit!r}")
        if iteration_limit < 1:
            raise ValueError(f"wrong iteration limit: it has to be at least 1, not {iteration_limit}")
    arguments = []
    for name, argument in kwargs.items():
        table = argument.table if isinstance(argument, iterate_universe) else argument
        if not isinstance(table, Table):
            raise TypeError(f"the argument {name} of iterate() has to be a table, not {table!r}")
        arguments.append((name, table._engine, isinstance(argument, iterate_universe)))
    # More steps than fit are never made.
    limit = None if iteration_limit is None or iteration_limit > 2**32 - 1 else iteration_limit
    iteration = _engine.Iteration(G.engine, arguments, limit, current_frame())
    try:
        inside = {name: Table[Any](table) for name, table in zip(kwargs, iteration.tables(), strict=True)}
        returned = func(**inside)
        results = _by_name(returned, list(kwargs))
        engines = [results[name]._engine if name in results else None for name in kwargs]
        made = iteration.finish(engines)
    finally:
        iteration.close()
    tables = {name: Table[Any](table) for name, table in zip(kwargs, made, strict=True) if table is not None}
    return _shaped(returned, tables)


def _by_name(returned: Any, names: list[str]) -> dict[str, Table]:
    """The tables that a step returned, under the names of the arguments."""
    if isinstance(returned, Table):
        results: dict[str, Any] = {names[0]: returned}
    elif isinstance(returned, (tuple, list)):
        if len(returned) > len(names):
            raise AssertionError(
                f"the iterated function returns {len(returned)} tables but has only the arguments "
                f"{', '.join(names)}"
            )
        results = dict(zip(names, returned, strict=False))
    elif isinstance(returned, Mapping):
        # Not `dict(...)`, which would look at what iterating over an iteration's result gives.
        results = {name: returned[name] for name in returned.keys()}  # noqa: SIM118
    elif dataclasses.is_dataclass(returned) and not isinstance(returned, type):
        results = {field.name: getattr(returned, field.name) for field in dataclasses.fields(returned)}
    else:
        raise TypeError(
            "an iterated function has to return a table, a tuple of tables or a mapping from the names of "
            f"its arguments to tables, not {returned!r}"
        )
    unknown = [name for name in results if name not in names]
    if unknown:
        raise AssertionError(
            f"the iterated function returns {', '.join(map(str, unknown))}, but its arguments are "
            f"{', '.join(names)}"
        )
    for name, table in results.items():
        if not isinstance(table, Table):
            raise TypeError(f"the iterated function has to return a table for {name}, not {table!r}")
    return results


def _shaped(returned: Any, tables: dict[str, Table]) -> Any:
    """The tables in the form in which the step returned them."""
    if isinstance(returned, Table):
        return next(iter(tables.values()))
    if isinstance(returned, (tuple, list)):
        make = getattr(type(returned), "_make", tuple)
        return make(tables.values())
    if isinstance(returned, Mapping):
        return IterationResult(tables)
    return dataclasses.replace(returned, **tables)
