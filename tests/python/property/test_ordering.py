"""Rows in an order: whatever the history, the result is that of a static run."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

import pathway as pw

from .check import check_incremental, property_settings
from .histories import History, flag, histories, letter, maybe_int, quarter, small_int

PREFIX = st.integers(0, 4)
Table = pw.Table[Any]


@property_settings
@given(histories(a=maybe_int, s=letter, keys=8, max_changes=24), PREFIX)
def test_sort(t: History, prefix: int) -> None:
    check_incremental(lambda t: t.sort(t.a), t, prefix=prefix)
    check_incremental(lambda t: t.sort((t.s, -t.k)), t, prefix=prefix)


@property_settings
@given(histories(a=quarter, g=maybe_int, keys=8, max_changes=24), PREFIX)
def test_sort_within_instances(t: History, prefix: int) -> None:
    check_incremental(lambda t: t.with_columns(a=t.a * 0) + t.sort(t.a, instance=t.g), t, prefix=prefix)


@property_settings
@given(histories(ts=small_int, v=maybe_int, x=quarter, g=flag, keys=8, max_changes=24), PREFIX)
def test_diff(t: History, prefix: int) -> None:
    check_incremental(lambda t: t.diff(t.ts, t.v, t.x, instance=t.g), t, prefix=prefix)
    check_incremental(lambda t: t.select(t.k) + t.diff(t.ts, t.v), t, prefix=prefix)


@property_settings
@given(histories(ts=quarter, v=maybe_int, w=maybe_int, keys=8, max_changes=24), PREFIX)
def test_interpolate(t: History, prefix: int) -> None:
    check_incremental(lambda t: t.interpolate(t.ts, t.v, t.w), t, prefix=prefix)
