"""A broker that is killed in the middle of a transaction, and started again."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from services.kafka.client import read_topic
from services.kafka.service import SERVICE
from services.processes import Processes, until
from services.runner import Running, free_port

PROGRAM = """
import sys

import pathway as pw

server, inputs, state = sys.argv[1:]

class Number(pw.Schema):
    number: int

numbers = pw.io.jsonlines.read(inputs, schema=Number, name="numbers", autocommit_duration_ms=5)
pw.io.kafka.write(numbers, {"bootstrap.servers": server}, "numbers", key=None)
pw.run(
    monitoring_level=pw.MonitoringLevel.NONE,
    persistence_config=pw.persistence.Config(pw.persistence.Backend.filesystem(state)),
)
"""


class Broker:
    """A broker of its own, which can be killed and started again where it was."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir()
        self.folder, self.port = folder, free_port()
        self.server = f"127.0.0.1:{self.port}"
        self.command = SERVICE.command(self.port, folder)
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        log = self.folder / "service.log"
        with log.open("wb") as sink:
            self.process = subprocess.Popen(
                self.command, cwd=self.folder, stdout=sink, stderr=sink, start_new_session=True
            )
        process = self.process
        place = Running("kafka", self.port, self.folder, process.pid)

        def is_ready() -> bool:
            assert process.poll() is None, log.read_text(errors="replace")[-2000:]
            return SERVICE.ready(place)

        until(is_ready, "the broker has started")

    def kill(self) -> None:
        if self.process is not None and self.process.poll() is None:
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[Broker]:
    broker = Broker(tmp_path / "broker")
    try:
        broker.start()
        yield broker
    finally:
        broker.kill()


def test_what_was_being_written_comes_once(broker: Broker, processes: Processes, tmp_path: Path) -> None:
    inputs = tmp_path / "in"
    inputs.mkdir()
    sent = 0

    def send(count: int) -> None:
        nonlocal sent
        lines = "".join(json.dumps({"number": number}) + "\n" for number in range(sent, sent + count))
        (tmp_path / "new").write_text(lines)
        (tmp_path / "new").rename(inputs / f"{sent}.jsonl")
        sent += count

    def written() -> list[int]:
        messages = read_topic(broker.server, "numbers")
        return sorted(json.loads(message.value or b"")["number"] for message in messages)

    send(20)
    run = processes.start(PROGRAM, broker.server, inputs, tmp_path / "state")
    until(lambda: written() == list(range(sent)) or run.poll() is not None, "the first rows are there")
    assert run.poll() is None, processes.log()
    for _ in range(2):
        # Transactions follow each other all the time: one of them loses its broker.
        begin = time.monotonic()
        while time.monotonic() < begin + 0.5:
            send(50)
        broker.kill()
        send(50)
        broker.start()
        send(50)
        until(lambda: len(written()) >= sent or run.poll() is not None, "all rows are there", 120)
        assert run.poll() is None, processes.log()
        assert written() == list(range(sent))
    run.send_signal(signal.SIGTERM)
    assert run.wait(60) == 128 + signal.SIGTERM, processes.log()
    assert written() == list(range(sent))
