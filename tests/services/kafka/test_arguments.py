"""Arguments that make no sense are refused when the program is built: no broker is asked."""

from __future__ import annotations

import inspect
from typing import Any

import pandas as pd
import pytest

import pathway as pw

SETTINGS = {"bootstrap.servers": "localhost:1", "group.id": "g"}


class Order(pw.Schema):
    item: str


class WithMetadata(pw.Schema):
    _metadata: pw.Json


class InHeader(pw.Schema):
    item: str = pw.column_definition(source_component="header")


@pytest.fixture(autouse=True)
def _own_graph() -> None:
    pw.internals.parse_graph.G.clear()


@pytest.mark.parametrize(
    ("arguments", "error", "text"),
    [
        ({"rdkafka_settings": {"group.id": "g"}}, ValueError, r"'bootstrap\.servers'"),
        ({"rdkafka_settings": {"bootstrap.servers": "x", "group.id": ""}}, ValueError, r"'group\.id'"),
        ({"rdkafka_settings": {**SETTINGS, "debug": ["all"]}}, TypeError, "'debug' is list"),
        ({"topic": ""}, ValueError, "topic is missing"),
        ({"topic": None}, ValueError, "topic is missing"),
        ({"topic_name": "t"}, TypeError, "it is called topic"),
        ({"poll": 3}, TypeError, "poll"),
        ({"max_backlog_size": 0}, ValueError, "max_backlog_size"),
        ({"parallel_readers": 0}, ValueError, "parallel_readers"),
        ({"autocommit_duration_ms": 0}, ValueError, "autocommit_duration_ms"),
        ({"autocommit_duration_ms": None}, ValueError, "mode='static'"),
        ({"start_from_timestamp_ms": -1}, ValueError, "start_from_timestamp_ms"),
        ({"schema": Order}, ValueError, "read without schema"),
        ({"json_field_paths": {}}, ValueError, "read without json_field_paths"),
        ({"format": "json"}, ValueError, "schema= is missing"),
        ({"format": "json", "schema": Order, "autogenerate_key": True}, ValueError, "autogenerate_key"),
        ({"format": "json", "schema": WithMetadata}, ValueError, "_metadata"),
        ({"format": "json", "schema": InHeader}, ValueError, "'header'"),
        ({"format": "json", "schema": Order, "json_field_paths": {"x": "/a"}}, ValueError, "no column 'x'"),
        (
            {"format": "json", "schema": Order, "json_field_paths": {"item": "a"}},
            ValueError,
            "no JSON pointer",
        ),
        ({"format": "csv"}, TypeError, "violates type hint"),
    ],
)
def test_reading_refuses_what_makes_no_sense(
    arguments: dict[str, Any], error: type[Exception], text: str
) -> None:
    with pytest.raises(error, match=text):
        pw.io.kafka.read(**{"rdkafka_settings": SETTINGS, "topic": "t", **arguments})


def test_old_names_of_arguments() -> None:
    with (
        pytest.warns(DeprecationWarning, match="the first"),
        pytest.warns(DeprecationWarning, match="topic_names"),
    ):
        pw.io.kafka.read(SETTINGS, topic_names=["t", "u"])


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        ({"topic_name": ""}, "topic is empty"),
        ({"rdkafka_settings": {"group.id": "g"}}, r"'bootstrap\.servers'"),
        ({"delimiter": ";"}, "delimiter has a meaning only for format='dsv'"),
        ({"format": "dsv", "delimiter": ";;"}, "one ASCII character"),
        ({"value": "item"}, "value= has no meaning"),
        ({"format": "raw"}, "writes one column and the table has 4"),
        ({"format": "raw", "key": "item"}, "value= tells what is the payload"),
        ({"key": "count"}, "'count' for the key has the type INT"),
        ({"key": "note"}, "'note' for the key has the type"),
        ({"format": "plaintext", "value": "count"}, "'count' for the value has the type INT"),
        ({"topic_name": "count"}, "'count' for the topic has the type INT"),
        ({"headers": ["pathway_time"]}, "header 'pathway_time' already"),
        ({"headers": ["item", "item"]}, "two headers with the name 'item'"),
        ({"format": "plaintext", "value": "item", "sort_by": ["count"]}, "'count', which is not written"),
    ],
)
def test_writing_refuses_what_makes_no_sense(arguments: dict[str, Any], text: str) -> None:
    table = pw.debug.table_from_rows(
        pw.schema_from_types(item=str, count=int, note=str | None, pathway_time=int), []
    )
    for role in ("key", "value"):
        if role in arguments:
            arguments[role] = table[arguments[role]]
    for role in ("headers", "sort_by"):
        if role in arguments:
            arguments[role] = [table[name] for name in arguments[role]]
    if arguments.get("topic_name"):
        arguments["topic_name"] = table[arguments["topic_name"]]
    with pytest.raises(ValueError, match=text):
        pw.io.kafka.write(**{"table": table, "rdkafka_settings": SETTINGS, "topic_name": "t", **arguments})


def test_columns_of_other_tables() -> None:
    table = pw.debug.table_from_rows(pw.schema_from_types(item=str), [])
    other = table.select(item=table.item + "!", time=1)
    with pytest.raises(ValueError, match="two columns with the name 'item'"):
        pw.io.kafka.write(table, SETTINGS, "t", key=other.item)
    with pytest.raises(ValueError, match="'item' of a table other"):
        pw.io.kafka.write(table, SETTINGS, "t", sort_by=[other.item])
    with pytest.raises(ValueError, match="rename time"):
        pw.io.kafka.write(other, SETTINGS, "t")


def test_simple_reads_make_their_own_settings() -> None:
    read: Any = pw.io.kafka.simple_read
    with pytest.raises(TypeError, match="rdkafka_settings"):
        read("localhost:1", "t", rdkafka_settings={})
    with pytest.raises(ValueError, match="would read nothing"):
        read("localhost:1", "t", read_only_new=True, mode="static")
    with pytest.raises(ValueError, match="where to begin"):
        read("localhost:1", "t", read_only_new=True, start_from_timestamp_ms=0)


def test_redpanda_is_kafka() -> None:
    table = pw.io.redpanda.read(SETTINGS, "t", format="plaintext", with_metadata=True)
    assert list(table.column_names()) == ["_metadata", "key", "data"]
    pw.io.redpanda.write(table.select(table.data), SETTINGS, "t", format="plaintext")
    with pytest.raises(ValueError, match="topic is empty"):
        pw.io.redpanda.write(table.select(table.data), SETTINGS, "")


@pytest.mark.parametrize("name", ["read", "write"])
def test_redpanda_passes_on_every_option(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    taken: dict[str, Any] = {}
    signature = inspect.signature(getattr(pw.io.kafka, name))

    def record(*args: Any, **kwargs: Any) -> None:
        taken.update(signature.bind(*args, **kwargs).arguments)

    monkeypatch.setattr(pw.io.kafka, name, record)
    function = inspect.unwrap(getattr(pw.io.redpanda, name))
    given = {option: object() for option in signature.parameters if option != "kwargs"}
    function(**given)
    taken.update(taken.pop("kwargs", {}))
    assert taken == given


def test_data_for_debugging_stands_for_a_topic() -> None:
    data = pd.DataFrame({"item": ["x"]})
    seen: list[str] = []
    for table in (
        pw.io.kafka.read(SETTINGS, "t", format="json", schema=Order, debug_data=data),
        pw.io.kafka.simple_read("localhost:1", "t", format="json", schema=Order, debug_data=data),
        pw.io.debezium.read(SETTINGS, "t", schema=Order, debug_data=data),
    ):
        pw.io.subscribe(table, lambda key, row, time, is_addition: seen.append(row["item"]))
    pw.run(debug=True, monitoring_level=pw.MonitoringLevel.NONE)
    assert seen == ["x"] * 3


def test_tables_of_messages_only_grow() -> None:
    table = pw.io.kafka.read(SETTINGS, "t")
    assert all(column.append_only for column in table.schema.columns().values())
