"""What the handbook says about Kafka, as it stands there."""

from __future__ import annotations

import _thread
import json
import threading
from typing import Any

import pytest

import pathway as pw
from following import Done, follow
from services.kafka.client import Topic
from services.runner import Running

READ = """
events = pw.io.kafka.read(
    brokers=["localhost:9092"],
    topic="input-events",
    schema=pw.Schema(
        event_id=pw.ColumnDefinition(type=pw.Type.STR),
        timestamp=pw.ColumnDefinition(type=pw.Type.DATETIME),
        payload=pw.ColumnDefinition(type=pw.Type.STR)
    ),
    format="json",
    kafka_settings=pw.io.kafka.KafkaReadSettings(
        consumer_group="pathway-consumer",
        offset=pw.io.kafka.Offset.latest()
    )
)
"""

WRITE = """
pw.io.kafka.write(
    table=result_table,
    brokers=["localhost:9092"],
    topic="output-events",
    format="json",
    key_column="event_id"
)
"""


@pytest.fixture(autouse=True)
def _own_graph() -> None:
    pw.internals.parse_graph.G.clear()


def execute(snippet: str, topic: Topic, **names: Any) -> dict[str, Any]:
    """Runs a snippet with the broker and the topic of the test."""
    for name in ("input-events", "output-events"):
        snippet = snippet.replace(name, topic.name)
    names = {"pw": pw, **names}
    exec(snippet.replace("localhost:9092", topic.server), names)
    return names


def event(number: int) -> str:
    return json.dumps({"event_id": f"e{number}", "timestamp": "2025-01-02T00:00:00", "payload": "p"})


def row(number: int) -> tuple[Any, ...]:
    return (f"e{number}", pw.DateTimeNaive("2025-01-02"), "p")


def test_reading_from_the_earliest_offset(kafka: Running) -> None:
    topic = Topic(kafka)
    topic.send(event(1))
    events = execute(READ.replace("latest", "earliest"), topic)["events"]
    follow(events, [(lambda: None, [row(1)]), (lambda: topic.send(event(2)), [row(1), row(2)])])


def test_reading_from_the_latest_offset(kafka: Running) -> None:
    """What was there before is not read, whenever the reader is ready."""
    topic = Topic(kafka)
    topic.send(event(1))
    events = execute(READ, topic)["events"]
    seen: list[str] = []
    arrived = threading.Event()

    def on_change(key: Any, row: dict[str, Any], time: int, is_addition: bool) -> None:
        seen.append(row["event_id"])
        arrived.set()
        raise Done

    def send() -> None:
        for number in range(2, 1200):
            topic.send(event(number))
            if arrived.wait(0.05):
                return
        _thread.interrupt_main()

    pw.io.subscribe(events, on_change)
    sender = threading.Thread(target=send)
    sender.start()
    with pytest.raises(Done):
        pw.run(monitoring_level=pw.MonitoringLevel.NONE)
    sender.join()
    assert seen != ["e1"]


def test_writing_with_keywords(kafka: Running) -> None:
    topic = Topic(kafka)
    table = pw.debug.table_from_rows(pw.schema_from_types(event_id=str, n=int), [("e1", 1)])
    execute(WRITE, topic, result_table=table)
    pw.run(monitoring_level=pw.MonitoringLevel.NONE)
    (message,) = topic.messages()
    assert message.key == b"e1"
    assert json.loads(message.value or b"")["n"] == 1


def test_keywords_that_do_not_go_together() -> None:
    read: Any = pw.io.kafka.read
    write: Any = pw.io.kafka.write
    table = pw.Table.empty(k=str)
    with pytest.raises(TypeError, match="brokers are named in rdkafka_settings"):
        read({"group.id": "g"}, "t", brokers="localhost:1")
    with pytest.raises(TypeError, match=r"kafka_settings=pw\.io\.kafka\.KafkaReadSettings"):
        read(brokers=["localhost:1"], topic="t")
    with pytest.raises(TypeError, match="key and key_column are the same"):
        write(table, topic="t", brokers="localhost:1", key=table.k, key_column="k")
    with pytest.raises(ValueError, match=r"'group\.id'"):
        read(brokers="localhost:1", topic="t", kafka_settings=pw.io.kafka.KafkaReadSettings(""))
