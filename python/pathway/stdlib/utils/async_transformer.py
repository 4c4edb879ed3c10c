"""`pw.AsyncTransformer`: rows to rows by a coroutine, without anything waiting for it."""

from __future__ import annotations

import functools
import inspect
from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable
from typing import Any, ClassVar

from pathway import _engine
from pathway._engine import DType, Expr
from pathway.internals.expression.column import ColumnReference
from pathway.internals.expression.nodes import operand
from pathway.internals.resolve import TableScope
from pathway.internals.schema import Schema
from pathway.internals.table import Table
from pathway.internals.thisclass import this
from pathway.internals.trace import current_frame, trace_user_frame
from pathway.internals.udfs.caches import CacheStrategy, DefaultCache
from pathway.internals.udfs.decorators import async_options
from pathway.internals.udfs.event_loop import current_loop
from pathway.internals.udfs.executors import AsyncExecutor
from pathway.internals.udfs.later import Session
from pathway.internals.udfs.retries import AsyncRetryStrategy

_STATUS = "_async_status"
_SUCCESS = "-SUCCESS-"
_FAILURE = "-FAILURE-"


class AsyncTransformer(ABC):
    """Computes a row of `output_schema` for each row of a table, by a coroutine that takes its time.

    Subclasses define `invoke`, which gets the columns of the table as keyword arguments and returns
    the new row as a dict; `open` and `close` are called before the first and after the last call.

    Args:
        input_table: the rows.
        instance: rows for which this is equal get their results together if they came together, and
            in their order; if one of them fails, those that wait with it fail as well.
        autocommit_duration_ms: milliseconds after which a result is committed at the latest; it is
            committed at once.

    >>> import pathway as pw
    >>> class Lengths(pw.Schema):
    ...     length: int
    >>> class Measure(pw.AsyncTransformer, output_schema=Lengths):
    ...     async def invoke(self, word):
    ...         return {"length": len(word)}
    >>> t = pw.debug.table_from_markdown('''
    ... word
    ... tea
    ... coffee
    ... ''')
    >>> pw.debug.compute_and_print(Measure(t).successful, include_id=False)
    length
    3
    6
    """

    #: The columns of the results.
    output_schema: ClassVar[type[Schema]]

    def __init_subclass__(cls, /, output_schema: type[Schema] | None = None, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        if output_schema is None:
            if hasattr(cls, "output_schema"):
                return
            raise TypeError(
                f"the class {cls.__name__} has to say what its results are: "
                f"class {cls.__name__}(pw.AsyncTransformer, output_schema=...)."
            )
        if not (isinstance(output_schema, type) and issubclass(output_schema, Schema)):
            raise TypeError(f"output_schema of {cls.__name__} has to be a schema, found {output_schema!r}.")
        cls.output_schema = output_schema

    @trace_user_frame
    def __init__(
        self, input_table: Table, *, instance: Any = this.id, autocommit_duration_ms: int | None = 1500
    ) -> None:
        if not isinstance(input_table, Table):
            raise TypeError(f"{type(self).__name__} takes a table, found {input_table!r}.")
        self._input = input_table
        self._names = list(input_table.keys())
        self._check_parameters()
        self._instance = self._lowered_instance(instance)
        self._autocommit_duration_ms = autocommit_duration_ms
        self._frame = current_frame()
        self.with_options()

    # --- what subclasses define -------------------------------------------------------------------

    @abstractmethod
    async def invoke(self, *args: Any, **kwargs: Any) -> dict[str, Any]:
        """The new row; called with the columns of the input table as keyword arguments."""

    def open(self) -> None:  # noqa: B027 (need not be defined)
        """Called once in each run, before the first row."""

    def close(self) -> None:  # noqa: B027
        """Called once in each run, after the last row."""

    # --- options ----------------------------------------------------------------------------------

    def with_options(
        self,
        capacity: int | None = None,
        timeout: float | None = None,
        retry_strategy: AsyncRetryStrategy | None = None,
        cache_strategy: CacheStrategy | None = None,
    ) -> AsyncTransformer:
        """Replaces the options of the calls, and returns the transformer.

        Args:
            capacity: the most calls at one time.
            timeout: seconds for one attempt.
            retry_strategy: what to do when a call fails.
            cache_strategy: how results are kept; by default on disk, where the run has a place for it.
        """
        self._executor = AsyncExecutor(capacity, timeout, retry_strategy)
        if cache_strategy is not None and not isinstance(cache_strategy, CacheStrategy):
            raise TypeError(f"cache_strategy has to be one of pw.udfs, found {cache_strategy!r}.")
        self._cache_strategy = cache_strategy
        self._decorated = None if cache_strategy is None else self._decorate(cache_strategy)
        return self

    # --- results ----------------------------------------------------------------------------------

    @functools.cached_property
    def output_table(self) -> Table:
        """Every row whose call was started: its status and its results, pending until they are there."""
        return self._answered[1]

    @functools.cached_property
    def finished(self) -> Table:
        """Every row whose call has ended: its status, `-SUCCESS-` or `-FAILURE-`, and its results.

        >>> import pathway as pw
        >>> class Shares(pw.Schema):
        ...     share: float
        >>> class Share(pw.AsyncTransformer, output_schema=Shares):
        ...     async def invoke(self, people):
        ...         return {"share": 60 / people}
        >>> t = pw.debug.table_from_markdown('''
        ... people
        ... 4
        ... 0
        ... ''')
        >>> pw.debug.compute_and_print(Share(t).finished, include_id=False)
        _async_status | share
        -FAILURE-     |
        -SUCCESS-     | 15.0
        """
        return self._answered[0]

    @functools.cached_property
    def successful(self) -> Table:
        """The results of the calls that succeeded."""
        declared = {name: column.dtype for name, column in self.output_schema.columns().items()}
        return self._with_status(_SUCCESS).update_types(**declared)

    @functools.cached_property
    def failed(self) -> Table:
        """The rows whose calls failed, with None for the results."""
        return self._with_status(_FAILURE)

    def _with_status(self, status: str) -> Table:
        finished = self.finished
        return finished.filter(finished[_STATUS] == status).without(_STATUS)

    @functools.cached_property
    def _answered(self) -> tuple[Table, Table]:
        """The finished rows, and all."""
        columns = self.output_schema.columns()
        callee = _engine.Callee(
            self._open_session,
            type(self).__name__,
            [column.dtype for column in columns.values()],
            report_failures=True,
        )
        engine = self._input._engine
        arguments = [Expr.column(engine, name) for name in self._names]
        names = [_STATUS, *columns]
        settled, started = engine.call_later(callee, arguments, self._instance, names, self._frame)
        return self._input._wrap(settled), self._input._wrap(started)

    # --- checks -----------------------------------------------------------------------------------

    def _check_parameters(self) -> None:
        signature = inspect.signature(self.invoke)
        try:
            signature.bind(**dict.fromkeys(self._names))
        except TypeError:
            self._explain_parameters(signature)
            raise

    def _explain_parameters(self, signature: inspect.Signature) -> None:
        kinds = inspect.Parameter
        parameters = signature.parameters.values()
        accepts_all = any(p.kind is kinds.VAR_KEYWORD for p in parameters)
        by_name = {
            p.name: p for p in parameters if p.kind in (kinds.POSITIONAL_OR_KEYWORD, kinds.KEYWORD_ONLY)
        }
        for name in self._names:
            if name not in by_name and not accepts_all:
                raise TypeError(
                    f"Input table has a column {name!r} but it is not present on the argument list of the "
                    f"invoke method; {type(self).__name__}.invoke{signature} takes the columns as keywords."
                )
        for name, parameter in by_name.items():
            if parameter.default is kinds.empty and name not in self._names:
                raise TypeError(
                    f"Column {name!r} is present on the argument list of the invoke method but it is not "
                    f"present in the input_table; its columns are {self._names}."
                )

    def _lowered_instance(self, instance: Any) -> Expr | None:
        """What rows have to have in common; None if each row is for itself."""
        expression = operand(instance)
        scope = TableScope(self._input)
        if isinstance(expression, ColumnReference) and expression._is_row_id:
            scope.lower(expression)  # refused unless it is the id of these rows
            return None
        lowered = scope.lower(expression)
        if not _is_hashable(lowered.dtype):
            raise ValueError(
                f"You can't use a column of type {lowered.dtype} as instance in AsyncTransformer because it "
                "is unhashable."
            )
        return lowered

    # --- running ----------------------------------------------------------------------------------

    def _open_session(self) -> Session:
        loop = current_loop()
        function = self._decorated
        if function is None:
            name = loop.unique_name(f"{type(self).__module__}_{type(self).__qualname__}.invoke")
            function = self._decorate(DefaultCache._named(name))
        names, columns = self._names, list(self.output_schema.columns())
        defaults = self.output_schema.default_values()

        async def row(*values: Any) -> tuple[Any, ...]:
            result = await function(**dict(zip(names, values, strict=True)))
            if isinstance(result, dict):
                result = {**defaults, **result}
            return _in_order(result, columns)

        self.open()
        return Session(row, "AsyncTransformer", loop, self.close)

    def _decorate(self, cache: CacheStrategy) -> Callable[..., Awaitable[Any]]:
        executor = self._executor
        return async_options(executor.capacity, executor.timeout, executor.retry_strategy, cache)(self.invoke)


def _in_order(result: Any, columns: list[str]) -> tuple[Any, ...]:
    """The values of a row in the order of the columns."""
    if not isinstance(result, dict):
        raise TypeError(f"invoke has to return a dict with the keys {columns}, it returned {result!r}.")
    if result.keys() != set(columns):
        missing = [name for name in columns if name not in result]
        extra = [name for name in result if name not in columns]
        raise ValueError(
            f"invoke has to return a dict with exactly the keys {columns}; missing are {missing}, too many "
            f"are {extra}."
        )
    return tuple(result[name] for name in columns)


def _is_hashable(dtype: DType) -> bool:
    """True if Python values of the type can be hashed whatever they hold."""
    if dtype.kind in ("optional", "tuple", "list"):
        return all(map(_is_hashable, dtype.args or ()))
    return dtype.kind not in ("any", "array", "json", "py_object", "future", "callable")


__all__ = ["AsyncTransformer"]
