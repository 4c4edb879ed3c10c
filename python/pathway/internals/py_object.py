"""`pw.PyObjectWrapper`: any Python object as a value of a column."""

from __future__ import annotations

from types import GenericAlias
from typing import Any, Generic, Protocol, TypeVar

from pathway._engine import DType

_T = TypeVar("_T")


class PyObjectWrapperSerializerProtocol(Protocol):
    """A module or class that turns objects into bytes and back."""

    def dumps(self, obj: Any, /) -> bytes | str:
        """The object as bytes."""

    def loads(self, data: bytes, /) -> Any:
        """The object that the bytes stand for."""


class PyObjectWrapper(Generic[_T]):
    """A Python object that the engine carries without looking into it.

    >>> PyObjectWrapper([1, 2]).value
    [1, 2]
    """

    __slots__ = ("_serializer", "_value")

    def __init__(self, value: _T, *, _serializer: Any = None) -> None:
        self._value = value
        self._serializer = _serializer

    @property
    def value(self) -> _T:
        """The wrapped object."""
        return self._value

    def __repr__(self) -> str:
        return f"PyObjectWrapper({self._value})"

    def __class_getitem__(cls, arguments: Any) -> GenericAlias:
        return GenericAlias(cls, arguments)

    def __copy__(self) -> PyObjectWrapper[_T]:
        return PyObjectWrapper(self._value, _serializer=self._serializer)

    def __deepcopy__(self, memo: dict[int, Any]) -> PyObjectWrapper[_T]:
        import copy

        return PyObjectWrapper(copy.deepcopy(self._value, memo), _serializer=self._serializer)

    def __reduce__(self) -> tuple[Any, ...]:
        return _restore, (self._value, self._serializer)


PyObjectWrapper.__pathway_dtype__ = DType.py_object("object")  # type: ignore[attr-defined]
# Users see it where the engine's types are.
PyObjectWrapper.__module__ = "pathway.engine"


def _restore(value: Any, serializer: Any) -> PyObjectWrapper[Any]:
    return PyObjectWrapper(value, _serializer=serializer)


def wrap_py_object(
    object: _T, *, serializer: PyObjectWrapperSerializerProtocol | None = None
) -> PyObjectWrapper[_T]:
    """Wraps an object; `serializer` has `dumps` and `loads`, pickle is the default.

    >>> import json
    >>> wrap_py_object({"a": 1}, serializer=json)
    PyObjectWrapper({'a': 1})
    """
    for name in ("dumps", "loads") if serializer is not None else ():
        if not callable(getattr(serializer, name, None)):
            raise AttributeError(f"the serializer {serializer!r} has no function {name}.")
    return PyObjectWrapper(object, _serializer=serializer)


def wrap_serializer(
    serializer: PyObjectWrapperSerializerProtocol,
) -> PyObjectWrapperSerializerProtocol:
    """The serializer itself: kept for programs that wrapped it for the engine."""
    return serializer
