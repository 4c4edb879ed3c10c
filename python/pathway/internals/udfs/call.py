"""Calls of user functions as expressions."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from pathway._engine import Callee, DType, Expr, Udf
from pathway.internals import dtype as dt
from pathway.internals.expression.expression import ColumnExpression
from pathway.internals.expression.nodes import operand
from pathway.internals.lazy_import import LazyModule
from pathway.internals.udfs.batched import has_arrow_form, takes_columns
from pathway.internals.udfs.event_loop import current_loop
from pathway.internals.udfs.hints import check_arguments
from pathway.internals.udfs.later import Session

if TYPE_CHECKING:
    import asyncio
else:
    asyncio = LazyModule("asyncio")


@dataclasses.dataclass(frozen=True)
class CallPlan:
    """A user function with everything decided."""

    function: Callable[..., Any]
    name: str
    return_type: DType
    deterministic: bool
    propagate_none: bool
    is_async: bool
    max_batch_size: int | None
    is_later: bool = False
    batched: str | None = None
    original: Callable[..., Any] | None = None

    def to_engine(self, names: tuple[str, ...]) -> Udf:
        """The function as the engine calls it; the last arguments are keywords of these names."""
        return_type = dt.Optional(self.return_type) if self.propagate_none else self.return_type
        function = _with_keywords(self.function, names)
        if self.batched is not None:
            return self._taking_columns(function, return_type)
        if self.is_later:
            return self._answering_later(function, return_type)
        if self.is_async:
            function = _concurrent(function, self.max_batch_size)
        return Udf(
            function,
            self.name,
            return_type,
            deterministic=self.deterministic,
            propagate_none=self.propagate_none,
            mode="batch" if self.is_async or self.max_batch_size is not None else "row",
            max_batch_size=None if self.is_async else self.max_batch_size,
        )

    def check(self, dtypes: Sequence[DType], names: tuple[str, ...]) -> None:
        """Raises TypeError if the function cannot take arguments of these types."""
        if self.original is not None:
            is_batch = self.max_batch_size is not None or self.batched is not None
            check_arguments(self.original, self.name, dtypes, names, is_batch=is_batch)
        if self.batched in ("arrow", "polars"):
            for dtype in dtypes:
                if not has_arrow_form(dtype):
                    raise TypeError(
                        f"the function {self.name} takes columns of {self.batched}, which have no type "
                        f"{dtype}: "
                        'give the column a type with pw.declare_type, or use batched="numpy".'
                    )

    def _taking_columns(self, function: Callable[..., Any], return_type: DType) -> Udf:
        return Udf(
            takes_columns(function, self.batched or "", self.name, return_type),
            self.name,
            return_type,
            deterministic=self.deterministic,
            propagate_none=self.propagate_none,
            mode="arrow",
            max_batch_size=self.max_batch_size,
        )

    def _answering_later(self, function: Callable[..., Any], return_type: DType) -> Udf:
        async def results(*args: Any) -> tuple[Any]:
            return (await function(*args),)

        callee = Callee(
            lambda: Session(results, "fully_async_udf", current_loop()),
            f"the function {self.name}",
            [self.return_type],
            propagate_none=self.propagate_none,
        )
        return Udf(
            function,
            self.name,
            dt.Future(return_type),
            deterministic=self.deterministic,
            propagate_none=self.propagate_none,
            callee=callee,
        )


class ApplyExpression(ColumnExpression):
    """The results of a user function."""

    __slots__ = ("_names", "_plan")

    def __init__(self, plan: CallPlan, args: Sequence[Any], kwargs: dict[str, Any]) -> None:
        super().__init__(*map(operand, args), *map(operand, kwargs.values()))
        self._plan = plan
        self._names = tuple(kwargs)

    def _lower(self, operands: Sequence[Expr]) -> Expr:
        self._plan.check([expression.dtype for expression in operands], self._names)
        return Expr.udf(self._plan.to_engine(self._names), operands)

    def _text(self, operands: Sequence[str]) -> str:
        positional = len(operands) - len(self._names)
        keywords = zip(self._names, operands[positional:], strict=True)
        arguments = [*operands[:positional], *(f"{name}={text}" for name, text in keywords)]
        kinds = [(self._plan.is_later, "apply_fully_async"), (self._plan.is_async, "apply_async")]
        function = next((name for holds, name in kinds if holds), "apply")
        return f"pathway.{function}({', '.join([self._plan.name, *arguments])})"


def _with_keywords(function: Callable[..., Any], names: tuple[str, ...]) -> Callable[..., Any]:
    if not names:
        return function
    count = len(names)

    def with_keywords(*args: Any) -> Any:
        return function(*args[:-count], **dict(zip(names, args[-count:], strict=True)))

    return with_keywords


def _concurrent(function: Callable[..., Any], max_batch_size: int | None) -> Callable[..., Any]:
    """Calls for all rows of a batch at once. The failure of a row stands in its place."""

    async def call_all(columns: Sequence[list[Any]]) -> list[Any]:
        rows = zip(*columns, strict=True)
        return await asyncio.gather(*(function(*row) for row in rows), return_exceptions=True)

    async def call_batches(columns: Sequence[list[Any]], size: int) -> list[Any]:
        starts = range(0, len(columns[0]), size)
        batches = [[column[start : start + size] for column in columns] for start in starts]
        results = await asyncio.gather(*(function(*batch) for batch in batches), return_exceptions=True)
        return [row for batch, result in zip(batches, results, strict=True) for row in _rows(batch, result)]

    def called(*columns: list[Any]) -> list[Any]:
        calls = call_all(columns) if max_batch_size is None else call_batches(columns, max_batch_size)
        return current_loop().run(calls)

    return called


def _rows(batch: list[list[Any]], result: Any) -> list[Any]:
    expected = len(batch[0])
    if isinstance(result, BaseException):
        return [result] * expected
    rows = list(result)
    if len(rows) != expected:
        error = ValueError(
            f"the batch function was given {expected} rows and returned {len(rows)} results: one per row is "
            "needed, in order."
        )
        return [error] * expected
    return rows
