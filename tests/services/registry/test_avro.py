"""Avro records with their schemas in a registry, written and read by Confluent's client and by us."""

from __future__ import annotations

import datetime
import decimal
import json
import urllib.request
import uuid
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from confluent_kafka.schema_registry import Schema, SchemaReference, SchemaRegistryClient
from confluent_kafka.schema_registry.avro import AvroDeserializer, AvroSerializer
from confluent_kafka.serialization import MessageField, SerializationContext

import pathway as pw
from following import rows_of
from pathway.io.kafka import SchemaRegistrySettings
from services.kafka.client import Topic
from services.registry.service import url
from services.runner import Running

UTC = datetime.timezone.utc

ORDER = {
    "type": "record",
    "name": "Order",
    "namespace": "shop",
    "fields": [
        {"name": "item", "type": "string"},
        {"name": "count", "type": "int"},
        {"name": "note", "type": ["null", "string"], "default": None},
    ],
}


JSON_SCHEMA = '{"$schema": "http://json-schema.org/draft-07/schema#", "type": "object"}'


class Order(pw.Schema):
    item: str
    count: int
    note: str | None


@pytest.fixture(autouse=True)
def _own_graph() -> None:
    pw.internals.parse_graph.G.clear()


@pytest.fixture
def client(registry: Running) -> Iterator[SchemaRegistryClient]:
    with SchemaRegistryClient({"url": url(registry)}) as client:
        yield client


def serializer(client: SchemaRegistryClient, schema: dict[str, Any] | Schema) -> Any:
    return AvroSerializer(client, schema if isinstance(schema, Schema) else json.dumps(schema))


def send(topic: Topic, client: SchemaRegistryClient, schema: dict[str, Any], *records: Any) -> None:
    serialize = serializer(client, schema)
    context = SerializationContext(topic.name, MessageField.VALUE)
    topic.send(*(serialize(record, context) for record in records))


def read(topic: Topic, registry: Running, schema: type[pw.Schema], **more: Any) -> pw.Table[Any]:
    return pw.io.kafka.read(
        topic.settings(),
        topic.name,
        format="avro",
        schema=schema,
        mode="static",
        schema_registry_settings=SchemaRegistrySettings([url(registry)]),
        **more,
    )


def write(table: pw.Table[Any], topic: Topic, registry: Running, **more: Any) -> None:
    settings = SchemaRegistrySettings([url(registry)])
    more = {"topic_name": topic.name, **more}
    pw.io.kafka.write(table, topic.settings(), format="avro", schema_registry_settings=settings, **more)


def run() -> None:
    pw.run(monitoring_level=pw.MonitoringLevel.NONE)


def test_records_of_another_client_are_read(
    kafka: Running, registry: Running, client: SchemaRegistryClient
) -> None:
    topic = Topic(kafka)
    send(
        topic, client, ORDER, {"item": "ä", "count": 3, "note": None}, {"item": "b", "count": -1, "note": "!"}
    )
    assert sorted(rows_of(read(topic, registry, Order))) == [("b", -1, "!"), ("ä", 3, None)]


def test_every_type_is_read(kafka: Running, registry: Running, client: SchemaRegistryClient) -> None:
    kinds: dict[str, Any] = {
        "b": "boolean",
        "f": "float",
        "d": "double",
        "y": "bytes",
        "x": {"type": "fixed", "name": "Two", "size": 2},
        "e": {"type": "enum", "name": "Color", "symbols": ["RED", "GREEN"]},
        "u": {"type": "string", "logicalType": "uuid"},
        "millis": {"type": "long", "logicalType": "timestamp-millis"},
        "micros": {"type": "long", "logicalType": "timestamp-micros"},
        "local": {"type": "long", "logicalType": "local-timestamp-micros"},
        "day": {"type": "int", "logicalType": "date"},
        "time": {"type": "long", "logicalType": "time-micros"},
        "price": {"type": "bytes", "logicalType": "decimal", "precision": 9, "scale": 2},
        "list": {"type": "array", "items": "long"},
        "map": {"type": "map", "values": ["null", "long"]},
        "nested": {
            "type": "record",
            "name": "Node",
            "fields": [{"name": "v", "type": "int"}, {"name": "next", "type": ["null", "Node"]}],
        },
    }
    record = {
        "b": True,
        "f": 0.1,
        "d": -2.5e300,
        "y": b"\0\xff",
        "x": b"ab",
        "e": "GREEN",
        "u": uuid.UUID(int=1),
        "millis": datetime.datetime(2024, 2, 29, 1, 2, 3, 4000, UTC),
        "micros": datetime.datetime(1969, 12, 31, 23, 59, 59, 5, UTC),
        "local": datetime.datetime(2024, 2, 29, 1, 2, 3, 4),
        "day": datetime.date(2024, 2, 29),
        "time": datetime.time(0, 0, 1, 1),
        "price": decimal.Decimal("-12.34"),
        "list": [1, -300, 1 << 60],
        "map": {"a": 1, "b": None},
        "nested": {"v": 1, "next": {"v": 2, "next": None}},
    }
    topic = Topic(kafka)
    fields = [{"name": name, "type": kind} for name, kind in kinds.items()]
    send(topic, client, {"type": "record", "name": "Every", "fields": fields}, record)

    class Every(pw.Schema):
        b: bool
        f: float
        d: float
        y: bytes
        x: bytes
        e: str
        u: str
        millis: pw.DateTimeUtc
        micros: pw.DateTimeUtc
        local: pw.DateTimeNaive
        day: pw.DateTimeNaive
        time: pw.Duration
        price: float
        list: list[int]
        map: pw.Json
        deep: int

    (row,) = rows_of(read(topic, registry, Every, json_field_paths={"deep": "/nested/next/v"}))
    assert row == (
        True,
        0.1,
        -2.5e300,
        b"\0\xff",
        b"ab",
        "GREEN",
        str(uuid.UUID(int=1)),
        pw.DateTimeUtc("2024-02-29T01:02:03.004+00:00"),
        pw.DateTimeUtc("1969-12-31T23:59:59.000005+00:00"),
        pw.DateTimeNaive("2024-02-29T01:02:03.000004"),
        pw.DateTimeNaive("2024-02-29T00:00:00"),
        pw.Duration(seconds=1, microseconds=1),
        -12.34,
        (1, -300, 1 << 60),
        pw.Json({"a": 1, "b": None}),
        2,
    )


def test_schemas_change_and_refer_to_others(
    kafka: Running, registry: Running, client: SchemaRegistryClient
) -> None:
    """Each message is read with the schema it was written with."""
    topic = Topic(kafka)
    subject = f"{topic.name}-place"
    place = {"type": "record", "name": "Place", "fields": [{"name": "town", "type": "string"}]}
    client.register_schema(subject, Schema(json.dumps(place), "AVRO"))
    wider = [*ORDER["fields"], {"name": "place", "type": ["null", "Place"], "default": None}]
    wider[0], wider[1] = wider[1], wider[0]
    references = [SchemaReference("Place", subject, 1)]
    newer = Schema(json.dumps({**ORDER, "namespace": "", "fields": wider}), "AVRO", references)
    narrow = {"type": "record", "name": "Order", "fields": ORDER["fields"][:2]}
    send(topic, client, narrow, {"item": "a", "count": 1})
    context = SerializationContext(topic.name, MessageField.VALUE)
    record = {"item": "b", "count": 2, "note": "n", "place": {"town": "Ulm"}}
    serialize = AvroSerializer(client, newer, conf={"auto.register.schemas": True})
    topic.send(serialize(record, context))

    class Placed(Order):
        town: str = pw.column_definition(default_value="?")

    table = read(topic, registry, Placed, json_field_paths={"town": "/place/town"})
    assert sorted(rows_of(table)) == [("a", 1, None, "?"), ("b", 2, "n", "Ulm")]


def test_keys_may_be_records(kafka: Running, registry: Running, client: SchemaRegistryClient) -> None:
    topic = Topic(kafka)
    key_schema = {"type": "record", "name": "Key", "fields": [{"name": "shop", "type": "string"}]}
    key = serializer(client, key_schema)({"shop": "s"}, SerializationContext(topic.name, MessageField.KEY))
    value = serializer(client, ORDER)(
        {"item": "a", "count": 1, "note": None}, SerializationContext(topic.name, MessageField.VALUE)
    )
    topic.send(value, key=key)

    class Keyed(pw.Schema):
        shop: str = pw.column_definition(source_component="key")
        item: str

    assert rows_of(read(topic, registry, Keyed)) == [("s", "a")]


def test_messages_that_cannot_be_read_are_dead_letters(
    kafka: Running, registry: Running, client: SchemaRegistryClient
) -> None:
    topic = Topic(kafka)
    send(topic, client, ORDER, {"item": "a", "count": 1, "note": None})
    number = client.get_latest_version(f"{topic.name}-value").schema_id
    frame = b"\0" + number.to_bytes(4, "big")
    other = client.register_schema(f"{topic.name}-json", Schema(JSON_SCHEMA, "JSON"))
    topic.send('{"item": "b"}', b"\0", b"\0" + (99999).to_bytes(4, "big"), frame + b"\x02a")
    topic.send(b"\0" + other.to_bytes(4, "big") + b"{}", frame + b"\x02a\x02\0!", None)
    send(
        topic,
        client,
        {"type": "record", "name": "Text", "fields": [{"name": "item", "type": "long"}]},
        {"item": 1},
    )

    class Item(pw.Schema):
        item: str | None

    table = read(topic, registry, Item)
    assert rows_of(table) == [("a",), (None,)]
    pw.internals.parse_graph.G.clear()
    letters = pw.io.dead_letters(read(topic, registry, Item))
    assert sorted(reason for (reason,) in rows_of(letters.select(pw.this.reason))) == [
        'column "item" cannot read "1" as Optional(STR)',
        "no number of a schema stands in front of the message",
        "no number of a schema stands in front of the message",
        "something follows behind the Avro record",
        "the Avro record ends too early",
        f"the message has schema {other}, which is JSON, not AVRO",
        "the schema registry does not know schema 99999 of the message",
    ]


class Every(pw.Schema):
    b: bool
    i: int
    f: float
    s: str
    y: bytes
    n: pw.DateTimeNaive
    u: pw.DateTimeUtc
    d: pw.Duration
    j: pw.Json
    o: int | None
    l: list[str]  # noqa: E741
    t: tuple[int, int]
    a: np.ndarray[Any, np.dtype[np.int64]]


EVERY = (
    False,
    -(1 << 62),
    1e-300,
    "ä",
    b"\0",
    pw.DateTimeNaive("1901-02-03T04:05:06.000007"),
    pw.DateTimeUtc("2024-02-29T01:02:03.004+00:00"),
    pw.Duration(seconds=-1, nanoseconds=1),
    pw.Json({"a": [1, None]}),
    None,
    ("x", ""),
    (1, 2),
)


def test_every_type_is_written(kafka: Running, registry: Running, client: SchemaRegistryClient) -> None:
    topic = Topic(kafka)
    array = np.array([[1, 2], [3, 4]])
    write(pw.debug.table_from_rows(Every, [(*EVERY, array)]), topic, registry)
    run()
    ((_, value, headers),) = topic.messages()
    assert [name for name, _ in headers] == ["pathway_time", "pathway_diff"]
    found = AvroDeserializer(client)(value, SerializationContext(topic.name, MessageField.VALUE))
    assert found == {
        "b": False,
        "i": -(1 << 62),
        "f": 1e-300,
        "s": "ä",
        "y": b"\0",
        "n": datetime.datetime(1901, 2, 3, 4, 5, 6, 7),
        "u": datetime.datetime(2024, 2, 29, 1, 2, 3, 4000, UTC),
        "d": -999_999_999,
        "j": '{"a":[1,null]}',
        "o": None,
        "l": ["x", ""],
        "t": [1, 2],
        "a": {"shape": [2, 2], "elements": [1, 2, 3, 4]},
    }
    schema = json.loads(client.get_latest_version(f"{topic.name}-value").schema.schema_str)
    assert schema["name"] == topic.name.replace("-", "_")
    assert [field["name"] for field in schema["fields"]] == Every.column_names()
    pw.internals.parse_graph.G.clear()
    (row,) = rows_of(read(topic, registry, Every))
    assert row[:-1] == EVERY
    assert np.array_equal(row[-1], array)


def test_one_schema_is_registered_once(
    kafka: Running, registry: Running, client: SchemaRegistryClient
) -> None:
    topic = Topic(kafka)
    for item in "ab":
        pw.internals.parse_graph.G.clear()
        table = pw.debug.table_from_rows(Order, [(item, 1, None)])
        write(table, topic, registry, subject="all orders/here")
        run()
    assert client.get_versions("all orders/here") == [1]
    pw.internals.parse_graph.G.clear()
    assert rows_of(read(topic, registry, Order)) == [("a", 1, None), ("b", 1, None)]


def test_topics_of_a_column_have_subjects_of_their_own(
    kafka: Running, registry: Running, client: SchemaRegistryClient
) -> None:
    topics = [Topic(kafka), Topic(kafka)]
    schema = pw.schema_from_types(topic=str, n=int)
    table = pw.debug.table_from_rows(schema, [(topics[i % 2].name, i) for i in range(5)])
    write(table, topics[0], registry, topic_name=table.topic)
    run()
    for place, topic in enumerate(topics):
        assert client.get_versions(f"{topic.name}-value") == [1]
        pw.internals.parse_graph.G.clear()
        rows = rows_of(read(topic, registry, pw.schema_from_types(n=int)))
        assert sorted(rows) == [(n,) for n in range(place, 5, 2)]


def test_a_subject_that_does_not_take_the_schema(
    kafka: Running, registry: Running, client: SchemaRegistryClient
) -> None:
    topic = Topic(kafka)
    subject = f"{topic.name}-value"
    client.register_schema(subject, Schema(json.dumps(ORDER), "AVRO"))
    client.set_compatibility(subject, level="BACKWARD")
    write(pw.debug.table_from_rows(pw.schema_from_types(other=int), [(1,)]), topic, registry)
    with pytest.raises(ValueError, match=f'the subject "{subject}" does not take the schema of the table: '):
        run()
    assert topic.messages() == []


def test_later_runs_go_on_behind_the_last_message(
    kafka: Running, registry: Running, client: SchemaRegistryClient, tmp_path: Any
) -> None:
    """A run with persistence goes on behind the last message, and writes in transactions."""
    inbox, outbox = Topic(kafka), Topic(kafka)
    backend = pw.persistence.Backend.filesystem(tmp_path / "state")
    for number in range(2):
        send(inbox, client, ORDER, {"item": "a", "count": number, "note": None})
        pw.internals.parse_graph.G.clear()
        orders = read(inbox, registry, Order, name="orders")
        sums = orders.groupby(orders.item).reduce(orders.item, count=pw.reducers.sum(orders.count))
        write(sums, outbox, registry)
        config = pw.persistence.Config(backend)
        pw.run(monitoring_level=pw.MonitoringLevel.NONE, persistence_config=config)
    pw.internals.parse_graph.G.clear()
    rows = rows_of(read(outbox, registry, pw.schema_from_types(item=str, count=int)))
    assert sorted(rows) == [("a", 0), ("a", 0), ("a", 1)]


def test_the_registry_is_the_one_we_think(registry: Running) -> None:
    with urllib.request.urlopen(f"{url(registry)}/schemas/types") as answer:
        assert {"AVRO", "JSON"} <= set(json.load(answer))
