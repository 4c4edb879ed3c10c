"""The handbook's snippets on joins in time, as they stand there."""

from __future__ import annotations

import datetime
from typing import Any

import pytest

import pathway as pw
from contents import rows

SECOND = datetime.timedelta(seconds=1)
Table = pw.Table[Any]


def at(second: int) -> datetime.datetime:
    return datetime.datetime(2024, 5, 1, 10, 0, second)


class Event(pw.Schema):
    time: pw.DateTimeNaive
    stock: str
    price: int


def events(*values: tuple[int, str, int]) -> Table:
    return pw.debug.table_from_rows(Event, [(at(second), *rest) for second, *rest in values])


@pytest.fixture
def left() -> Table:
    return events((5, "a", 1), (9, "a", 2), (30, "b", 3))


@pytest.fixture
def right() -> Table:
    return events((3, "a", 10), (5, "b", 20), (8, "a", 30), (50, "a", 40))


def run(snippet: str, **names: Any) -> Any:
    exec(compile(snippet, "<handbook>", "exec", dont_inherit=True), names)
    return names["result"]


def test_one_result_per_left_row(left: Table, right: Table) -> None:
    result = run(
        """
# Emit one result per left record (default)
result = left.asof_join(
    right,
    left.time >= right.time,
    left.time < right.time + time_distance
)
""",
        left=left,
        right=right,
        time_distance=10 * SECOND,
    ).select(left=left.price, right=right.price)
    assert result.typehints() == {"left": int, "right": int}
    assert rows(result) == [(1, 20), (2, 30)]


def test_one_result_per_right_row(left: Table, right: Table) -> None:
    result = run(
        """
from pathway.stdlib.temporal import ASOF_join_behavior

# Emit one result per right record
result = left.asof_join(
    right,
    left.time >= right.time,
    left.time < right.time + time_distance,
    behavior=ASOF_join_behavior.EMIT_PER_RIGHT
)
""",
        left=left,
        right=right,
        time_distance=10 * SECOND,
    )
    assert rows(result.select(left=left.price, right=right.price)) == [(1, 10), (1, 20), (2, 30)]


def test_times_and_a_distance(left: Table, right: Table) -> None:
    result = run(
        """
import pathway
from pathway.stdlib.temporal import ASOF_join_behavior

result = pathway.stdlib.temporal.asof_join(
    left_table,
    right_table,
    left_time,
    right_time,
    time_distance,
    behavior=ASOF_join_behavior.EMIT_PER_RIGHT,
    selectors=None
)
""",
        left_table=left,
        right_table=right,
        left_time=left.time,
        right_time=right.time,
        time_distance=SECOND,
    )
    assert rows(result.select(left=left.price, right=right.price)) == [(1, 20), (2, 30)]


def test_all_pairs_and_selectors(left: Table, right: Table) -> None:
    selectors = {left.price: "bought", right.price: "quoted"}
    conditions = (left.time >= right.time, left.stock == right.stock)
    all_pairs = pw.temporal.ASOF_join_behavior.EMIT_ALL
    far = left.asof_join(right, *conditions, behavior=all_pairs, selectors=selectors)
    assert list(far.column_names()) == ["bought", "quoted"]
    assert rows(far) == [(1, 10), (2, 10), (2, 30), (3, 20)]
    near = left.asof_join(right, *conditions, time_distance=6 * SECOND, behavior="all", selectors=selectors)
    assert rows(near) == [(1, 10), (2, 10), (2, 30)]
    open_window = left.asof_join(
        right, *conditions, time_distance=6 * SECOND, closed_window=False, behavior="all", selectors=selectors
    )
    assert rows(open_window) == [(1, 10), (2, 30)]


def test_what_is_refused(left: Table, right: Table) -> None:
    with pytest.raises(ValueError, match="first condition"):
        left.asof_join(right, left.time > right.time)
    with pytest.raises(TypeError, match="two times"):
        left.asof_join(right, selectors={left.price: "price"})
    with pytest.raises(TypeError, match="how"):
        left.asof_join(right, left.time, right.time)
