"""Messages with the numbers of schemas in front, and a registry that knows some."""

from __future__ import annotations

import base64
import datetime
import http.server
import json
import signal
import threading
from collections.abc import Iterator
from typing import Any

import pytest

import pathway as pw
from following import rows_of
from pathway.io.kafka import SchemaRegistryHeader, SchemaRegistrySettings
from services.kafka.client import Topic
from services.processes import Processes, until
from services.runner import Running, free_port

ORDER = pw.schema_from_types(item=str, count=int)
FOLLOWING = """
import datetime
import sys
import pathway as pw
from pathway.io.kafka import SchemaRegistrySettings

server, topic, registry = sys.argv[1:]
settings = {"bootstrap.servers": server, "group.id": topic, "auto.offset.reset": "earliest"}
orders = pw.io.kafka.read(
    settings, topic, format="json", schema=pw.schema_from_types(item=str, count=int),
    schema_registry_settings=SchemaRegistrySettings([registry], timeout=datetime.timedelta(hours=1)),
)
pw.io.null.write(orders)
pw.run(monitoring_level=pw.MonitoringLevel.NONE)
"""
SCHEMAS = {7: {"schema": "{}", "schemaType": "JSON"}, 8: {"schema": '"int"'}}


@pytest.fixture(autouse=True)
def _own_graph() -> None:
    pw.internals.parse_graph.G.clear()


class Registry(http.server.BaseHTTPRequestHandler):
    """Answers as registries do, and remembers what was asked."""

    asked: list[tuple[str, str | None, str | None]]
    #: So many requests are answered with a status that says "later".
    busy: int

    def do_CONNECT(self) -> None:
        """As a proxy, which leads to itself."""
        self.asked.append((self.path, self.headers.get("Authorization"), None))
        self.close_connection = False
        self.send_response_only(200)
        self.end_headers()

    def do_GET(self) -> None:
        headers = self.headers
        self.asked.append((self.path, headers.get("Authorization"), headers.get("X-Tenant")))
        known: dict[str, Any] = {f"/schemas/ids/{number}": answer for number, answer in SCHEMAS.items()}
        known["/subjects/order%20s/versions/latest"] = {**SCHEMAS[7], "id": 7, "version": 1}
        known["/subjects/numbers/versions/latest"] = {**SCHEMAS[8], "id": 8, "version": 1}
        answer = known.get(self.path, {"error_code": 40403})
        status = 200 if self.path in known else 404
        if Registry.busy:
            Registry.busy -= 1
            status = 503
        self.send_response(status)
        self.end_headers()
        self.wfile.write(json.dumps(answer).encode())

    def log_message(self, *args: Any) -> None:
        """Nothing."""


@pytest.fixture
def registry() -> Iterator[str]:
    Registry.asked, Registry.busy = [], 0
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Registry)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_address[1]}"
    server.shutdown()
    server.server_close()


def framed(number: int, payload: str) -> bytes:
    return b"\0" + number.to_bytes(4, "big") + payload.encode()


def test_messages_with_schemas_are_read(kafka: Running, registry: str) -> None:
    topic = Topic(kafka)
    topic.send(framed(7, '{"item":"a","count":1}'), framed(7, '{"item":"b","count":2}'))
    topic.send(framed(8, "1"), framed(9, "{}"), '{"item":"c","count":3}')
    urls = [f"http://127.0.0.1:{free_port()}", registry + "/"]
    settings = SchemaRegistrySettings(urls, username="u", password="p")

    def read() -> pw.Table[Any]:
        return pw.io.kafka.read(
            topic.settings(),
            topic.name,
            format="json",
            schema=ORDER,
            mode="static",
            schema_registry_settings=settings,
        )

    assert rows_of(read()) == [("a", 1), ("b", 2)]
    login = "Basic " + base64.b64encode(b"u:p").decode()
    assert Registry.asked == [(f"/schemas/ids/{number}", login, None) for number in (7, 8, 9)]
    assert rows_of(pw.io.dead_letters(read()).select(pw.this.reason)) == [
        ("no number of a schema stands in front of the message",),
        ("the message has schema 8, which is AVRO, not JSON",),
        ("the schema registry does not know schema 9 of the message",),
    ]


def test_messages_are_written_with_the_newest_schema(kafka: Running, registry: str) -> None:
    topic = Topic(kafka)
    table = pw.debug.table_from_rows(ORDER, [("a", 1)])
    settings = SchemaRegistrySettings(
        [registry],
        token_authorization="secret",
        headers=[SchemaRegistryHeader("X-Tenant", "shop")],
        timeout=datetime.timedelta(seconds=5),
    )
    pw.io.kafka.write(
        table, topic.settings(), topic.name, schema_registry_settings=settings, subject="order s"
    )
    pw.run(monitoring_level=pw.MonitoringLevel.NONE)
    assert Registry.asked == [("/subjects/order%20s/versions/latest", "Bearer secret", "shop")]
    ((_, value, _),) = topic.messages()
    assert value == framed(7, '{"item":"a","count":1,"diff":1,"time":0}')


@pytest.mark.parametrize(
    ("subject", "text"), [("none", "no schema for the subject 'none'"), ("numbers", "is AVRO, not JSON")]
)
def test_a_subject_without_a_json_schema(kafka: Running, registry: str, subject: str, text: str) -> None:
    table = pw.debug.table_from_rows(ORDER, [("a", 1)])
    settings = SchemaRegistrySettings([registry])
    server = {"bootstrap.servers": f"127.0.0.1:{kafka.port}"}
    pw.io.kafka.write(table, server, "t", schema_registry_settings=settings, subject=subject)
    with pytest.raises(OSError, match=text.replace("'", '"')):
        pw.run(monitoring_level=pw.MonitoringLevel.NONE)


def test_a_registry_in_trouble_is_asked_again(kafka: Running, registry: str) -> None:
    topic = Topic(kafka)
    topic.send(framed(7, '{"item":"a","count":1}'))
    Registry.busy = 2
    table = pw.io.kafka.read(
        topic.settings(),
        topic.name,
        format="json",
        schema=ORDER,
        mode="static",
        schema_registry_settings=SchemaRegistrySettings([registry]),
    )
    assert rows_of(table) == [("a", 1)]
    assert [path for path, _, _ in Registry.asked] == ["/schemas/ids/7"] * 3


def test_a_registry_in_trouble_does_not_hold_up_the_end(
    kafka: Running, registry: str, processes: Processes
) -> None:
    topic = Topic(kafka)
    topic.send(framed(7, '{"item":"a","count":1}'))
    Registry.busy = 1_000_000
    run = processes.start(FOLLOWING, topic.server, topic.name, registry)
    until(lambda: bool(Registry.asked), "a request")
    run.send_signal(signal.SIGTERM)
    assert run.wait(60) == 128 + signal.SIGTERM, processes.log()
    assert "does not finish in time" not in processes.log()


def test_a_registry_behind_a_proxy(kafka: Running, registry: str) -> None:
    topic = Topic(kafka)
    topic.send(framed(7, '{"item":"a","count":1}'))
    table = pw.io.kafka.read(
        topic.settings(),
        topic.name,
        format="json",
        schema=ORDER,
        mode="static",
        schema_registry_settings=SchemaRegistrySettings(["http://registry.invalid:81"], proxy=registry),
    )
    assert rows_of(table) == [("a", 1)]
    assert [path.removeprefix("http://") for path, _, _ in Registry.asked] == [
        "registry.invalid:81",
        "/schemas/ids/7",
    ]


def test_a_registry_that_is_not_there() -> None:
    table = pw.debug.table_from_rows(ORDER, [("a", 1)])
    patience = datetime.timedelta(seconds=0.3)
    settings = SchemaRegistrySettings([f"http://127.0.0.1:{free_port()}"], timeout=patience)
    server = {"bootstrap.servers": "127.0.0.1:1"}
    pw.io.kafka.write(table, server, "t", schema_registry_settings=settings, subject="s")
    with pytest.raises(OSError, match="the schema registry: it does not answer"):
        pw.run(monitoring_level=pw.MonitoringLevel.NONE)


@pytest.mark.parametrize(
    ("arguments", "error", "text"),
    [
        ({"urls": "http://x"}, TypeError, "list of addresses"),
        ({"urls": []}, ValueError, "at least one address"),
        ({"urls": [""]}, ValueError, "at least one address"),
        ({"urls": [1]}, TypeError, "an address in urls"),
        ({"password": "p"}, ValueError, "the username is missing"),
        ({"username": "u", "token_authorization": "t"}, ValueError, "a token and a username"),
        ({"proxy": 1}, TypeError, "proxy"),
        ({"headers": [("a", "b")]}, TypeError, "SchemaRegistryHeader"),
        ({"timeout": 1}, TypeError, "timedelta"),
        ({"timeout": datetime.timedelta(0)}, ValueError, "longer than nothing"),
    ],
)
def test_settings_are_checked(arguments: dict[str, Any], error: type[Exception], text: str) -> None:
    with pytest.raises(error, match=text):
        SchemaRegistrySettings(**{"urls": ["http://x"], **arguments})


def test_secrets_are_not_shown() -> None:
    shown = repr(SchemaRegistrySettings(["http://x"], username="u", password="hidden"))
    assert "hidden" not in shown
    assert "'u'" in shown


def test_writing_needs_settings_and_subject() -> None:
    table = pw.debug.table_from_rows(ORDER, [])
    settings = SchemaRegistrySettings(["http://x"])
    write: Any = pw.io.kafka.write
    server = {"bootstrap.servers": "x", "group.id": "g"}
    for arguments in ({"subject": "s"}, {"schema_registry_settings": settings}):
        with pytest.raises(ValueError, match="go together"):
            write(table, server, "t", **arguments)
    with pytest.raises(ValueError, match="subject is empty"):
        write(table, server, "t", schema_registry_settings=settings, subject="")
    for call in (
        lambda: write(table, server, "t", format="avro"),
        lambda: pw.io.kafka.read(server, "t", format="avro", schema=ORDER),
    ):
        with pytest.raises(ValueError, match="format='avro' needs schema_registry_settings"):
            call()
    both = {"schema_registry_settings": settings, "subject": "s"}
    with pytest.raises(ValueError, match="format='json' or 'avro'"):
        write(table, {"bootstrap.servers": "x"}, "t", format="dsv", **both)


@pytest.mark.parametrize(
    ("name", "dtype", "text"),
    [
        ("a b", int, "letters, digits and underscores"),
        ("a", tuple[int, str], "no type in Avro"),
        ("a", Any, "no type in Avro"),
    ],
)
def test_columns_that_avro_does_not_have(name: str, dtype: Any, text: str) -> None:
    table: pw.Table[Any] = pw.Table.empty(**{name: dtype})
    settings = SchemaRegistrySettings(["http://x"])
    with pytest.raises(ValueError, match=text):
        pw.io.kafka.write(
            table, {"bootstrap.servers": "x"}, "t", format="avro", schema_registry_settings=settings
        )
