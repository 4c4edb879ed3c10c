"""Reading topics of a real broker."""

from __future__ import annotations

import base64
import collections
import json
import re
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

import pytest

import pathway as pw
from following import follow, rows_of
from ports import free_ports
from services.kafka.client import Topic
from services.runner import Running, free_port


@pytest.fixture(autouse=True)
def _own_graph() -> None:
    pw.internals.parse_graph.G.clear()


class Order(pw.Schema):
    item: str
    count: int


def test_raw_messages_are_bytes(kafka: Running) -> None:
    topic = Topic(kafka)
    topic.send(b" a \xff", key=b"k")
    topic.send(None, key=b"k")
    topic.send(b"")
    table = pw.io.kafka.read(topic.settings(), topic.name, mode="static")
    assert rows_of(table) == [(None, b""), (b"k", None), (b"k", b" a \xff")]


def test_plain_text_is_stripped_and_has_to_be_utf_8(kafka: Running) -> None:
    topic = Topic(kafka)
    topic.send(" ä b \n", key="k ")
    topic.send(b"\xff")
    topic.send("x", key=b"\xff")
    table = pw.io.kafka.read(topic.settings(), topic.name, format="plaintext", mode="static")
    assert rows_of(table) == [("k", "ä b")]
    table = pw.io.kafka.read(topic.settings(), topic.name, format="plaintext", mode="static")
    bad = rows_of(pw.io.dead_letters(table).select(pw.this.raw, pw.this.position))
    assert bad == [(b"\xff", f"{topic.name}[0], offset 1"), (b"x", f"{topic.name}[0], offset 2")]


def test_json_takes_fields_from_value_and_key(kafka: Running) -> None:
    class Schema(pw.Schema):
        region: str = pw.column_definition(source_component="key")
        shop: int = pw.column_definition(source_component="key")
        item: str
        count: int = pw.column_definition(default_value=1)
        note: str | None

    topic = Topic(kafka)
    topic.send('{"item":"a","count":3,"note":"n"}', key='{"region":"x","at":{"shop":7}}')
    topic.send('{"item":"b"}', key='{"region":"y","at":{"shop":8}}')
    topic.send("[]", key='{"region":"y","at":{"shop":8}}')
    topic.send('{"item":"c"}', key="nonsense")
    table = pw.io.kafka.read(
        topic.settings(),
        topic.name,
        format="json",
        schema=Schema,
        json_field_paths={"shop": "/at/shop"},
        mode="static",
    )
    assert rows_of(table) == [("x", 7, "a", 3, "n"), ("y", 8, "b", 1, None)]


def test_a_tombstone_has_a_key_and_no_fields(kafka: Running) -> None:
    class Schema(pw.Schema):
        id: int = pw.column_definition(source_component="key")
        item: str | None

    topic = Topic(kafka)
    topic.send('{"item":"a"}', None, key='{"id":1}')
    read: dict[str, Any] = {"format": "json", "mode": "static"}
    table = pw.io.kafka.read(topic.settings(), topic.name, schema=Schema, **read)
    assert rows_of(table) == [(1, "a"), (1, None)]

    class Strict(pw.Schema):
        id: int = pw.column_definition(source_component="key")
        item: str

    table = pw.io.kafka.read(topic.settings(), topic.name, schema=Strict, **read)
    assert rows_of(table) == [(1, "a")]


def test_metadata_comes_first(kafka: Running) -> None:
    topic = Topic(kafka, partitions=2)
    headers = [("h", b"\x00\xff"), ("h", b""), ("n", None)]
    topic.send("one", partition=1, headers=headers, timestamp=1_700_000_000_123)
    table = pw.io.kafka.read(
        topic.settings(), topic.name, format="plaintext", with_metadata=True, mode="static"
    )
    assert list(table.column_names()) == ["_metadata", "key", "data"]
    ((metadata, _, _),) = rows_of(table)
    assert metadata.value == {
        "timestamp_millis": 1_700_000_000_123,
        "topic": topic.name,
        "partition": 1,
        "offset": 0,
        "headers": [["h", base64.b64encode(b"\x00\xff").decode()], ["h", ""], ["n", None]],
    }


def ids(table: pw.Table[Any]) -> list[str]:
    return [text for (text,) in rows_of(table.select(row=pw.this.id.to_string()))]


def test_rows_are_identified_by_offset_or_on_request_by_key(kafka: Running) -> None:
    topic = Topic(kafka, partitions=2)
    topic.send("a", "b", key="same", partition=0)
    topic.send("c", partition=1)

    def read(**options: Any) -> pw.Table[Any]:
        return pw.io.kafka.read(topic.settings(), topic.name, format="plaintext", mode="static", **options)

    first = ids(read())
    assert len(set(first)) == 3
    assert first == ids(read()) == ids(read(autogenerate_key=True))
    table = read(autogenerate_key=False)
    table = table.select(same=pw.this.id == table.pointer_from("same"))
    assert rows_of(table) == [(False,), (True,), (True,)]


def test_primary_keys_identify_rows(kafka: Running) -> None:
    class Keyed(pw.Schema):
        item: str = pw.column_definition(primary_key=True)
        count: int

    topic = Topic(kafka)
    topic.send('{"item":"a","count":1}', '{"count":2}')
    table = pw.io.kafka.read(topic.settings(), topic.name, format="json", schema=Keyed, mode="static")
    assert rows_of(table.select(right=pw.this.id == table.pointer_from(table.item))) == [(True,)]


def test_partitions_are_read_by_several_workers(kafka: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATHWAY_THREADS", "3")
    topic = Topic(kafka, partitions=4)
    for partition in range(4):
        topic.send(*(f'{{"item":"p{partition}","count":{n}}}' for n in range(1000)), partition=partition)
    table = pw.io.kafka.read(topic.settings(), topic.name, format="json", schema=Order, mode="static")
    totals = table.groupby(table.item).reduce(
        table.item, n=pw.reducers.count(), s=pw.reducers.sum(table.count)
    )
    assert rows_of(totals) == [(f"p{partition}", 1000, 499_500) for partition in range(4)]
    table = pw.io.kafka.read(
        topic.settings(), topic.name, format="json", schema=Order, mode="static", parallel_readers=1
    )
    assert rows_of(table.reduce(n=pw.reducers.count())) == [(4000,)]


def test_a_static_read_of_an_empty_topic_ends(kafka: Running) -> None:
    topic = Topic(kafka, partitions=2)
    assert rows_of(pw.io.kafka.read(topic.settings(), topic.name, mode="static")) == []


def test_new_messages_and_new_partitions_are_followed(kafka: Running) -> None:
    topic = Topic(kafka)
    settings = topic.settings(auto_offset_reset="earliest", topic_metadata_refresh_interval_ms=100)
    table = pw.io.kafka.read(settings, topic.name, format="plaintext", autocommit_duration_ms=20)

    def grow() -> None:
        topic.add_partitions(3)
        topic.send("c", partition=2)

    follow(
        table.select(table.data),
        [
            (lambda: topic.send("a"), [("a",)]),
            (lambda: topic.send("b", partition=0), [("a",), ("b",)]),
            (grow, [("a",), ("b",), ("c",)]),
            (lambda: topic.send("d", partition=1), [("a",), ("b",), ("c",), ("d",)]),
        ],
    )


def test_reading_starts_at_a_moment(kafka: Running) -> None:
    topic = Topic(kafka, partitions=2)
    for moment in (1000, 2000, 3000):
        topic.send(str(moment), partition=0, timestamp=moment)
    topic.send("early", partition=1, timestamp=1500)
    table = pw.io.kafka.read(
        topic.settings(), topic.name, format="plaintext", mode="static", start_from_timestamp_ms=2000
    )
    assert rows_of(table.select(table.data)) == [("2000",), ("3000",)]
    with pytest.warns(UserWarning, match=r"auto\.offset\.reset='latest' has no effect"):
        table = pw.io.kafka.read(
            topic.settings(auto_offset_reset="latest"),
            topic.name,
            format="plaintext",
            autocommit_duration_ms=20,
            start_from_timestamp_ms=2001,
        )
    new = lambda: topic.send("late", partition=1, timestamp=2500)  # noqa: E731
    follow(table.select(table.data), [(lambda: None, [("3000",)]), (new, [("3000",), ("late",)])])


def test_simple_reads_begin_at_the_start_or_at_the_end(kafka: Running) -> None:
    topic = Topic(kafka)
    topic.send("old")
    table = pw.io.kafka.simple_read(topic.server, topic.name, format="plaintext", autocommit_duration_ms=20)
    follow(table.select(table.data), [(lambda: None, [("old",)])])
    pw.internals.parse_graph.G.clear()
    table = pw.io.kafka.simple_read(topic.server, topic.name, format="plaintext", mode="static")
    assert rows_of(table.select(table.data)) == [("old",)]


def test_the_group_is_told_what_is_done_with(kafka: Running) -> None:
    topic = Topic(kafka)
    settings = topic.settings(auto_offset_reset="earliest", auto_commit_interval_ms=20)

    def read() -> pw.Table[Any]:
        pw.internals.parse_graph.G.clear()
        table = pw.io.kafka.read(settings, topic.name, format="plaintext", autocommit_duration_ms=20)
        return table.select(table.data)

    def send_when(text: str, committed: dict[int, int]) -> None:
        while topic.committed() != committed:
            time.sleep(0.01)
        topic.send(text)

    topic.send("a")
    follow(read(), [(lambda: None, [("a",)])])
    assert topic.committed() == {}

    def after_first() -> None:
        threading.Thread(target=send_when, args=("b", {0: 1})).start()

    follow(read(), [(after_first, [("a",)]), (lambda: None, [("a",), ("b",)])])
    assert topic.committed() == {0: 1}
    follow(read(), [(lambda: None, [("b",)])])


def test_a_missing_topic_is_an_error(kafka: Running) -> None:
    settings = {"bootstrap.servers": f"127.0.0.1:{kafka.port}", "group.id": "g"}
    pw.io.null.write(pw.io.kafka.read(settings, "no-such-topic"))
    with pytest.raises(OSError, match="no such topic"):
        pw.run(monitoring_level=pw.MonitoringLevel.NONE)


def test_properties_are_those_of_the_client_library(kafka: Running) -> None:
    topic = Topic(kafka)
    pw.io.null.write(pw.io.kafka.read(topic.settings(no_such="1"), topic.name))
    with pytest.raises(ValueError, match=r'the property "no\.such" of rdkafka_settings is refused'):
        pw.run(monitoring_level=pw.MonitoringLevel.NONE)


def test_a_broker_that_is_not_there_is_an_error() -> None:
    settings = {"bootstrap.servers": f"127.0.0.1:{free_port()}", "group.id": "g", "socket.timeout.ms": 300}
    pw.io.null.write(pw.io.kafka.read(settings, "t"))
    with pytest.raises(OSError, match="do not answer"):
        pw.run(monitoring_level=pw.MonitoringLevel.NONE)


def test_a_persistent_run_goes_on_where_it_was(kafka: Running, tmp_path: Any) -> None:
    topic = Topic(kafka, partitions=2)
    backend = pw.persistence.Backend.filesystem(tmp_path)

    def run() -> list[tuple[Any, ...]]:
        changes: list[tuple[Any, ...]] = []

        def on_change(key: Any, row: dict[str, Any], time: int, is_addition: bool) -> None:
            changes.append((*row.values(), is_addition))

        table = pw.io.kafka.read(
            topic.settings(), topic.name, format="json", schema=Order, mode="static", name="orders"
        )
        totals = table.groupby(table.item).reduce(table.item, total=pw.reducers.sum(table.count))
        pw.io.subscribe(totals, on_change)
        pw.run(
            monitoring_level=pw.MonitoringLevel.NONE,
            persistence_config=pw.persistence.Config(backend),
        )
        pw.internals.parse_graph.G.clear()
        return sorted(changes)

    topic.send('{"item":"a","count":1}', '{"item":"b","count":5}', partition=0)
    assert run() == [("a", 1, True), ("b", 5, True)]
    assert run() == []
    topic.send('{"item":"a","count":2}', partition=1)
    topic.send('{"item":"a","count":4}', partition=0)
    assert run() == [("a", 1, False), ("a", 7, True)]
    topic.add_partitions(3)
    topic.send('{"item":"b","count":1}', partition=2)
    assert run() == [("b", 5, False), ("b", 6, True)]


def test_what_was_left_out_at_first_stays_so(kafka: Running, tmp_path: Any) -> None:
    topic = Topic(kafka, partitions=2)
    topic.send("old", partition=0)
    settings = topic.settings(auto_offset_reset="latest", auto_commit_interval_ms=20)
    config = pw.persistence.Config(pw.persistence.Backend.filesystem(tmp_path), snapshot_interval_ms=20)

    def read() -> pw.Table[Any]:
        pw.internals.parse_graph.G.clear()
        options: dict[str, Any] = {"format": "plaintext", "autocommit_duration_ms": 20, "name": "t"}
        table = pw.io.kafka.read(settings, topic.name, **options)
        return table.select(table.data)

    def first() -> None:
        def send() -> None:
            for text, committed in (("new", {0: 1, 1: 0}), ("next", {0: 1, 1: 1})):
                while topic.committed() != committed:
                    time.sleep(0.01)
                topic.send(text, partition=1)

        threading.Thread(target=send).start()

    follow(
        read(),
        [(first, [("new",)]), (lambda: None, [("new",), ("next",)])],
        persistence_config=config,
    )
    later = lambda: topic.send("later", partition=0)  # noqa: E731
    follow(
        read(),
        [(lambda: None, [("next",)]), (later, [("later",), ("next",)])],
        persistence_config=config,
    )


SHARED = """
import sys
import pathway as pw

settings = {"bootstrap.servers": sys.argv[1], "group.id": "g"}
table = pw.io.kafka.read(settings, sys.argv[2], format="plaintext", mode="static")
pw.io.jsonlines.write(table, "out.jsonl")
pw.run(monitoring_level=pw.MonitoringLevel.IN_OUT)
"""


def test_processes_share_partitions(kafka: Running, tmp_path: Path) -> None:
    topic = Topic(kafka, partitions=5)
    for number in range(10):
        topic.send(str(number), partition=number % 5)
    options = ["-n", "3", "-t", "2", "--first-port", str(free_ports(3))]
    command = [sys.executable, "-m", "pathway", "spawn", *options, sys.executable, "-c", SHARED]
    run = subprocess.run(
        [*command, topic.server, topic.name],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert run.returncode == 0, run.stderr
    rows = [json.loads(line)["data"] for line in (tmp_path / "out.jsonl").read_text().splitlines()]
    assert sorted(rows) == [str(number) for number in range(10)]
    # Two partitions each of the first two processes, one of the third.
    sent = re.findall(r"kafka\(.*\): (\d+) entries", run.stderr)
    assert sorted(map(int, sent)) == [2, 4, 4], run.stderr


def test_messages_leave_in_minibatches_of_the_limit(kafka: Running) -> None:
    topic = Topic(kafka)
    topic.send(*(str(number) for number in range(10)))
    table = pw.io.kafka.read(
        topic.settings(), topic.name, format="plaintext", mode="static", max_backlog_size=3
    )
    times: list[int] = []
    pw.io.subscribe(table, lambda key, row, time, is_addition: times.append(time))
    pw.run(monitoring_level=pw.MonitoringLevel.NONE)
    assert list(collections.Counter(times).values()) == [3, 3, 3, 1]
