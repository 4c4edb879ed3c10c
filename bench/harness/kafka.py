"""Words in a topic of one partition, and what becomes of them, for the jobs with Kafka.

A run reads the topic `words`, counts, and writes the changes of the counts to the topic `counts`, until the
empty word comes. That is sent when nothing is added to `counts` any more, by a process that sends words at
given rates before.
"""

from __future__ import annotations

import csv
import itertools
import json
import os
import subprocess
import sys
import time
from array import array
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from .data import vocabulary
from .engines import cache_dir
from .jobs import Done, Metric

#: How many different words there are.
VOCABULARY = 5_000
#: Nothing has been added for so long: nothing will be.
QUIET_S = 4.0
#: How long something may take to come at all.
PATIENCE_S = 120.0
#: Messages are sent so often, at a given rate.
TICK_S = 0.005

#: Parts of the highest rate at which latency is measured, what they are called, and for how long each.
SHARES, PARTS, PHASE_S = (0.5, 0.8), ("half", "most"), 12.0
PERCENTS = (50, 95, 99)

RESULT = {"word": "VARCHAR", "count": "BIGINT"}

_numbers = itertools.count(1)
_senders: dict[Path, subprocess.Popen[bytes]] = {}


def words() -> list[str]:
    """All words."""
    return vocabulary(VOCABULARY)


def word_at(number: int) -> int:
    """Which word the message with this number has: each about as often, in no order."""
    return number * 2_654_435_761 % 4_294_967_296 * VOCABULARY >> 32


def message(word: str) -> bytes:
    """A word as it stands in the topic."""
    return b'{"word":"' + word.encode() + b'"}'


def server(port: int) -> dict[str, Any]:
    """Settings of a client of the broker."""
    return {"bootstrap.servers": f"127.0.0.1:{port}"}


def prepare(port: int, inputs: Path, waiting: int, rates: list[tuple[float, float]]) -> None:
    """Makes new topics, the first with so many words.

    A process then sends more at these rates (a second), each for some seconds.
    """
    from confluent_kafka.admin import AdminClient, NewTopic

    number = f"{os.getpid()}-{next(_numbers)}"
    topics = {"words": f"words-{number}", "counts": f"counts-{number}"}
    admin = AdminClient(server(port))
    # Times of messages are those of the broker where they are written by the engines.
    stamped = {"message.timestamp.type": "LogAppendTime"}
    new = [NewTopic(topics["words"], 1), NewTopic(topics["counts"], 1, config=stamped)]
    for made in admin.create_topics(new).values():
        made.result()
    plan = {**topics, "port": port, "waiting": waiting, "rates": rates}
    (inputs / "topics.json").write_text(json.dumps(plan))
    if inputs in _senders:
        # That of a run that has failed.
        _senders.pop(inputs).kill()
    if waiting:
        _run_sender(inputs, "wait").wait()
    _senders[inputs] = _run_sender(inputs, "go")


def _run_sender(inputs: Path, what: str) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "harness.kafka", str(inputs / "topics.json"), what]
    return subprocess.Popen(command, cwd=Path(__file__).resolve().parent.parent)


class _Sender:
    def __init__(self, plan: dict[str, Any]) -> None:
        from confluent_kafka import Producer

        self.plan = plan
        self.sent = plan["waiting"]
        self.messages = [{"value": message(word)} for word in words()]
        settings = {"queue.buffering.max.messages": 2_000_000, "linger.ms": 1, "acks": 1}
        self.producer = Producer({**server(plan["port"]), **settings})

    def send(self, begin: int, count: int) -> None:
        """Sends the words with these numbers."""
        batch = [self.messages[word_at(number)] for number in range(begin, begin + count)]
        while batch:
            queued = self.producer.produce_batch(self.plan["words"], batch, partition=0)
            batch = batch[queued:]
            self.producer.poll(0.0 if not batch else 0.01)

    def fill(self) -> None:
        """Sends what is there before the run."""
        for begin in range(0, self.plan["waiting"], 10_000):
            self.send(begin, min(10_000, self.plan["waiting"] - begin))
        assert self.producer.flush(60) == 0

    def go(self) -> None:
        """Sends words at the given rates once the run writes something, and in the end the empty word."""
        if self.plan["rates"]:
            # One word, which tells that the run is there.
            self.send(self.sent, 1)
            self.sent += 1
            self.producer.flush()
        self._until_written()
        phases = []
        for rate, seconds in self.plan["rates"]:
            phases.append([time.time(), self.sent])
            self._steadily(rate, seconds)
        phases.append([time.time(), self.sent])
        self._until_quiet()
        self.producer.produce(self.plan["words"], message(""), partition=0)
        assert self.producer.flush(60) == 0
        Path(self.plan["report"]).write_text(json.dumps(phases))

    def _steadily(self, rate: float, seconds: float) -> None:
        begin, first = time.perf_counter(), self.sent
        total = int(rate * seconds)
        while self.sent < first + total:
            due = first + min(total, int((time.perf_counter() - begin) * rate))
            self.send(self.sent, due - self.sent)
            self.sent = due
            time.sleep(TICK_S - (time.perf_counter() - begin) % TICK_S)

    def _until_written(self) -> None:
        deadline = time.monotonic() + PATIENCE_S
        while self._written() == 0:
            if time.monotonic() > deadline:
                raise TimeoutError("the run writes nothing")
            time.sleep(0.05)

    def _until_quiet(self) -> None:
        written, since = self._written(), time.monotonic()
        while time.monotonic() - since < QUIET_S:
            time.sleep(0.1)
            if (now := self._written()) != written:
                written, since = now, time.monotonic()

    def _written(self) -> int:
        from confluent_kafka import TopicPartition

        return int(self._watcher.get_watermark_offsets(TopicPartition(self.plan["counts"], 0), timeout=10)[1])

    @property
    def _watcher(self) -> Any:
        from confluent_kafka import Consumer

        if not hasattr(self, "_consumer"):
            self._consumer = Consumer({**server(self.plan["port"]), "group.id": "watches"})
        return self._consumer


def read(port: int, topic: str) -> Iterator[tuple[int, bytes]]:
    """The times, in milliseconds, and values of the messages of a topic of one partition."""
    from confluent_kafka import Consumer, TopicPartition

    consumer = Consumer(
        {**server(port), "group.id": "looks", "enable.auto.commit": False, "enable.partition.eof": True}
    )
    consumer.assign([TopicPartition(topic, 0, 0)])
    while True:
        for found in consumer.consume(10_000, 1.0):
            if found.error():
                consumer.close()
                return
            yield found.timestamp()[1], found.value() or b""


class Found:
    """What is in the topics when a run has ended."""

    def __init__(self, port: int, inputs: Path) -> None:
        if _senders.pop(inputs).wait() != 0:
            raise RuntimeError("the process that sends words has failed")
        plan = json.loads((inputs / "topics.json").read_text())
        #: when each phase began, and how many words had been sent then
        self.phases: list[tuple[float, int]] = json.loads((inputs / "report.json").read_text())
        number_of = {word: number for number, word in enumerate(words())}
        self.counts = [0] * VOCABULARY
        #: when each of the changes came, of which word it is, and its count
        self.times, self.words, self.reached = array("q"), array("l"), array("l")
        for moment, value in read(port, plan["counts"]):
            change = json.loads(value)
            if change["diff"] == 1 and change["word"]:
                number = number_of[change["word"]]
                self.times.append(moment)
                self.words.append(number)
                self.reached.append(change["count"])
                self.counts[number] = change["count"]
        self._port, self._topic = port, plan["words"]

    def save(self, output: Path) -> None:
        """Writes the counts, and forgets the topics."""
        with open(output / "result.csv", "w", newline="", encoding="utf-8") as file:
            out = csv.writer(file)
            out.writerow(RESULT)
            out.writerows(pair for pair in zip(words(), self.counts, strict=True) if pair[1])

    def seconds_since(self, began: float) -> float:
        """From a moment to the last change."""
        return self.times[-1] / 1000 - began

    def latencies(self) -> list[Any]:
        """How long after a word was sent its count was written, in milliseconds, for each phase, sorted.

        The first fifth of a phase is left out.
        """
        import numpy as np

        sent = np.fromiter((moment for moment, _ in read(self._port, self._topic)), dtype=np.int64)[:-1]
        order = np.fromiter(map(word_at, range(len(sent))), dtype=np.int64)
        arrived = np.empty(len(sent), dtype=np.int64)
        times, which, reached = (np.array(a, dtype=np.int64) for a in (self.times, self.words, self.reached))
        for mine, changes in zip(_places(order), _places(which), strict=True):
            # The n-th of a word is there with the first count that is not below n.
            first = np.searchsorted(reached[changes], np.arange(1, len(mine) + 1))
            arrived[mine] = times[changes][first]
        found = []
        for (_, begin), (_, end) in itertools.pairwise(self.phases):
            begin += (end - begin) // 5
            found.append(np.sort(arrived[begin:end] - sent[begin:end]))
        return found


def _places(numbers: Any) -> list[Any]:
    """For each word, where its number stands in an array, in order."""
    import numpy as np

    ends = np.cumsum(np.bincount(numbers, minlength=VOCABULARY))
    return np.split(np.argsort(numbers, kind="stable"), ends[:-1])


def rates_file() -> Path:
    """Where the rates are that engines have reached, by engine."""
    return cache_dir() / "kafka-rates.json"


def rate_of(engine: str) -> float:
    """The highest rate of an engine, as the job `kafka_words` has found it last."""
    known = json.loads(rates_file().read_text()) if rates_file().exists() else {}
    if engine not in known:
        raise SystemExit(f"the highest rate of {engine} is not known: run the job kafka_words before")
    return float(known[engine])


def remember_rate(engine: str, rate: float) -> None:
    """Notes the rate for the jobs that send at a part of it."""
    known = json.loads(rates_file().read_text()) if rates_file().exists() else {}
    rates_file().write_text(json.dumps({**known, engine: rate}))


def latency_metrics(of_what: str) -> tuple[Metric, ...]:
    """The figures of jobs with words at two rates."""
    found = []
    for part, share in zip(PARTS, SHARES, strict=True):
        at = f"at {share:.0%} of {of_what}"
        found.append(Metric(f"rate_{part}", f"sent {at}", "rows/s", higher_is_better=True))
        found += [Metric(f"p{percent}_{part}", f"p{percent} {at}", "ms") for percent in PERCENTS]
    return tuple(found)


def prepare_latency(port: int, inputs: Path, highest: float) -> None:
    """Has words sent at two parts of this rate."""
    prepare(port, inputs, 0, [(highest * share, PHASE_S) for share in SHARES])


def generate_latency(folder: Path, rows: int) -> None:
    """Notes the rate, if it is not the highest of an engine."""
    (folder / "rows").write_text(str(rows))


def at_rates_of(engine: str) -> Callable[[int, Path], None]:
    """Prepares jobs with words at two parts of the highest rate of this engine."""

    def prepare(port: int, inputs: Path) -> None:
        prepare_latency(port, inputs, int((inputs / "rows").read_text()) or rate_of(engine))

    return prepare


def latency_figures(done: Done) -> dict[str, float]:
    """The figures of such a job."""
    found, figures = Found(done.port, done.inputs), {}
    found.save(done.output)
    spans = itertools.pairwise(found.phases)
    for part, (begin, end), delays in zip(PARTS, spans, found.latencies(), strict=True):
        figures[f"rate_{part}"] = (end[1] - begin[1]) / (end[0] - begin[0])
        for percent in PERCENTS:
            figures[f"p{percent}_{part}"] = float(delays[len(delays) * percent // 100])
    return figures


def main() -> None:
    """What the process that sends does."""
    path = Path(sys.argv[1])
    sender = _Sender({**json.loads(path.read_text()), "report": str(path.parent / "report.json")})
    if sys.argv[2] == "wait":
        sender.fill()
    else:
        sender.go()


if __name__ == "__main__":
    main()
