"""Writing to topics of a real broker."""

from __future__ import annotations

import datetime
from typing import Any

import pytest

import pathway as pw
from following import rows_of
from services.kafka.client import Topic, read_topic
from services.runner import Running

ONE = [("pathway_time", b"0"), ("pathway_diff", b"1")]


@pytest.fixture(autouse=True)
def _own_graph() -> None:
    pw.internals.parse_graph.G.clear()


def run() -> None:
    pw.run(monitoring_level=pw.MonitoringLevel.NONE)
    pw.internals.parse_graph.G.clear()


def orders() -> pw.Table[Any]:
    return pw.debug.table_from_markdown(
        """
          | item | count
        1 | a    | 1
        2 | b    | 2
        """
    )


def test_every_change_is_a_json_message_with_the_id_as_key(kafka: Running) -> None:
    topic = Topic(kafka)
    table = pw.debug.table_from_markdown(
        """
          | item | count | __time__ | __diff__
        1 | a    | 1     | 2        | 1
        1 | a    | 1     | 4        | -1
        1 | a    | 2     | 4        | 1
        """
    )
    keys = set()

    def on_change(key: pw.Pointer, row: dict[str, Any], time: int, is_addition: bool) -> None:
        keys.add(int(key).to_bytes(16, "little"))

    pw.io.subscribe(table, on_change)
    pw.io.kafka.write(table, topic.settings(), topic.name)
    run()
    messages = topic.messages()
    assert [message.value for message in messages] == [
        b'{"item":"a","count":1,"diff":1,"time":2}',
        b'{"item":"a","count":1,"diff":-1,"time":4}',
        b'{"item":"a","count":2,"diff":1,"time":4}',
    ]
    assert [dict(message.headers) for message in messages] == [
        {"pathway_time": b"2", "pathway_diff": b"1"},
        {"pathway_time": b"4", "pathway_diff": b"-1"},
        {"pathway_time": b"4", "pathway_diff": b"1"},
    ]
    assert {message.key for message in messages} == keys


def test_raw_and_plain_text_write_one_column(kafka: Running) -> None:
    first, second = Topic(kafka), Topic(kafka)
    table = orders().select(pw.this.item, data=pw.apply_with_type(lambda n: bytes([n]), bytes, pw.this.count))
    pw.io.kafka.write(table, first.settings(), first.name, format="raw", key=table.item, value=table.data)
    pw.io.kafka.write(table.select(table.item), second.settings(), second.name, format="plaintext")
    run()
    assert sorted(first.messages()) == [(b"a", b"\x01", ONE), (b"b", b"\x02", ONE)]
    assert sorted(message.value or b"" for message in second.messages()) == [b"a", b"b"]


def test_delimited_text_starts_with_a_header_line(kafka: Running) -> None:
    topic = Topic(kafka)
    table = orders()
    pw.io.kafka.write(table, topic.settings(), topic.name, format="dsv", delimiter=";", sort_by=[table.item])
    run()
    assert [message.value for message in topic.messages()] == [
        b'"item";"count";"time";"diff"',
        b'"a";"1";"0";"1"',
        b'"b";"2";"0";"1"',
    ]


def test_headers_of_every_type(kafka: Running) -> None:
    class Schema(pw.Schema):
        text: str
        number: int
        ratio: float
        flag: bool
        data: bytes
        span: pw.Duration
        moment: pw.DateTimeNaive
        doc: pw.Json
        pair: tuple[int, str]
        missing: int | None

    topic = Topic(kafka)
    moment = datetime.datetime(2025, 1, 17, 1, 2, 3)
    span = datetime.timedelta(days=1, seconds=1, milliseconds=500)
    row = ("x", -5, 2.0, True, b"\xff", span, moment, {"a": [1]}, (1, "q"), None)
    table = pw.debug.table_from_rows(Schema, [row])
    headers = [table[name] for name in table.column_names()]
    pw.io.kafka.write(
        table, topic.settings(), topic.name, format="plaintext", value=table.text, headers=headers
    )
    run()
    ((_, value, found),) = topic.messages()
    assert value == b"x"
    assert found == [
        *ONE,
        ("text", b"x"),
        ("number", b"-5"),
        ("ratio", b"2.0"),
        ("flag", b"True"),
        ("data", b"\xff"),
        ("span", b"1d 1s 500000000ns"),
        ("moment", b"2025-01-17T01:02:03.000000000"),
        ("doc", b'{"a":[1]}'),
        ("pair", b'(1, "q")'),
        ("missing", None),
    ]


def test_columns_with_a_role_come_first_and_choose_the_topic(kafka: Running) -> None:
    first, second = Topic(kafka), Topic(kafka)
    names = {"a": first.name, "b": second.name}
    table = orders()
    table = table.with_columns(target=pw.apply_with_type(lambda item: names[item], str, table.item))
    pw.io.kafka.write(table, first.settings(), table.target, key=table.item, headers=[table.count])
    run()
    for topic, item, count in ((first, "a", 1), (second, "b", 2)):
        ((key, value, headers),) = topic.messages()
        assert (key, headers) == (item.encode(), [*ONE, ("count", str(count).encode())])
        text = f'{{"target":"{topic.name}","item":"{item}","count":{count},"diff":1,"time":0}}'
        assert value == text.encode()


def test_a_full_queue_is_waited_out(kafka: Running) -> None:
    topic = Topic(kafka)
    rows = [(n,) for n in range(5000)]
    table = pw.debug.table_from_rows(pw.schema_from_types(n=int), rows)
    settings = topic.settings(queue_buffering_max_messages=50)
    pw.io.kafka.write(table, settings, topic.name)
    run()
    back = pw.io.kafka.read(
        topic.settings(), topic.name, format="json", schema=pw.schema_from_types(n=int), mode="static"
    )
    assert sorted(rows_of(back)) == rows


def test_a_message_that_cannot_be_delivered_ends_the_run(kafka: Running) -> None:
    topic = Topic(kafka)
    table = orders().select(target="not/a topic", value="x")
    pw.io.kafka.write(table, topic.settings(), table.target)
    with pytest.raises(OSError, match="cannot write to topic"):
        run()


def test_a_topic_may_be_made_by_the_broker(kafka: Running) -> None:
    topic = Topic(kafka)
    pw.io.kafka.write(orders(), topic.settings(), f"{topic.name}-new")
    run()
    assert len(read_topic(topic.server, f"{topic.name}-new")) == 2
