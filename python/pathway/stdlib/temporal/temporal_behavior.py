"""Behaviors: when results of windows and of joins in time are shown, and when they are closed."""

from __future__ import annotations

import datetime
from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Any

from pathway import _engine
from pathway.internals.expression.nodes import Constant
from pathway.internals.runtime_type_check import check_arg_types
from pathway.internals.trace import trace_user_frame


class Behavior(ABC):
    """When results are shown and closed; made by `common_behavior` and `exactly_once_behavior`."""

    @abstractmethod
    def _lower(self) -> _engine.Behavior:
        """The behavior as the engine has it."""


@dataclass
class CommonBehavior(Behavior):
    """See `common_behavior`."""

    delay: int | float | datetime.timedelta | None
    cutoff: int | float | datetime.timedelta | None
    keep_results: bool

    def _lower(self) -> _engine.Behavior:
        return _engine.Behavior.common(_distance(self.delay), _distance(self.cutoff), self.keep_results)


@dataclass
class ExactlyOnceBehavior(Behavior):
    """See `exactly_once_behavior`."""

    shift: int | float | datetime.timedelta | None

    def _lower(self) -> _engine.Behavior:
        return _engine.Behavior.exactly_once(_distance(self.shift))


def _distance(value: Any) -> _engine.Expr | None:
    return None if value is None else Constant(value)._lower(())


@trace_user_frame
@check_arg_types
def common_behavior(
    delay: int | float | datetime.timedelta | None = None,
    cutoff: int | float | datetime.timedelta | None = None,
    keep_results: bool = True,
) -> CommonBehavior:
    """When a window is shown first, and when it is closed.

    The clock is the largest time of all rows so far, of whatever window and instance. It is compared with
    what it was before the rows that come together, except for the delay.

    Args:
        delay: a window is shown when the clock is so far after its start; all that comes later for it is
            shown at once. What waits when the input ends is shown then.
        cutoff: when the clock is so far after the end of a window, rows for it are ignored, and so is their
            removal; with the next rows its state is dropped.
        keep_results: results of windows stay when their state is dropped. Otherwise they are removed.

    Raises:
        AssertionError: if results are not kept although there is no cutoff.

    >>> import pathway as pw
    >>> t = pw.debug.table_from_markdown('''
    ... t  | v  | __time__
    ... 1  | 10 | 2
    ... 12 | 20 | 4
    ... 3  | 30 | 6
    ... 13 | 40 | 6
    ... ''')
    >>> behavior = pw.temporal.common_behavior(cutoff=2)
    >>> sums = t.windowby(t.t, window=pw.temporal.tumbling(5), behavior=behavior).reduce(
    ...     start=pw.this._pw_window_start, v=pw.reducers.sum(pw.this.v)
    ... )
    >>> pw.debug.compute_and_print(sums, include_id=False)
    start | v
    0     | 10
    10    | 60
    """
    if cutoff is None and not keep_results:
        raise AssertionError(
            "without a cutoff no result is dropped: keep_results=False needs one, as in "
            "common_behavior(cutoff=0, keep_results=False)"
        )
    return CommonBehavior(delay, cutoff, keep_results)


@trace_user_frame
@check_arg_types
def exactly_once_behavior(
    shift: int | float | datetime.timedelta | None = None,
) -> ExactlyOnceBehavior:
    """Each window is shown once, when the clock is at its end, or so far after it, or when the input ends.

    Rows that come for it later are ignored.

    Args:
        shift: how far after the end; negative for before it.

    >>> import pathway as pw
    >>> t = pw.debug.table_from_markdown('''
    ... t  | v  | __time__
    ... 1  | 10 | 2
    ... 3  | 20 | 4
    ... 12 | 30 | 6
    ... 2  | 40 | 8
    ... ''')
    >>> behavior = pw.temporal.exactly_once_behavior()
    >>> sums = t.windowby(t.t, window=pw.temporal.tumbling(5), behavior=behavior).reduce(
    ...     start=pw.this._pw_window_start, v=pw.reducers.sum(pw.this.v)
    ... )
    >>> pw.debug.compute_and_print_update_stream(sums, include_id=False)
    start | v  | __time__             | __diff__
    0     | 30 | 6                    | 1
    10    | 30 | 18446744073709551614 | 1
    """
    return ExactlyOnceBehavior(shift)
