"""The handbook's snippets on windows, as they stand there."""

from __future__ import annotations

import datetime
from typing import Any

import pytest

import pathway as pw
from contents import rows
from pathway.stdlib import tools


def at(hour: int, minute: int) -> datetime.datetime:
    return datetime.datetime(2024, 5, 1, hour, minute)


class Reading(pw.Schema):
    event_time: pw.DateTimeNaive
    sensor_id: str
    temperature: float
    value: int
    amount: int


def readings() -> pw.Table:
    values = [
        (at(10, 0), "a", 1.0, 10, 1),
        (at(10, 4), "b", 2.0, 20, 2),
        (at(10, 9), "a", 6.0, 60, 3),
        (at(11, 30), "a", 4.0, 40, 4),
    ]
    return pw.debug.table_from_rows(Reading, values)


def run(snippet: str, **names: Any) -> list[tuple[Any, ...]]:
    names = {"timedelta": datetime.timedelta, "tools": tools, **names}
    exec(compile(snippet, "<handbook>", "exec", dont_inherit=True), names)
    return rows(names["result"])


def test_tumbling() -> None:
    assert run(
        """
from pathway.stdlib.temporal import tumbling_window

# Create tumbling windows of 1 hour
result = table.window.tumbling(
    window_length=timedelta(hours=1),
    timestamp=table.event_time
).reduce(
    count=tools.count(),
    sum_value=tools.sum(table.value)
)
""",
        table=readings(),
    ) == [(1, 40), (3, 90)]


def test_sliding() -> None:
    assert run(
        """
from pathway.stdlib.temporal import sliding_window

# Create sliding windows of 5 minutes, sliding every 1 minute
result = table.window.sliding(
    window_length=timedelta(minutes=5),
    slide=timedelta(minutes=1),
    timestamp=table.event_time
).reduce(
    avg_value=tools.aggregate.avg(table.value)
)
""",
        table=readings(),
    ) == sorted([(10.0,)] * 4 + [(15.0,)] + [(20.0,)] * 4 + [(60.0,)] * 5 + [(40.0,)] * 5)


def test_session() -> None:
    assert run(
        """
from pathway.stdlib.temporal import session_window

# Session windows with 30-minute inactivity gap
result = table.window.session(
    gap=timedelta(minutes=30),
    timestamp=table.event_time
).reduce(
    session_duration=tools.count(),
    total_amount=tools.sum(table.amount)
)
""",
        table=readings(),
    ) == [(1, 4), (3, 6)]


def test_all_aggregates() -> None:
    found = run(
        """
from pathway.stdlib.temporal import window
from pathway.stdlib import tools

# Comprehensive windowed aggregation
result = sensor_data.window.tumbling(
    window_length=timedelta(minutes=15)
).reduce(
    # Count aggregations
    event_count=tools.count(),
    distinct_sensors=tools.count(distinct=True, by=sensor_data.sensor_id),
    
    # Numeric aggregations
    avg_temperature=tools.avg(sensor_data.temperature),
    max_reading=tools.max(sensor_data.value),
    min_reading=tools.min(sensor_data.value),
    total_value=tools.sum(sensor_data.value),
    variance_pop=tools.var_pop(sensor_data.value),
    
    # Collection aggregations
    all_readings=tools.collect(sensor_data.value),
    std_dev=tools.stddev(sensor_data.value)
)
""",
        sensor_data=readings(),
    )
    (one, three) = found
    assert one == (1, 1, 4.0, 40, 40, 40, 0.0, (40,), 0.0)
    assert three[:6] == (3, 2, 3.0, 60, 10, 90)
    assert three[6] == pytest.approx(1400 / 3)
    assert sorted(three[7]) == [10, 20, 60]
    assert three[8] == pytest.approx((1400 / 3) ** 0.5)


def test_late_rows() -> None:
    table = pw.debug.table_from_markdown(
        """
        event_time          | value | __time__
        2024-05-01T10:10:00 | 1     | 2
        2024-05-01T11:04:00 | 2     | 4
        2024-05-01T10:20:00 | 3     | 6
        2024-05-01T11:05:00 | 4     | 8
        2024-05-01T10:30:00 | 5     | 10
        """,
    )
    table = table.select(pw.this.value, event_time=pw.this.event_time.dt.strptime("%Y-%m-%dT%H:%M:%S"))
    # The rows up to five minutes late are counted.
    assert run(
        """
# Configure watermark tolerance for late events
result = table.window.tumbling(
    window_length=timedelta(hours=1),
    timestamp=table.event_time,
    watermark=timedelta(minutes=5)  # Accept events up to 5 min late
).reduce(
    count=tools.count()
)
""",
        table=table,
    ) == [(2,), (2,)]
    windows = (
        table.window.sliding(
            window_length=datetime.timedelta(hours=1),
            slide=datetime.timedelta(hours=1),
            timestamp=table.event_time,
            watermark=datetime.timedelta(0),
        ),
        table.window.session(
            gap=datetime.timedelta(minutes=20),
            timestamp=table.event_time,
            watermark=datetime.timedelta(0),
        ),
    )
    for window in windows:
        assert rows(window.reduce(n=pw.reducers.count())) == [(1,), (2,)]


def test_functions() -> None:
    t = readings()
    hour = datetime.timedelta(hours=1)
    temporal: Any = pw.temporal
    for windows, counts in (
        (temporal.tumbling_window(t, t.event_time, hour), [(1,), (3,)]),
        (
            temporal.tumbling_window(t, t.event_time, hour, hop=hour / 2, name="mine"),
            [(1,), (1,), (3,), (3,)],
        ),
        (temporal.sliding_window(t, t.event_time, hour, hour), [(1,), (3,)]),
        (temporal.session_window(t, t.event_time, hour / 12), [(1,), (1,), (2,)]),
    ):
        assert rows(windows.reduce(n=pw.reducers.count())) == counts


def test_instances_and_a_time_that_is_not_told() -> None:
    t: Any = readings()
    windows = t.window.tumbling(window_length=datetime.timedelta(days=1), instance=t.sensor_id)
    assert rows(windows.reduce(pw.this.sensor_id, n=pw.reducers.count())) == [("a", 3), ("b", 1)]
    for table in (t.select(t.value), t.with_columns(later=t.event_time)):
        with pytest.raises(ValueError, match="timestamp= is missing"):
            table.window.tumbling(window_length=datetime.timedelta(days=1))


def test_a_column_may_be_named_window() -> None:
    t = pw.debug.table_from_markdown("window\n7")
    assert rows(t.select(t.window)) == [(7,)]


def test_gaps_between_tumbling_windows() -> None:
    table = readings()
    windows = table.window.tumbling(
        window_length=datetime.timedelta(minutes=4),
        session_gap=datetime.timedelta(minutes=2),
        timestamp=table.event_time,
    )
    # 10:04 is between two windows.
    starts = windows.reduce(start=pw.this._pw_window_start, n=tools.count())
    pandas = pw.debug.table_to_pandas(starts, include_id=False).sort_values("start")
    assert [(start.hour, start.minute) for start in pandas["start"]] == [(10, 0), (10, 6), (11, 30)]
    assert list(pandas["n"]) == [1, 1, 1]


def test_a_gap_of_another_kind() -> None:
    table = readings()
    with pytest.raises(TypeError, match="window_length and session_gap have to be of one kind"):
        table.window.tumbling(
            window_length=datetime.timedelta(minutes=5), session_gap=4, timestamp=table.event_time
        )


def test_groups_by_expressions_of_the_time() -> None:
    table = readings().rename_columns(timestamp=pw.this.event_time)
    snippet = """
result = table.windowby(table.timestamp).reduce(
    time_bucket=table.timestamp.dt.floor("1h"),
    value=pw.reducers.sum(table.amount)
)
"""
    assert run(snippet, table=table, pw=pw) == [(at(10, 0), 6), (at(11, 0), 4)]


def test_groups_by_several_expressions_and_instances() -> None:
    table = readings()
    apart = table.windowby(pw.this.event_time, instance=table.sensor_id).reduce(
        pw.this.sensor_id, hour=pw.this.event_time.dt.hour(), n=pw.reducers.count()
    )
    assert rows(apart) == [("a", 10, 2), ("a", 11, 1), ("b", 10, 1)]
    hidden = table.windowby(table.event_time, instance=table.sensor_id).reduce(
        hour=pw.this.event_time.dt.hour(), twice=2 * pw.reducers.sum(pw.this.amount)
    )
    assert rows(hidden) == [(10, 4), (10, 8), (11, 8)]


def test_what_windowby_without_a_window_refuses() -> None:
    table = readings()
    with pytest.raises(ValueError, match="outside of reducers"):
        table.windowby(table.event_time).reduce(n=pw.reducers.count())
    with pytest.raises(ValueError, match="needs window="):
        table.windowby(table.value, behavior=pw.temporal.common_behavior(1))
    with pytest.raises(TypeError, match=r"pw\.this\.value"):
        table.windowby("value")
    with pytest.raises(ValueError, match="by name: window="):
        table.windowby(table.value, pw.temporal.tumbling(5))
