"""`.dt`: functions of dates, times and durations."""

from __future__ import annotations

import datetime
from typing import Any

from pathway._engine import DType, Expr
from pathway.internals.expression.expression import ColumnExpression
from pathway.internals.expression.nodes import MethodCall, operand
from pathway.internals.trace import trace_user_frame, warn

_UNITS = ("s", "ms", "us", "ns")


class DateTimeNamespace:
    """Functions of DateTimeNaive, DateTimeUtc and Duration columns, reached as `column.dt`.

    >>> import pathway as pw
    >>> t = pw.debug.table_from_markdown('''
    ... when
    ... 2024-05-01T10:31:00
    ... ''')
    >>> times = t.select(when=t.when.dt.strptime("%Y-%m-%dT%H:%M:%S"))
    >>> result = times.select(hour=pw.this.when.dt.hour(), start=pw.this.when.dt.floor("1h"))
    >>> pw.debug.compute_and_print(result, include_id=False)
    hour | start
    10   | 2024-05-01 10:00:00
    """

    __slots__ = ("_expression",)

    def __init__(self, expression: ColumnExpression) -> None:
        self._expression = expression

    # --- fields -----------------------------------------------------------------------------------

    def year(self) -> ColumnExpression:
        """The year."""
        return MethodCall("dt.year", self._expression)

    def month(self) -> ColumnExpression:
        """The month, 1 to 12."""
        return MethodCall("dt.month", self._expression)

    def day(self) -> ColumnExpression:
        """The day of the month, from 1."""
        return MethodCall("dt.day", self._expression)

    def hour(self) -> ColumnExpression:
        """The hour, 0 to 23."""
        return MethodCall("dt.hour", self._expression)

    def minute(self) -> ColumnExpression:
        """The minute, 0 to 59."""
        return MethodCall("dt.minute", self._expression)

    def second(self) -> ColumnExpression:
        """The second, 0 to 59."""
        return MethodCall("dt.second", self._expression)

    def millisecond(self) -> ColumnExpression:
        """The fraction of the second in milliseconds."""
        return MethodCall("dt.millisecond", self._expression)

    def microsecond(self) -> ColumnExpression:
        """The fraction of the second in microseconds."""
        return MethodCall("dt.microsecond", self._expression)

    def nanosecond(self) -> ColumnExpression:
        """The fraction of the second in nanoseconds."""
        return MethodCall("dt.nanosecond", self._expression)

    def weekday(self) -> ColumnExpression:
        """The day of the week: Monday is 0, Sunday 6."""
        return MethodCall("dt.weekday", self._expression)

    @trace_user_frame
    def timestamp(self, unit: str | None = None) -> ColumnExpression:
        """The time since 1970 in `unit` (`s`, `ms`, `us`, `ns`) as a float."""
        if unit is None:
            warn(
                "timestamp() without a unit gives nanoseconds as an int, which is deprecated; "
                "write timestamp(unit=...) for a float in that unit.",
                DeprecationWarning,
            )
            return MethodCall("dt.timestamp", self._expression, None, shown=())
        _check_unit(unit)
        return MethodCall("dt.timestamp", self._expression, unit)

    # --- text -------------------------------------------------------------------------------------

    @trace_user_frame
    def strptime(self, fmt: Any, contains_timezone: bool | None = None) -> ColumnExpression:
        """The moment that a text in the format `fmt` tells; with a zone in the format it is UTC."""
        if contains_timezone is None and not isinstance(fmt, str):
            raise ValueError(
                "the format is a column, so tell with contains_timezone=True or False whether the texts "
                "contain a time zone; the type of the result depends on it."
            )
        return MethodCall("dt.strptime", self._expression, fmt, contains_timezone, shown=(fmt,))

    def strftime(self, fmt: Any) -> ColumnExpression:
        """The moment as text in the format `fmt`."""
        return MethodCall("dt.strftime", self._expression, fmt)

    # --- time zones -------------------------------------------------------------------------------

    def to_utc(self, from_timezone: Any) -> ColumnExpression:
        """The instant of a local time in a zone."""
        return MethodCall("dt.to_utc", self._expression, from_timezone)

    def to_naive_in_timezone(self, timezone: Any) -> ColumnExpression:
        """The local time of an instant in a zone."""
        return MethodCall("dt.to_to_naive_in_timezone", self._expression, timezone)

    def add_duration_in_timezone(self, duration: Any, timezone: Any) -> ColumnExpression:
        """The local time when `duration` has passed in a zone."""
        later = operand(self.to_utc(timezone) + duration)
        return later.dt.to_naive_in_timezone(timezone)

    def subtract_duration_in_timezone(self, duration: Any, timezone: Any) -> ColumnExpression:
        """The local time `duration` ago in a zone."""
        earlier = operand(self.to_utc(timezone) - duration)
        return earlier.dt.to_naive_in_timezone(timezone)

    def subtract_date_time_in_timezone(self, date_time: Any, timezone: Any) -> ColumnExpression:
        """The time that passed in a zone between two local times."""
        return self.to_utc(timezone) - operand(date_time).dt.to_utc(timezone)

    # --- rounding ---------------------------------------------------------------------------------

    @trace_user_frame
    def round(self, duration: Any) -> ColumnExpression:
        """The nearest multiple of `duration` since 1970; halves go to the later one."""
        _check_step(duration)
        return MethodCall("dt.round", self._expression, duration)

    @trace_user_frame
    def floor(self, duration: Any) -> ColumnExpression:
        """The last multiple of `duration` since 1970 that is not later."""
        _check_step(duration)
        return MethodCall("dt.floor", self._expression, duration)

    # --- durations and timestamps -------------------------------------------------------------------

    def nanoseconds(self) -> ColumnExpression:
        """The length in nanoseconds."""
        return MethodCall("dt.nanoseconds", self._expression)

    def microseconds(self) -> ColumnExpression:
        """The length in whole microseconds."""
        return MethodCall("dt.microseconds", self._expression)

    def milliseconds(self) -> ColumnExpression:
        """The length in whole milliseconds."""
        return MethodCall("dt.milliseconds", self._expression)

    def seconds(self) -> ColumnExpression:
        """The length in whole seconds."""
        return MethodCall("dt.seconds", self._expression)

    def minutes(self) -> ColumnExpression:
        """The length in whole minutes."""
        return MethodCall("dt.minutes", self._expression)

    def hours(self) -> ColumnExpression:
        """The length in whole hours."""
        return MethodCall("dt.hours", self._expression)

    def days(self) -> ColumnExpression:
        """The length in whole days."""
        return MethodCall("dt.days", self._expression)

    def weeks(self) -> ColumnExpression:
        """The length in whole weeks."""
        return MethodCall("dt.weeks", self._expression)

    def to_duration(self, unit: Any) -> ColumnExpression:
        """So many of `unit` (`W`, `D`, `h`, `m`, `s`, `ms`, `us`, `ns` or their long names)."""
        return MethodCall("dt.to_duration", self._expression, unit)

    @trace_user_frame
    def from_timestamp(self, unit: str) -> ColumnExpression:
        """The moment so many of `unit` after 1970, without a zone."""
        _check_unit(unit)
        return MethodCall("dt.from_timestamp", self._expression, unit)

    @trace_user_frame
    def utc_from_timestamp(self, unit: str) -> ColumnExpression:
        """The moment so many of `unit` after 1970, UTC."""
        _check_unit(unit)
        return MethodCall("dt.utc_from_timestamp", self._expression, unit)


def _check_unit(unit: str) -> None:
    if isinstance(unit, ColumnExpression):
        raise RuntimeError(f"the unit is one of {', '.join(_UNITS)} for all rows, not the column {unit!r}.")
    if unit not in _UNITS:
        raise ValueError(f"there is no unit {unit!r} here; the units are {', '.join(_UNITS)}.")


def _check_step(step: Any) -> None:
    """Raises ValueError for a text that is not a duration of fixed length."""
    if isinstance(step, str):
        start = Expr.constant(datetime.datetime(1970, 1, 1), DType.DATE_TIME_NAIVE)
        Expr.method("dt.floor", [start, Expr.constant(step, DType.STR)])


#: What `round` and `floor` take besides expressions.
DurationLike = datetime.timedelta | str
