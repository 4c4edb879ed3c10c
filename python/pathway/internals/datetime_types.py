"""`pw.DateTimeNaive`, `pw.DateTimeUtc`, `pw.Duration`: moments and lengths of time with nanoseconds.

They are pandas' `Timestamp` and `Timedelta` under three names. pandas takes long to import and is
not needed to build or run a program, so these classes import it when they are first *used*, not when
they are named in an annotation.
"""

from __future__ import annotations

import datetime
from typing import TYPE_CHECKING, Any, ClassVar

from pathway._engine import DType


def _pandas() -> Any:
    try:
        import pandas
    except ImportError as error:
        raise ImportError("values of dates and times need pandas: pip install 'pathway[pandas]'.") from error
    return pandas


class _PandasType(type):
    """A class whose instances and attributes are those of a class of pandas."""

    _pandas_name: str
    __pathway_dtype__: DType

    def _target(cls) -> Any:
        return getattr(_pandas(), cls._pandas_name)

    def __call__(cls, *args: Any, **kwargs: Any) -> Any:
        value = cls._target()(*args, **kwargs)
        cls._check(value)
        return value

    def _check(cls, value: Any) -> None:
        """Raises ValueError if the value is not one of this class."""
        if value is not _pandas().NaT and not isinstance(value, cls):
            wanted = "needs a time zone, such as tz='UTC'" if cls is DateTimeUtc else "has no time zone"
            raise ValueError(f"a {cls.__name__} {wanted}; the given moment is {value}.")

    def __getattr__(cls, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return getattr(cls._target(), name)

    def __subclasscheck__(cls, subclass: type) -> bool:
        return type.__subclasscheck__(cls, subclass)


class _DateTimeType(_PandasType):
    def __instancecheck__(cls, instance: Any) -> bool:
        is_utc = cls.__name__ == "DateTimeUtc"
        return isinstance(instance, datetime.datetime) and (instance.tzinfo is not None) == is_utc


class _DurationType(_PandasType):
    def __instancecheck__(cls, instance: Any) -> bool:
        return isinstance(instance, datetime.timedelta)


if TYPE_CHECKING:
    import pandas

    class DateTimeNaive(pandas.Timestamp):
        """A moment without a time zone."""

    class DateTimeUtc(pandas.Timestamp):
        """A moment with a time zone; stored in UTC."""

    class Duration(pandas.Timedelta):
        """A length of time."""

else:

    class DateTimeNaive(metaclass=_DateTimeType):
        """A moment without a time zone. Takes the arguments of `pandas.Timestamp`.

        >>> str(DateTimeNaive("2024-05-01 10:00:00"))
        '2024-05-01 10:00:00'
        """

        _pandas_name = "Timestamp"
        __pathway_dtype__: ClassVar[DType] = DType.DATE_TIME_NAIVE

    class DateTimeUtc(metaclass=_DateTimeType):
        """A moment with a time zone; stored in UTC. Takes the arguments of `pandas.Timestamp`.

        >>> str(DateTimeUtc("2024-05-01 10:00:00+02:00"))
        '2024-05-01 10:00:00+02:00'
        """

        _pandas_name = "Timestamp"
        __pathway_dtype__: ClassVar[DType] = DType.DATE_TIME_UTC

    class Duration(metaclass=_DurationType):
        """A length of time. Takes the arguments of `pandas.Timedelta`.

        >>> str(Duration(hours=30))
        '1 days 06:00:00'
        """

        _pandas_name = "Timedelta"
        __pathway_dtype__: ClassVar[DType] = DType.DURATION


CLASS_OF_KIND: dict[str, type] = {
    "date_time_naive": DateTimeNaive,
    "date_time_utc": DateTimeUtc,
    "duration": Duration,
}
