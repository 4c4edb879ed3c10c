"""What the original does not do in operations by time, or does wrongly, beside what golden streams show."""

from __future__ import annotations

from typing import Any

import pytest

import pathway as pw
from contents import rows


def times() -> pw.Table:
    return pw.debug.table_from_markdown(
        """
        t | k | v
        1 | a | 1
        4 | b | 2
        7 | a | 3
        """
    )


def others() -> pw.Table:
    return pw.debug.table_from_markdown(
        """
        t | k | w
        2 | a | 10
        4 | a | 20
        8 | a | 30
        """
    )


@pytest.mark.parametrize("window", [pw.temporal.tumbling(5), pw.temporal.session(max_gap=5)])
def test_instances_of_window_joins_are_conditions(window: Any) -> None:
    left, right = times(), others()
    by_instance = left.window_join(
        right, left.t, right.t, window, left_instance=left.k, right_instance=right.k
    ).select(left.v, right.w)
    by_condition = left.window_join(right, left.t, right.t, window, left.k == right.k).select(left.v, right.w)
    assert rows(by_instance) == rows(by_condition) != []


def test_an_asof_join_of_a_table_with_its_copy() -> None:
    table = times()
    before = table.copy()
    with pytest.raises(ValueError, match=r"use table\.copy\(\)"):
        table.asof_join(table, table.t, table.t, how=pw.JoinMode.LEFT)
    pairs = table.asof_join(before, table.t, before.t + 1, how=pw.JoinMode.LEFT).select(
        table.v, earlier=before.v
    )
    assert rows(pairs) == [(1, None), (2, 1), (3, 2)]


@pytest.mark.parametrize("bounds", [(0, 0), (0, 1)])
def test_equated_columns_of_outer_interval_joins_are_there(bounds: tuple[int, int]) -> None:
    left, right = times(), others()
    joined = left.interval_join_outer(
        right, left.t, right.t, pw.temporal.interval(*bounds), left.k == right.k
    ).select(pw.this.k)
    assert joined.typehints()["k"] is str
    assert None not in [k for (k,) in rows(joined)]


def test_arguments_of_joins_by_name_and_no_behavior() -> None:
    left, right = times(), others()
    named = left.interval_join(
        other=right,
        self_time=left.t,
        other_time=right.t,
        interval=pw.temporal.interval(0, 1),
        behavior=None,
    ).select(left.v, right.w)
    assert rows(named) == [(1, 10), (2, 20), (3, 30)]


@pytest.mark.parametrize("operation", ["forget", "buffer", "ignore_late"])
def test_clocks_have_no_place_in_iterations(operation: str) -> None:
    def step(t: pw.Table) -> dict[str, pw.Table]:
        return {"t": getattr(t, operation)(t.t, 3)}

    with pytest.raises(ValueError, match="changed its universe"):
        pw.iterate(step, t=times())


def test_results_without_a_cutoff_are_not_dropped() -> None:
    with pytest.raises(AssertionError, match="keep_results=False needs one"):
        pw.temporal.common_behavior(keep_results=False)


def test_behaviors_where_none_makes_sense() -> None:
    table = times()
    together = pw.temporal.session(predicate=lambda a, b: b - a < 3)
    with pytest.raises(ValueError, match="sessions by a predicate cannot have a behavior"):
        table.windowby(table.t, window=together, behavior=pw.temporal.common_behavior(cutoff=1)).reduce(
            n=pw.reducers.count()
        )
    with pytest.raises(TypeError, match="behavior"):
        table.window_join(
            others(), table.t, table.t, pw.temporal.tumbling(5), behavior=pw.temporal.common_behavior()
        )
