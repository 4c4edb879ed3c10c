"""From topic to topic, each message once, with runs that are killed at any moment."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import pathway as pw
from ports import free_ports
from services.kafka.client import Message, Topic, read_topic
from services.processes import Processes, kill, until
from services.runner import Running

KILLS = int(os.environ.get("PATHWAY_KAFKA_KILLS", "8"))

PROGRAM = """
import sys
import pathway as pw

mode, server, first, second, state = sys.argv[1:]
settings = {"bootstrap.servers": server, "group.id": first, "auto.offset.reset": "earliest"}

class Order(pw.Schema):
    number: int
    shop: str

orders = pw.io.kafka.read(settings, first, format="json", schema=Order, mode=mode, autocommit_duration_ms=5)
pw.io.kafka.write(orders.select(orders.number), settings, second, key=None)
totals = orders.groupby(orders.shop).reduce(orders.shop, count=pw.reducers.count())
pw.io.kafka.write(totals, settings, second + "-totals", key=totals.shop)
pw.run(
    monitoring_level=pw.MonitoringLevel.NONE,
    persistence_config=pw.persistence.Config(pw.persistence.Backend.filesystem(state)),
)
"""


def start(
    runs: Processes, mode: str, topic: Topic, second: str, state: Path, processes: int = 1, threads: int = 1
) -> subprocess.Popen[bytes]:
    python = [sys.executable, "-c", PROGRAM, mode, topic.server, topic.name, second, str(state)]
    if processes > 1:
        options = ["--processes", str(processes), "--threads", str(threads)]
        options += ["--first-port", str(free_ports(processes))]
        python = [sys.executable, "-m", "pathway", "spawn", *options, *python]
    return runs.start_command(python, PATHWAY_THREADS=str(threads))


def children(run: subprocess.Popen[bytes], count: int) -> list[int]:
    """The processes that the launcher of a run has started, when there are so many."""

    def started() -> list[str]:
        return Path(f"/proc/{run.pid}/task/{run.pid}/children").read_text().split()

    until(lambda: len(started()) == count, f"{count} processes have started")
    return [int(pid) for pid in started()]


def field(messages: list[Message], name: str) -> list[Any]:
    return [json.loads(message.value or b"")[name] for message in messages]


def test_messages_are_written_once_however_often_runs_are_killed(
    kafka: Running, processes: Processes, tmp_path: Path
) -> None:
    topic = Topic(kafka, partitions=2)
    second = f"{topic.name}-copied"
    chance = random.Random(1)
    sent = 0

    def send(count: int) -> None:
        nonlocal sent
        for number in range(sent, sent + count):
            topic.send(json.dumps({"number": number, "shop": f"shop {number % 3}"}), partition=number % 2)
        sent += count

    send(50)
    for number in range(KILLS):
        count = 1 + number % 2
        run = start(processes, "streaming", topic, second, tmp_path / "state", count, chance.randint(1, 2))
        begin, length = time.monotonic(), chance.uniform(0.3, 2.5)
        while time.monotonic() < begin + length:
            send(chance.randint(1, 20))
        assert run.poll() is None, processes.log()
        if count > 1 and chance.random() < 0.5:
            # One process alone; the others end as they notice.
            os.kill(chance.choice(children(run, count)), signal.SIGKILL)
            assert run.wait(60) != 0
        kill(run)
    last = start(processes, "static", topic, second, tmp_path / "state")
    assert last.wait(120) == 0, processes.log()

    assert sorted(field(read_topic(topic.server, second), "number")) == list(range(sent))
    totals = read_topic(topic.server, f"{second}-totals")
    balance: dict[tuple[str, int], int] = {}
    for message in totals:
        change = json.loads(message.value or b"")
        row = (change["shop"], change["count"])
        balance[row] = balance.get(row, 0) + change["diff"]
    expected = {(f"shop {shop}", len(range(shop, sent, 3))): 1 for shop in range(3)}
    assert {row: count for row, count in balance.items() if count} == expected


def test_a_run_whose_place_another_has_taken_ends(
    kafka: Running, processes: Processes, tmp_path: Path
) -> None:
    topic = Topic(kafka)
    second = f"{topic.name}-copied"
    topic.send(json.dumps({"number": 1, "shop": "a"}))

    def arrived(count: int) -> Callable[[], bool]:
        return lambda: len(read_topic(topic.server, second)) == count

    stale = start(processes, "streaming", topic, second, tmp_path / "state")
    until(arrived(1), "the first run writes")
    stale.send_signal(signal.SIGSTOP)
    try:
        topic.send(json.dumps({"number": 2, "shop": "a"}))
        other = start(processes, "streaming", topic, second, tmp_path / "state")
        until(arrived(2), "the second run goes on")
    finally:
        stale.send_signal(signal.SIGCONT)
    topic.send(json.dumps({"number": 3, "shop": "a"}))
    until(lambda: stale.poll() is not None, "the first run ends")
    assert stale.returncode == 1
    assert "another run, which uses the same store" in processes.log()
    until(arrived(3), "the second run writes")
    other.terminate()
    assert other.wait(60) == 128 + signal.SIGTERM
    assert sorted(field(read_topic(topic.server, second), "number")) == [1, 2, 3]


def test_delivery_at_least_once_does_without_transactions(kafka: Running, tmp_path: Path) -> None:
    pw.internals.parse_graph.G.clear()
    topic = Topic(kafka)
    table = pw.demo.range_stream(nb_rows=3, input_rate=1000)
    settings = topic.settings(enable_idempotence="false")
    pw.io.kafka.write(table, settings, topic.name, delivery="at-least-once")
    config = pw.persistence.Config(pw.persistence.Backend.filesystem(tmp_path))
    pw.run(monitoring_level=pw.MonitoringLevel.NONE, persistence_config=config)
    assert len(topic.messages()) == 3
    pw.internals.parse_graph.G.clear()

    table = pw.demo.range_stream(nb_rows=3, input_rate=1000)
    pw.io.kafka.write(table, settings, topic.name)
    config = pw.persistence.Config(pw.persistence.Backend.filesystem(tmp_path / "other"))
    with pytest.raises(ValueError, match=r'transactional.id.*delivery="at-least-once"'):
        pw.run(monitoring_level=pw.MonitoringLevel.NONE, persistence_config=config)
    pw.internals.parse_graph.G.clear()


def test_outputs_with_one_transactional_id_are_told_from_each_other(kafka: Running, tmp_path: Path) -> None:
    pw.internals.parse_graph.G.clear()
    first, second = Topic(kafka), Topic(kafka)
    table = pw.demo.range_stream(nb_rows=3, input_rate=1000)
    settings = first.settings(transactional_id=f"copies of {first.name}")
    for topic in (first, second):
        pw.io.kafka.write(table, settings, topic.name)
    config = pw.persistence.Config(pw.persistence.Backend.filesystem(tmp_path))
    pw.run(monitoring_level=pw.MonitoringLevel.NONE, persistence_config=config)
    assert [len(topic.messages()) for topic in (first, second)] == [3, 3]
    pw.internals.parse_graph.G.clear()
