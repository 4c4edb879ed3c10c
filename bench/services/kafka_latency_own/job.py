"""The same at 50 % and 80 % of the highest rate of ours."""

from pathlib import Path

from harness import kafka
from harness.jobs import Done

TITLE = "Kafka, word count"
#: So many rows a second, if it is not our rate.
ROWS, QUICK_ROWS = 0, 5_000
ORDER = 302
SERVICE = "kafka"
PROGRAMS = "kafka_words"
RESULT = kafka.RESULT
METRICS = kafka.latency_metrics("our rate")
WITHOUT = ("original",)


def generate(folder: Path, rows: int) -> None:
    (folder / "rows").write_text(str(rows))


def prepare(port: int, inputs: Path) -> None:
    kafka.prepare_latency(port, inputs, int((inputs / "rows").read_text()) or kafka.rate_of("ours"))


def figures(done: Done) -> dict[str, float]:
    return kafka.latency_figures(done)
