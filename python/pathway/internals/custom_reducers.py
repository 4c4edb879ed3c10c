"""Reducers in Python: `stateful_many`, `stateful_single`, `udf_reducer`."""

from __future__ import annotations

import pickle
from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Callable
from typing import Any, TypeVar

from pathway._engine import DType, as_value
from pathway.internals import dtype as dt
from pathway.internals.expression.expression import ColumnExpression
from pathway.internals.expression.reducer import CustomReducerExpression
from pathway.internals.trace import trace_user_frame

#: The rows of one time: argument lists with how often each was added (negative: removed).
Rows = list[tuple[list[Any], int]]

_Self = TypeVar("_Self", bound="BaseCustomAccumulator")


class _Group(ABC):
    """The state of one group, as the engine keeps it."""

    @abstractmethod
    def update(self, rows: Rows) -> None:
        """Takes in the changes of one time."""

    @abstractmethod
    def result(self) -> tuple[Any] | None:
        """The value in a tuple, or None if the group has no row."""

    @abstractmethod
    def save(self) -> bytes:
        """The state as bytes."""

    @abstractmethod
    def load(self, data: bytes) -> None:
        """Takes up a saved state."""


class _StatefulGroup(_Group):
    """The state is the result."""

    def __init__(self, combine: Callable[[Any, Rows], Any]) -> None:
        self._combine = combine
        self._state: Any = None

    def update(self, rows: Rows) -> None:
        self._state = as_value(self._combine(self._state, rows))

    def result(self) -> tuple[Any] | None:
        return None if self._state is None else (self._state,)

    def save(self) -> bytes:
        return pickle.dumps(self._state, protocol=4)

    def load(self, data: bytes) -> None:
        self._state = pickle.loads(data)


@trace_user_frame
def stateful_many(combine_many: Callable[[Any, Rows], Any]) -> Callable[..., ColumnExpression]:
    """A reducer from a function of the state of a group and the changes of one time.

    The state is None at first, and is the result; None removes the row of the group. It is a value as a
    column of any type gives it back: a list becomes a tuple, a dict `pw.Json`; other objects go into
    `pw.wrap_py_object`. The function is told of the last removals of a group too. Its state then stays, for
    rows that may come back, unless it is None.

    >>> import pathway as pw
    >>> def total(state, rows):
    ...     return (state or 0) + sum(row[0] * count for row, count in rows)
    >>> t = pw.debug.table_from_markdown('''
    ... v
    ... 3
    ... 4
    ... ''')
    >>> my_sum = pw.reducers.stateful_many(total)
    >>> pw.debug.compute_and_print(t.reduce(s=my_sum(t.v)), include_id=False)
    s
    7
    """

    def reducer(*args: Any) -> ColumnExpression:
        def new_group() -> _Group:
            return _StatefulGroup(combine_many)

        return CustomReducerExpression("stateful_many", dt.ANY, new_group, *args)

    return reducer


@trace_user_frame
def stateful_single(combine_single: Callable[..., Any]) -> Callable[..., ColumnExpression]:
    """A reducer from a function of the state of a group and the values of one added row.

    >>> import pathway as pw
    >>> t = pw.debug.table_from_markdown('''
    ... v
    ... 3
    ... 4
    ... ''')
    >>> longest = pw.reducers.stateful_single(lambda state, v: max(state or 0, v))
    >>> pw.debug.compute_and_print(t.reduce(m=longest(t.v)), include_id=False)
    m
    4
    """

    def combine(state: Any, rows: Rows) -> Any:
        for values, number in rows:
            if number < 0:
                raise AssertionError(
                    f"stateful_single cannot take back the row {tuple(values)}; for input with deletions "
                    "use stateful_many or udf_reducer."
                )
            for _ in range(number):
                state = combine_single(state, *values)
                if state is None:
                    raise AssertionError("the function given to stateful_single must not return None.")
        return state

    return stateful_many(combine)


class BaseCustomAccumulator(ABC):
    """Base of classes for [`udf_reducer`][]: what is known of the rows of a group.

    >>> import pathway as pw
    >>> class Longest(pw.BaseCustomAccumulator):
    ...     def __init__(self, text):
    ...         self.text = text
    ...     @classmethod
    ...     def from_row(cls, row):
    ...         return cls(row[0])
    ...     def update(self, other):
    ...         self.text = max(self.text, other.text, key=len)
    ...     def compute_result(self) -> str:
    ...         return self.text
    >>> longest = pw.reducers.udf_reducer(Longest)
    >>> t = pw.debug.table_from_markdown('''
    ... word
    ... tea
    ... coffee
    ... ''')
    >>> pw.debug.compute_and_print(t.reduce(w=longest(t.word)), include_id=False)
    w
    coffee
    """

    @classmethod
    def neutral(cls: type[_Self]) -> _Self:
        """The accumulator of a group before its first row."""
        raise NotImplementedError

    @classmethod
    @abstractmethod
    def from_row(cls: type[_Self], row: list[Any]) -> _Self:
        """The accumulator of one row."""

    @abstractmethod
    def update(self: _Self, other: _Self) -> None:
        """Takes in the rows of another accumulator."""

    def retract(self: _Self, other: _Self) -> None:
        """Undoes an `update`; without it, deletions recompute the group from its rows."""
        raise NotImplementedError

    @abstractmethod
    def compute_result(self) -> Any:
        """The value of the reducer; the annotation of the result is its type."""

    @classmethod
    def sort_by(cls, row: list[Any]) -> Any:
        """The order of the rows of one time."""
        raise NotImplementedError

    def serialize(self) -> bytes:
        """The accumulator as bytes."""
        return pickle.dumps(self, protocol=4)

    @classmethod
    def deserialize(cls: type[_Self], val: bytes) -> _Self:
        """The accumulator that the bytes stand for."""
        accumulator: _Self = pickle.loads(val)
        return accumulator


def _overrides(cls: type[BaseCustomAccumulator], method: str) -> bool:
    own = getattr(cls, method)
    base = getattr(BaseCustomAccumulator, method)
    return getattr(own, "__func__", own) is not getattr(base, "__func__", base)


class _AccumulatorGroup(_Group):
    """The accumulator of one group, with its rows where deletions need them."""

    def __init__(self, cls: type[BaseCustomAccumulator]) -> None:
        self._cls = cls
        self._retracts = _overrides(cls, "retract")
        self._sorts = _overrides(cls, "sort_by")
        self._accumulator: BaseCustomAccumulator | None = None
        self._count = 0
        self._rows: list[list[Any]] = []

    def update(self, rows: Rows) -> None:
        changes = [(row, 1 if number > 0 else -1) for row, number in rows for _ in range(abs(number))]
        changes.sort(key=lambda change: -change[1])
        if self._sorts:
            changes.sort(key=lambda change: self._cls.sort_by(change[0]))
        self._count += sum(sign for _, sign in changes)
        if self._retracts:
            for row, sign in changes:
                self._change(row, sign)
            if self._count == 0:
                self._accumulator = None
            return
        removed = [row for row, sign in changes if sign < 0]
        added = [row for row, sign in changes if sign > 0]
        self._rows += added
        if removed:
            self._forget(removed)
            if self._sorts:
                self._rows.sort(key=self._cls.sort_by)
            self._accumulator = None
            added = self._rows
        for row in added:
            self._change(row, 1)

    def _forget(self, removed: list[list[Any]]) -> None:
        waiting = Counter(map(_row_key, removed))
        kept = []
        for row in self._rows:
            key = _row_key(row)
            if waiting[key] > 0:
                waiting[key] -= 1
            else:
                kept.append(row)
        self._rows = kept

    def _change(self, row: list[Any], sign: int) -> None:
        other = self._cls.from_row(list(row))
        if self._accumulator is None and _overrides(self._cls, "neutral"):
            self._accumulator = self._cls.neutral()
        if self._accumulator is None:
            self._accumulator = other
        elif sign > 0:
            self._accumulator.update(other)
        else:
            self._accumulator.retract(other)

    def result(self) -> tuple[Any] | None:
        return None if self._accumulator is None else (self._accumulator.compute_result(),)

    def save(self) -> bytes:
        accumulator = None if self._accumulator is None else self._accumulator.serialize()
        return pickle.dumps((accumulator, self._count, self._rows), protocol=4)

    def load(self, data: bytes) -> None:
        accumulator, self._count, self._rows = pickle.loads(data)
        self._accumulator = None if accumulator is None else self._cls.deserialize(accumulator)


def _row_key(row: list[Any]) -> Any:
    try:
        hash(tuple(row))
    except TypeError:
        return pickle.dumps(row, protocol=4)
    return tuple(row)


@trace_user_frame
def udf_reducer(reducer_cls: type[BaseCustomAccumulator]) -> Callable[..., ColumnExpression]:
    """A reducer from a class of accumulators; see `pw.BaseCustomAccumulator`."""
    if not (isinstance(reducer_cls, type) and issubclass(reducer_cls, BaseCustomAccumulator)):
        raise TypeError(f"udf_reducer() takes a subclass of pw.BaseCustomAccumulator, found {reducer_cls!r}.")
    missing = sorted(reducer_cls.__abstractmethods__)
    if missing:
        raise TypeError(f"the accumulator {reducer_cls.__name__} has to define {', '.join(missing)}.")
    return_type = _return_type(reducer_cls)

    def reducer(*args: Any) -> ColumnExpression:
        def new_group() -> _Group:
            return _AccumulatorGroup(reducer_cls)

        return CustomReducerExpression("stateful_many", return_type, new_group, *args)

    return reducer


def _return_type(cls: type[BaseCustomAccumulator]) -> DType:
    from pathway.internals.udfs.annotations import return_annotation

    annotation = return_annotation(cls.compute_result)
    return dt.ANY if annotation is ... else dt.wrap(annotation)
