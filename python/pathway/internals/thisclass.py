"""`pw.this`, `pw.left`, `pw.right`: the table of the operation in which they are used.

A placeholder stands for columns that are known only later. Slicing it (`pw.this.without("a")`) or
indexing with it (`other.ix(pw.this.key)`) gives another placeholder; the scope of the operation
turns each into a table, a join or a slice of one (`Placeholder._columns`).
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, KeysView
from typing import TYPE_CHECKING, Any, NoReturn

from pathway.internals.expression.column import ColumnReference
from pathway.internals.expression.nodes import PointerFrom
from pathway.internals.trace import trace_user_frame

if TYPE_CHECKING:
    from pathway.internals.resolve import Scope

_UNPACK_PREFIX = "_pw_unpacked_"
_unpack_numbers = itertools.count()


class Unpacked:
    """All columns of a placeholder: what `*pw.this` and `**pw.this` pass to an operation."""

    def __init__(self, placeholder: Placeholder) -> None:
        self.placeholder = placeholder

    def __repr__(self) -> str:
        return f"*{self.placeholder!r}"


class Placeholder:
    """Columns that the operation in which the placeholder is used makes known."""

    __array_ufunc__ = None

    def _columns(self, scope: Scope) -> Any:
        """The table, join or slice that the placeholder stands for."""
        raise NotImplementedError

    def _expression_text(self) -> str:
        raise NotImplementedError

    def __repr__(self) -> str:
        return self._expression_text()

    @trace_user_frame
    def __getattr__(self, name: str) -> ColumnReference:
        if name.startswith("__"):
            raise AttributeError(name)
        if _is_table_method(name):
            raise ValueError(
                f"{name} is a method of tables; for a column of that name write {self!r}[{name!r}]."
            )
        return ColumnReference(self, name)

    def __getitem__(self, item: Any) -> Any:
        if isinstance(item, str):
            return Unpacked(self) if item.startswith(_UNPACK_PREFIX) else ColumnReference(self, item)
        if isinstance(item, ColumnReference):
            return ColumnReference(self, item.name)
        return DerivedPlaceholder(self, "__getitem__", (list(item),), {})

    def __iter__(self) -> Iterator[Unpacked]:
        yield Unpacked(self)

    def keys(self) -> KeysView[str]:
        """The key under which `**placeholder` passes all its columns."""
        return {f"{_UNPACK_PREFIX}{next(_unpack_numbers)}": None}.keys()

    @trace_user_frame
    def __call__(self, *args: Any, **kwargs: Any) -> NoReturn:
        raise TypeError(f"{self!r} cannot be called: it stands for a table in an operation.")

    @property
    def C(self) -> ColumnNamespace:
        """The columns by name, also those that are named like a method."""
        return ColumnNamespace(self)

    @property
    def id(self) -> ColumnReference:
        """The row ids."""
        return ColumnReference(self, "id")

    @property
    def slice(self) -> Placeholder:
        """The columns."""
        return self

    def without(self, *columns: str | ColumnReference) -> Placeholder:
        """The columns except these."""
        return DerivedPlaceholder(self, "without", columns, {})

    def rename(self, rename_dict: dict[Any, Any]) -> Placeholder:
        """The columns under other names."""
        return DerivedPlaceholder(self, "rename", (rename_dict,), {})

    def with_prefix(self, prefix: str) -> Placeholder:
        """The columns with `prefix` before each name."""
        return DerivedPlaceholder(self, "with_prefix", (prefix,), {})

    def with_suffix(self, suffix: str) -> Placeholder:
        """The columns with `suffix` after each name."""
        return DerivedPlaceholder(self, "with_suffix", (suffix,), {})

    def ix(self, expression: Any, **kwargs: Any) -> Placeholder:
        """The columns of the rows that `expression` names."""
        return DerivedPlaceholder(self, "ix", (expression,), kwargs)

    def ix_ref(self, *args: Any, **kwargs: Any) -> Placeholder:
        """The columns of the rows whose primary key has these values."""
        return DerivedPlaceholder(self, "ix_ref", args, kwargs)

    @trace_user_frame
    def pointer_from(self, *args: Any, optional: bool = False, instance: Any = None) -> PointerFrom:
        """The row id made of these values."""
        return PointerFrom(self, args, optional, instance)


class TablePlaceholder(Placeholder):
    """`pw.this`, `pw.left` or `pw.right`."""

    def __init__(self, kind: str) -> None:
        self._kind = kind

    def _columns(self, scope: Scope) -> Any:
        return scope.placeholder(self._kind)

    def _expression_text(self) -> str:
        return f"pathway.{self._kind}"


class DerivedPlaceholder(Placeholder):
    """The result of a method of a placeholder, or of a table with placeholders as arguments."""

    def __init__(self, source: Any, method: str, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        self._source = source
        self._method = method
        self._args = args
        self._kwargs = kwargs

    def _columns(self, scope: Scope) -> Any:
        known = scope.derived.get(self)
        if known is None:
            source = self._source
            if isinstance(source, Placeholder):
                source = source._columns(scope)
            known = scope.derived[self] = self._apply(source, scope)
        return known

    def _apply(self, source: Any, scope: Scope) -> Any:
        if self._method in ("ix", "ix_ref"):
            kwargs = {key: value for key, value in self._kwargs.items() if key != "context"}
            return source._ix_in_scope(self._method, self._args, kwargs, scope)
        return getattr(source.slice, self._method)(*self._args, **self._kwargs)

    def _expression_text(self) -> str:
        method = self._method
        return f"{self._source!r}.{method}(...)" if method != "__getitem__" else f"{self._source!r}[...]"


class ColumnNamespace:
    """Columns by name, also those that are named like a method: `table.C.select`."""

    __slots__ = ("_owner",)

    def __init__(self, owner: Any) -> None:
        self._owner = owner

    @trace_user_frame
    def __getattr__(self, name: str) -> ColumnReference:
        if name.startswith("__"):
            raise AttributeError(name)
        try:
            column: ColumnReference = self._owner[name]
        except KeyError as error:
            raise AttributeError(*error.args) from None
        return column

    @trace_user_frame
    def __getitem__(self, name: Any) -> Any:
        return self._owner[name]

    def _ipython_key_completions_(self) -> list[str]:
        return list(self._owner.keys())


def _is_table_method(name: str) -> bool:
    from pathway.internals.table import Table

    return not name.startswith("_") and callable(getattr(Table, name, None))


this = TablePlaceholder("this")
left = TablePlaceholder("left")
right = TablePlaceholder("right")
