"""Word count with Pathway."""

from pathlib import Path

import pathway as pw


class Line(pw.Schema):
    word: str


def run(inputs: Path, output: Path) -> None:
    lines = pw.io.jsonlines.read(inputs / "words.jsonl", schema=Line, mode="static")
    counts = lines.groupby(lines.word).reduce(lines.word, count=pw.reducers.count())
    pw.io.csv.write(counts, output / "result.csv")
    pw.run(monitoring_level=pw.MonitoringLevel.NONE)
