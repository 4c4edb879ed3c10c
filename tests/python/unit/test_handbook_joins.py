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


def test_orders_with_what_is_shipped_within_days() -> None:
    """The handbook's interval join; its `select` names the result before there is one."""
    days = [datetime.datetime(2024, 5, day) for day in range(1, 20)]
    orders = pw.debug.table_from_rows(
        pw.schema_from_types(order_id=int, order_date=pw.DateTimeNaive), [(1, days[0]), (2, days[9])]
    )
    shipments = pw.debug.table_from_rows(
        pw.schema_from_types(ship_date=pw.DateTimeNaive, tracking=str),
        [(days[0], "at once"), (days[1], "a day"), (days[5], "five days"), (days[6], "six days")],
    )
    joined = run(
        """
result = orders.join(
    shipments,
    orders.order_date <= shipments.ship_date,
    orders.order_date + timedelta(days=5) >= shipments.ship_date,
    orders.order_date + timedelta(days=1) <= shipments.ship_date,
    selectors={
        orders.order_id: "order_id",
        orders.order_date: "order_date",
        shipments.ship_date: "ship_date",
        shipments.tracking: "tracking_number"
    }
)
""",
        orders=orders,
        shipments=shipments,
        timedelta=datetime.timedelta,
    )
    result = run(
        """
result = joined.select(
    order_id=joined.order_id,
    order_date=joined.order_date,
    ship_date=joined.ship_date,
    delay=joined.ship_date - joined.order_date
)
""",
        joined=joined,
    )
    assert result.typehints()["delay"] is pw.Duration
    assert rows(result.select(result.order_id, days=result.delay.dt.days())) == [(1, 1), (1, 5)]


def test_trades_with_all_quotes_of_ten_seconds(left: Table, right: Table) -> None:
    result = run(
        """
result = trades.join(
    quotes,
    trades.time >= quotes.time,
    trades.time < quotes.time + timedelta(seconds=2),
    selectors={
        trades.price: "trade_price",
        quotes.price: "quote_price",
    }
)
""",
        trades=left,
        quotes=right,
        timedelta=datetime.timedelta,
    )
    assert rows(result) == [(1, 20), (2, 30)]


def numbers(name: str, *values: Any) -> Table:
    kind = type(values[0])
    return pw.debug.table_from_rows(pw.schema_from_types(**{name: kind}), [(value,) for value in values])


@pytest.mark.parametrize("kind", [int, float])
def test_conditions_of_any_form(kind: type) -> None:
    a, b = numbers("a", *map(kind, range(8))), numbers("b", *map(kind, range(8)))
    everything = [(kind(x), kind(y)) for x in range(8) for y in range(8)]
    two, three = kind(2), kind(3)
    for conditions, holds in (
        ([a.a - two <= b.b, b.b < a.a], lambda x, y: x - 2 <= y < x),
        ([b.b > a.a + two], lambda x, y: y > x + 2),
        ([a.a <= b.b, b.b - three < a.a, a.a + kind(1) < b.b], lambda x, y: x + 1 < y < x + 3),
        ([three + b.b >= a.a, pw.left.a >= pw.right.b], lambda x, y: y <= x <= 3 + y),
        ([a.a <= b.b, a.a >= b.b], lambda x, y: x == y),
        ([a.a * two <= b.b, b.b <= a.a + two], lambda x, y: x * 2 <= y <= x + 2),
    ):
        result = a.join(b, *conditions, selectors={a.a: "x", b.b: "y"})
        assert rows(result) == [pair for pair in everything if holds(*pair)], conditions
    equal = a.join(b, a.a == b.b, a.a <= b.b + two, b.b <= a.a, selectors={a.a: "x"})
    assert rows(equal) == [(kind(x),) for x in range(8)]


def test_spans_that_meet(left: Table, right: Table) -> None:
    result = run(
        """
result = pathway.stdlib.temporal.interval_join(
    left_table,
    right_table,
    left_time_lower,
    left_time_upper,
    right_time_lower,
    right_time_upper,
    selectors=None
)
""",
        pathway=pw,
        left_table=left,
        right_table=right,
        left_time_lower=left.time - SECOND,
        left_time_upper=left.time,
        right_time_lower=right.time,
        right_time_upper=right.time + SECOND,
    )
    assert rows(result.select(left=left.price, right=right.price)) == [(1, 10), (1, 20), (2, 30)]
    named = pw.temporal.interval_join(
        left,
        right,
        left_time_lower=left.time,
        left_time_upper=left.time + 3 * SECOND,
        right_time_lower=right.time,
        right_time_upper=right.time,
        selectors={left.price: "price"},
    )
    assert rows(named) == [(1,), (1,)]
