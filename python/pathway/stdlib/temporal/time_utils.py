"""Tables that go by the clock on the wall: `utc_now`, `inactivity_detection`, `add_update_timestamp_utc`."""

from __future__ import annotations

import datetime
import time
from typing import Any, cast

from pathway import universes
from pathway.internals import reducers
from pathway.internals.datetime_types import DateTimeUtc
from pathway.internals.expression.conditional import coalesce
from pathway.internals.expression.convert import declare_type
from pathway.internals.expression.expression import ColumnExpression
from pathway.internals.parse_graph import G
from pathway.internals.runtime_type_check import check_arg_types
from pathway.internals.schema import schema_from_types
from pathway.internals.table import Table
from pathway.internals.thisclass import left, this
from pathway.internals.trace import trace_user_frame
from pathway.internals.udfs.apply import apply_with_type
from pathway.io.python import ConnectorSubject, read

_SECOND = datetime.timedelta(seconds=1)
_IS_THERE = "_pw_is_there"


def _get_now_timestamp_utc(pointer: Any) -> datetime.datetime:
    """The present time; `pointer` is the id of the row that it is wanted for, None for the start."""
    return datetime.datetime.now(datetime.timezone.utc)


class _Clock(ConnectorSubject):
    """Sends the time at regular distances, for ever."""

    def __init__(self, refresh_rate: datetime.timedelta, initial_delay: datetime.timedelta) -> None:
        super().__init__(datasource_name="utc_now")
        self._refresh_rate = refresh_rate.total_seconds()
        self._initial_delay = initial_delay.total_seconds()

    @property
    def _deletions_enabled(self) -> bool:
        return False

    def run(self) -> None:
        due = time.monotonic() + self._initial_delay
        while True:
            time.sleep(max(0.0, due - time.monotonic()))
            self.next(timestamp_utc=datetime.datetime.now(datetime.timezone.utc))
            self.commit()
            # After a pause of the machine the missed ticks do not come all at once.
            due = max(due + self._refresh_rate, time.monotonic())


@trace_user_frame
@check_arg_types
def utc_now(
    refresh_rate: datetime.timedelta = datetime.timedelta(seconds=60),
    initial_delay: datetime.timedelta = datetime.timedelta(seconds=0),
) -> Table:
    """A stream of the present time, the column `timestamp_utc`; a run with it never ends.

    Calls with equal arguments give the same table.

    Args:
        refresh_rate: from one row to the next.
        initial_delay: from the start of the run to the first row.

    Raises:
        ValueError: if the refresh rate is not positive, or the delay is negative.

    >>> import datetime
    >>> import pathway as pw
    >>> clock = pw.temporal.utc_now(refresh_rate=datetime.timedelta(seconds=1))
    >>> list(clock.column_names())
    ['timestamp_utc']
    """
    if refresh_rate <= datetime.timedelta(0):
        raise ValueError(f"refresh_rate has to be positive, not {refresh_rate}.")
    if initial_delay < datetime.timedelta(0):
        raise ValueError(f"initial_delay cannot be negative, as {initial_delay} is.")
    known = G.clocks.get((refresh_rate, initial_delay))
    if known is None:
        known = read(
            _Clock(refresh_rate, initial_delay),
            schema=schema_from_types(timestamp_utc=DateTimeUtc),
            autocommit_duration_ms=None,
        )
        G.clocks[refresh_rate, initial_delay] = known
    return cast(Table, known)


def _optional(hint: Any) -> Any:
    return None if hint is None else hint | None


def _row(**values: tuple[Any, Any]) -> Table:
    """A table of one row: types and values of the columns."""
    from pathway.debug import table_from_rows

    schema = schema_from_types(**{name: dtype for name, (dtype, _) in values.items()})
    return table_from_rows(schema, [tuple(value for _, value in values.values())])


@trace_user_frame
@check_arg_types
def inactivity_detection(
    self: Table,
    allowed_inactivity_period: datetime.timedelta,
    refresh_rate: datetime.timedelta = _SECOND,
    instance: ColumnExpression | None = None,
) -> Table:
    """The times from which on no rows came for too long, and when they came again.

    The time of a row is that of the clock on the wall when it was processed. A row of the result has
    `inactivity_timestamp_utc`, the time of the last row before the silence (or of the call, if there
    was none), and `resumed_activity_timestamp_utc`, that of the first one after it, which is None until
    then. With an instance, whose column is `instance`, each value of it has silences of its own.

    Args:
        allowed_inactivity_period: how long nothing may come.
        refresh_rate: how often that is checked.
        instance: what rows are told apart by.

    Raises:
        AssertionError: if rows of the table may be removed.

    >>> import datetime
    >>> import pathway as pw
    >>> class Heartbeat(pw.Schema, append_only=True):
    ...     sensor: str
    >>> t = pw.debug.table_from_rows(Heartbeat, [("a",), ("b",)])
    >>> silences = t.inactivity_detection(datetime.timedelta(minutes=5), instance=t.sensor)
    >>> list(silences.column_names())
    ['instance', 'inactivity_timestamp_utc', 'resumed_activity_timestamp_utc']
    """
    assert self.is_append_only, "Table must be append only to use inactivity_detection"
    if allowed_inactivity_period < datetime.timedelta(0):
        raise ValueError(f"allowed_inactivity_period cannot be negative, as {allowed_inactivity_period} is.")
    given = instance is not None
    now_of = _get_now_timestamp_utc
    stamp = apply_with_type(lambda pointer: now_of(pointer), DateTimeUtc, this.id)
    rows = self.select(instance=instance if given else None, stamp=stamp)
    kind = _optional(rows.typehints()["instance"])
    start = _row(instance=(kind, None), last=(DateTimeUtc, now_of(None)))
    latest = rows.groupby(this.instance).reduce(
        instance=declare_type(kind, this.instance), last=reducers.max(this.stamp)
    )
    some = rows.reduce(stamp=reducers.min(this.stamp))
    waiting = start.join_left(some).select(*left, some.stamp).filter(this.stamp.is_none())
    now = utc_now(refresh_rate=refresh_rate).reduce(now=reducers.max(this.timestamp_utc))
    silent = (
        latest.concat_reindex(waiting.without(this.stamp))
        .join(now)
        .select(*left, silent=this.last + allowed_inactivity_period < this.now)
        .filter(this.silent)
        .with_id_from(this.instance, this.last)
    )
    # A silence ends, but it has been.
    silences = silent._remove_retractions()
    newest = silences.groupby(this.instance).reduce(this.instance, silence=reducers.max(this.last))
    resumed = (
        newest.join(latest, newest.instance == latest.instance)
        .select(newest.instance, newest.silence, latest.last)
        .filter(this.last > this.silence)
        .with_id_from(this.instance, this.silence, this.last)
        ._remove_retractions()
        .groupby(this.instance, this.silence)
        .reduce(resumed_activity_timestamp_utc=reducers.min(this.last))
    )
    universes.promise_is_subset_of(resumed, silences)
    result = silences.select(
        this.instance,
        inactivity_timestamp_utc=this.last,
        resumed_activity_timestamp_utc=declare_type(_optional(DateTimeUtc), None),
    ).update_cells(resumed)
    return result if given else result.without(this.instance)


@trace_user_frame
@check_arg_types
def add_update_timestamp_utc(
    self: Table,
    refresh_rate: datetime.timedelta = _SECOND,
    update_timestamp_column_name: str = "updated_timestamp_utc",
) -> Table:
    """The table with the time at which each row came or was changed last, by the clock on the wall.

    Args:
        refresh_rate: how often the clock is looked at; times are rounded down to that.
        update_timestamp_column_name: the name of the column with the time; one that is there is replaced.

    >>> import datetime
    >>> import pathway as pw
    >>> t = pw.debug.table_from_markdown('''
    ... a
    ... 5
    ... ''')
    >>> list(t.add_update_timestamp_utc(datetime.timedelta(seconds=5)).column_names())
    ['a', 'updated_timestamp_utc']
    """
    start = _row(start=(DateTimeUtc, datetime.datetime.now(datetime.timezone.utc)))
    ticks = utc_now(refresh_rate=refresh_rate).reduce(now=reducers.max(this.timestamp_utc))
    clock = start.join_left(ticks).select(now=coalesce(ticks.now, start.start))
    changes = self.to_stream(_IS_THERE)
    # A change meets the clock when it comes, and never again.
    passing = changes._forget_immediately()
    columns = {name: passing[name] for name in passing.column_names()}
    columns[update_timestamp_column_name] = clock.now
    stamped = passing.join(clock, id=left.id).select(**columns)
    result = stamped._remove_retractions().stream_to_table(this[_IS_THERE]).without(_IS_THERE)
    universes.promise_are_equal(result, self)
    return result
