"""Word count from topic to topic with Pathway, until the empty word comes."""

import json
import os
import time
from pathlib import Path

import pathway as pw


class Line(pw.Schema):
    word: str


class End(Exception):
    """The empty word has come."""


def run(inputs: Path, output: Path) -> dict[str, float]:
    topics = json.loads((inputs / "topics.json").read_text())
    settings = {
        "bootstrap.servers": f"127.0.0.1:{os.environ['BENCH_PORT']}",
        "group.id": topics["words"],
        "auto.offset.reset": "earliest",
    }
    lines = pw.io.kafka.read(
        settings, topics["words"], format="json", schema=Line, autocommit_duration_ms=100
    )
    counts = lines.groupby(lines.word).reduce(lines.word, count=pw.reducers.count())
    pw.io.kafka.write(counts, settings, topics["counts"], format="json")
    ends: list[str] = []

    def on_change(key: pw.Pointer, row: dict, time: int, is_addition: bool) -> None:
        ends.append(row["word"])
        raise End

    pw.io.subscribe(counts.filter(counts.word == ""), on_change)
    began = time.time()
    try:
        pw.run(monitoring_level=pw.MonitoringLevel.NONE)
    except Exception:
        if not ends:
            raise
    return {"began": began}
