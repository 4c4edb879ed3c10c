"""How long it takes from a word to its count at 50 % and 80 % of the highest rate of the original."""

from pathlib import Path

from harness import kafka
from harness.jobs import Done

TITLE = "Kafka, word count"
#: So many rows a second, if it is not the rate of the original.
ROWS, QUICK_ROWS = 0, 5_000
ORDER = 301
SERVICE = "kafka"
PROGRAMS = "kafka_words"
RESULT = kafka.RESULT
METRICS = kafka.latency_metrics("the original's rate")
TARGET = {"original": "a lower p95"}


def generate(folder: Path, rows: int) -> None:
    (folder / "rows").write_text(str(rows))


def prepare(port: int, inputs: Path) -> None:
    kafka.prepare_latency(port, inputs, int((inputs / "rows").read_text()) or kafka.rate_of("original"))


def figures(done: Done) -> dict[str, float]:
    return kafka.latency_figures(done)
