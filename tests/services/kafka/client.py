"""Topics of the broker under test, through a client that is not ours."""

from __future__ import annotations

import itertools
import time
from typing import Any, NamedTuple

from confluent_kafka import Consumer, Producer, TopicPartition
from confluent_kafka.admin import AdminClient, NewPartitions, NewTopic

from services.runner import Running

_numbers = itertools.count(1)


class Message(NamedTuple):
    """What is read from a topic."""

    key: bytes | None
    value: bytes | None
    headers: list[tuple[str, bytes | None]]


class Topic:
    """A new topic of its own."""

    def __init__(self, broker: Running, partitions: int = 1) -> None:
        self.name = f"topic-{next(_numbers)}"
        self.server = f"127.0.0.1:{broker.port}"
        self._admin = AdminClient({"bootstrap.servers": self.server})
        self._producer = Producer({"bootstrap.servers": self.server, "linger.ms": 1})
        for made in self._admin.create_topics([NewTopic(self.name, partitions)]).values():
            made.result()

    def settings(self, **others: Any) -> dict[str, Any]:
        """Settings to read it with."""
        own = {"bootstrap.servers": self.server, "group.id": f"{self.name}-readers"}
        return {**own, **{name.replace("_", "."): value for name, value in others.items()}}

    def send(
        self,
        *values: bytes | str | None,
        key: bytes | str | None = None,
        partition: int | None = None,
        headers: list[tuple[str, bytes | None]] | None = None,
        timestamp: int | None = None,
    ) -> None:
        """Adds messages, which are there when it returns."""
        options: dict[str, Any] = {"key": key, "headers": headers, "partition": partition}
        options["timestamp"] = timestamp
        options = {name: value for name, value in options.items() if value is not None}
        for value in values:
            self._producer.produce(self.name, value=value, **options)
            self._producer.poll(0)
        assert self._producer.flush(30) == 0

    def add_partitions(self, total: int) -> None:
        """More partitions."""
        for made in self._admin.create_partitions([NewPartitions(self.name, total)]).values():
            made.result()
        while len(self._admin.list_topics(self.name).topics[self.name].partitions) < total:
            time.sleep(0.01)
        self._producer = Producer({"bootstrap.servers": self.server, "linger.ms": 1})

    def messages(self) -> list[Message]:
        """All messages, by partition."""
        return read_topic(self.server, self.name)

    def committed(self) -> dict[int, int]:
        """The offsets that the group of `settings` has committed, by partition."""
        consumer = Consumer({"bootstrap.servers": self.server, "group.id": f"{self.name}-readers"})
        count = len(consumer.list_topics(self.name).topics[self.name].partitions)
        found = consumer.committed([TopicPartition(self.name, number) for number in range(count)], timeout=10)
        consumer.close()
        return {element.partition: element.offset for element in found if element.offset >= 0}


def read_topic(server: str, name: str) -> list[Message]:
    """All messages of a topic, by partition."""
    consumer = Consumer(
        {
            "bootstrap.servers": server,
            "group.id": "looks",
            "enable.partition.eof": True,
            "enable.auto.commit": False,
        }
    )
    partitions = consumer.list_topics(name).topics[name].partitions
    found: list[tuple[int, Message]] = []
    consumer.assign([TopicPartition(name, number, 0) for number in partitions])
    left = len(partitions)
    while left:
        message = consumer.poll(30)
        assert message is not None, "the broker does not answer"
        if message.error():
            left -= 1
            continue
        content = Message(message.key(), message.value(), message.headers() or [])
        found.append((message.partition(), content))
    consumer.close()
    return [message for _, message in sorted(found, key=lambda pair: pair[0])]
