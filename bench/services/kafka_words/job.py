"""Words that wait in a topic of one partition are counted into another topic: how many a second."""

from pathlib import Path

from harness import kafka
from harness.jobs import Done, Metric

TITLE = "Kafka, word count"
ROWS, QUICK_ROWS = 3_000_000, 100_000
ORDER = 300
SERVICE = "kafka"
RESULT = kafka.RESULT
METRICS = (Metric("rate", "highest rate", "rows/s", higher_is_better=True),)
TARGET = {"original": ">= 3x"}


def generate(folder: Path, rows: int) -> None:
    (folder / "rows").write_text(str(rows))


def prepare(port: int, inputs: Path) -> None:
    kafka.prepare(port, inputs, int((inputs / "rows").read_text()), [])


def figures(done: Done) -> dict[str, float]:
    found = kafka.Found(done.port, done.inputs)
    found.save(done.output)
    rate = int((done.inputs / "rows").read_text()) / found.seconds_since(done.figures["began"])
    kafka.remember_rate(done.engine, rate)
    return {"rate": rate}
