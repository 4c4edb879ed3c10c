"""Window joins of tables of which it is known that they have no rows."""

from __future__ import annotations

import warnings
from typing import Any

import pytest

import pathway as pw
from contents import rows


@pytest.mark.parametrize("window", [pw.temporal.tumbling(2), pw.temporal.session(max_gap=2)])
def test_of_the_windows_of_an_empty_table_nothing_is_said(window: Any) -> None:
    left, right = pw.debug.table_from_rows(pw.schema_from_types(t=int), [(1,)]), pw.Table.empty(t=int)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        joined = left.window_join_outer(right, left.t, right.t, window)
        other_way = right.window_join_outer(left, right.t, left.t, window)
        assert rows(joined.select(a=left.t, b=right.t)) == [(1, None)]
        assert rows(other_way.select(a=right.t, b=left.t)) == [(None, 1)]
