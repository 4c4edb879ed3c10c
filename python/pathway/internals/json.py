"""`pw.Json`: a JSON value in Python."""

from __future__ import annotations

import datetime
import json as _json
from collections.abc import Iterator
from typing import Any, ClassVar, TypeVar

from pathway._engine import DType

_T = TypeVar("_T")


class _Encoder(_json.JSONEncoder):
    def default(self, value: Any) -> Any:
        if isinstance(value, Json):
            return value.value
        if isinstance(value, datetime.datetime):
            return _isoformat(value)
        if isinstance(value, datetime.timedelta):
            return _nanoseconds(value)
        return super().default(value)


def _isoformat(value: datetime.datetime) -> str:
    """ISO 8601 with nine fractional digits and, where there is a zone, its offset."""
    fraction = value.microsecond * 1000 + getattr(value, "nanosecond", 0)
    zone = value.isoformat()[19:].lstrip(".0123456789")
    return f"{value:%Y-%m-%dT%H:%M:%S}.{fraction:09d}{zone}"


def _nanoseconds(value: datetime.timedelta) -> int:
    own = getattr(value, "value", None)  # pandas counts nanoseconds itself
    if isinstance(own, int):
        return own
    return ((value.days * 86400 + value.seconds) * 1_000_000 + value.microseconds) * 1000


class Json:
    """A JSON value: what a column of type Json holds.

    >>> j = Json({"a": [1, 2.5], "b": None})
    >>> j["a"][0].as_int(), j["b"] == Json.NULL, str(j)
    (1, True, '{"a": [1, 2.5], "b": null}')
    >>> Json.parse("[1, 2]")
    pw.Json([1, 2])
    """

    __slots__ = ("_value",)
    _value: Any

    NULL: ClassVar[Json]
    __pathway_dtype__: ClassVar[DType] = DType.JSON

    def __init__(self, value: Any) -> None:
        object.__setattr__(self, "_value", value)

    def __setattr__(self, name: str, value: Any) -> None:
        raise AttributeError(f"pw.Json is immutable; cannot set {name!r}. Build a new pw.Json instead.")

    @property
    def value(self) -> Any:
        """The raw Python value."""
        return self._value.value if isinstance(self._value, Json) else self._value

    @staticmethod
    def parse(text: str | bytes | bytearray) -> Json:
        """The value that a JSON text stands for."""
        return Json(_json.loads(text))

    @staticmethod
    def dumps(obj: Any) -> str:
        """JSON text of `obj`, which may contain `Json`, datetimes and durations anywhere."""
        return _json.dumps(obj, cls=_Encoder, ensure_ascii=False)

    def __str__(self) -> str:
        return Json.dumps(self.value)

    def __repr__(self) -> str:
        return f"pw.Json({self.value!r})"

    def __eq__(self, other: object) -> bool:
        return self._value == other._value if isinstance(other, Json) else NotImplemented

    def __hash__(self) -> int:
        return hash(self._value)

    def __getitem__(self, key: str | int) -> Json:
        return Json(self.value[key])

    def __iter__(self) -> Iterator[Json]:
        return (Json(item) for item in self.value)

    def __reversed__(self) -> Iterator[Json]:
        return (Json(item) for item in reversed(self.value))

    def __len__(self) -> int:
        return len(self.value)

    def __bool__(self) -> bool:
        return bool(self.value)

    def __int__(self) -> int:
        return int(self.value)

    def __float__(self) -> float:
        return float(self.value)

    def __index__(self) -> int:
        import operator

        return operator.index(self.value)

    def __copy__(self) -> Json:
        return self

    def __deepcopy__(self, memo: dict[int, Any]) -> Json:
        import copy

        return Json(copy.deepcopy(self._value, memo))

    def __reduce__(self) -> tuple[type[Json], tuple[Any]]:
        return Json, (self._value,)

    def _as(self, expected: type[_T], *also: type) -> _T:
        value = self.value
        wrong_bool = isinstance(value, bool) and expected is not bool
        if wrong_bool or not isinstance(value, (expected, *also)):
            raise ValueError(f"Cannot convert Json {self} to {expected}: it is a {type(value).__name__}.")
        return value  # type: ignore[return-value]

    def as_int(self) -> int:
        """The value, if it is an integer; else ValueError."""
        return self._as(int)

    def as_str(self) -> str:
        """The value, if it is a string; else ValueError."""
        return self._as(str)

    def as_float(self) -> float:
        """The value, if it is a number; else ValueError."""
        return float(self._as(float, int))

    def as_bool(self) -> bool:
        """The value, if it is true or false; else ValueError."""
        return self._as(bool)

    def as_list(self) -> list[Any]:
        """The raw list, if the value is an array; else ValueError."""
        return self._as(list)

    def as_dict(self) -> dict[str, Any]:
        """The raw dict, if the value is an object; else ValueError."""
        return self._as(dict)


Json.NULL = Json(None)

#: What `Json` can be made of.
JsonValue = int | float | str | bool | list["JsonValue"] | dict[str, "JsonValue"] | None | Json
