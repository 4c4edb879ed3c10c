"""Change events of Debezium on a real broker, in the form that its documentation gives."""

from __future__ import annotations

import json
from typing import Any

import pytest

import pathway as pw
from following import follow
from services.kafka.client import Topic
from services.runner import Running


@pytest.fixture(autouse=True)
def _own_graph() -> None:
    pw.internals.parse_graph.G.clear()


class Order(pw.Schema):
    number: int = pw.column_definition(primary_key=True)
    item: str
    count: int | None


class Plain(pw.Schema):
    id: int
    item: str


def event(op: str, before: Any = None, after: Any = None, *, enveloped: bool = True) -> str:
    payload = {"before": before, "after": after, "source": {"table": "orders"}, "op": op, "ts_ms": 1}
    return json.dumps({"schema": {"type": "struct"}, "payload": payload} if enveloped else payload)


def row(number: int, item: str, count: int | None = None) -> dict[str, Any]:
    return {"number": number, "item": item, "count": count}


def read(topic: Topic, **others: Any) -> pw.Table:
    settings = topic.settings(auto_offset_reset="earliest")
    given: dict[str, Any] = {"schema": Order, "autocommit_duration_ms": 20, **others}
    return pw.io.debezium.read(settings, topic.name, **given)


def test_events_set_and_remove_rows(kafka: Running) -> None:
    topic = Topic(kafka)
    follow(
        read(topic),
        [
            (
                lambda: topic.send(
                    event("r", None, row(1, "tea", 2)), event("c", None, row(2, "jam", 1), enveloped=False)
                ),
                [(1, "tea", 2), (2, "jam", 1)],
            ),
            # Without the row before, as of tables that do not log it.
            (
                lambda: topic.send(
                    event("u", None, row(1, "tea", 3)), event("u", row(2, "jam", 1), row(2, "ham"))
                ),
                [(1, "tea", 3), (2, "ham", None)],
            ),
            # Another primary key, and a removal, which a tombstone follows.
            (
                lambda: topic.send(
                    event("u", row(1, "tea", 3), row(3, "tea", 3)), event("d", row(2, "", None)), None
                ),
                [(3, "tea", 3)],
            ),
            # A row that comes back, and a message of the database that is of no table.
            (
                lambda: topic.send(
                    event("m"), event("c", None, row(2, "egg")), event("u", row(3, "tea"), row(3, "oil"))
                ),
                [(2, "egg", None), (3, "oil", None)],
            ),
        ],
    )


def test_rows_have_the_ids_of_their_primary_keys(kafka: Running) -> None:
    topic = Topic(kafka)
    topic.send(event("c", None, row(1, "tea")))
    orders = read(topic)
    same = orders.select(orders.item, same=orders.id == orders.pointer_from(orders.number))
    follow(same, [(lambda: None, [("tea", True)])])


def test_without_a_primary_key_messages_tell_rows_apart(kafka: Running) -> None:
    topic = Topic(kafka)

    def send(number: int, text: str) -> None:
        topic.send(text, key=json.dumps({"payload": {"id": number}}))

    def begin() -> None:
        send(1, event("c", None, {"id": 1, "item": "tea"}))
        send(2, event("c", None, {"id": 2, "item": "jam"}))

    def change() -> None:
        send(1, event("u", None, {"id": 1, "item": "oil"}))
        send(2, event("d", None))

    follow(
        read(topic, schema=Plain),
        [(begin, [(1, "tea"), (2, "jam")]), (change, [(1, "oil")])],
    )


def test_documents_of_mongodb_are_text(kafka: Running) -> None:
    topic = Topic(kafka)

    def send(number: int, op: str, document: dict[str, Any] | None = None) -> None:
        after = None if document is None else json.dumps(document)
        topic.send(event(op, None, after), key=json.dumps({"id": str(number)}))

    def begin() -> None:
        send(1, "r", {"number": 1, "item": 'a "quoted" ä'})
        send(2, "c", {"number": 2, "item": "jam"})

    def change() -> None:
        send(1, "u", {"number": 1, "item": "oil"})
        send(2, "d")

    def again() -> None:
        send(2, "c", {"number": 2, "item": "egg"})

    orders = read(topic, schema=Order.without("count"), db_type=pw.io.debezium.DebeziumDBType.MONGO_DB)
    follow(
        orders,
        [
            (begin, [(1, 'a "quoted" ä'), (2, "jam")]),
            (change, [(1, "oil")]),
            (again, [(1, "oil"), (2, "egg")]),
        ],
    )


def test_events_that_cannot_be_read_are_dead_letters(kafka: Running) -> None:
    topic = Topic(kafka)
    bad = [
        ("nonsense", "the message:"),
        ("[1]", "the message:"),
        ("{}", "neither a payload nor an operation"),
        ('{"payload": 5}', "neither a payload nor an operation"),
        ('{"payload": {"op": 1}}', "is no text"),
        (event("x"), 'the operation "x" is not one of'),
        (event("t"), "TRUNCATE"),
        (event("c"), "the event has no row"),
        (event("d"), "does not tell its primary key"),
        (event("d", {"item": "tea"}), "does not tell its primary key"),
        (event("c", None, {"number": "one", "item": "tea", "count": None}), "error in primary key"),
    ]
    topic.send(*(text for text, _ in bad), event("c", None, row(1, "tea")))
    orders = read(topic)
    letters = pw.io.dead_letters(orders)
    expected = sorted((f"{topic.name}[0], offset {number}", True) for number in range(len(bad)))
    reasons = {f"{topic.name}[0], offset {number}": reason for number, (_, reason) in enumerate(bad)}

    def fits(position: str, reason: str) -> bool:
        return reasons[position] in reason

    follow(
        letters.select(pw.this.position, fits=pw.apply(fits, pw.this.position, pw.this.reason)),
        [(lambda: None, expected)],
    )


def test_arguments_that_make_no_sense_are_refused() -> None:
    settings = {"bootstrap.servers": "localhost:9092", "group.id": "g"}

    class InKey(pw.Schema):
        id: int = pw.column_definition(primary_key=True, source_component="key")

    with pytest.raises(ValueError, match="columns of change events are in their payload"):
        pw.io.debezium.read(settings, "t", schema=InKey)
    with pytest.raises(ValueError, match=r"need a value for 'group\.id'"):
        pw.io.debezium.read({"bootstrap.servers": "x"}, "t", schema=Order)
    with pytest.raises(TypeError, match="violates type hint"):
        pw.io.debezium.read(settings, "t", schema=Order, db_type="postgres")  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="mode"):
        pw.io.debezium.read(settings, "t", schema=Order, mode="static")
