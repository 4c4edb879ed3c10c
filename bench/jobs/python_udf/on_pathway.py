"""A Python function called for each row, with Pathway."""

from pathlib import Path

import pathway as pw


class Row(pw.Schema):
    a: int
    s: str


@pw.udf(deterministic=True)
def score(a: int, s: str) -> int:
    return a * 31 + len(s)


def run(inputs: Path, output: Path) -> None:
    rows = pw.io.csv.read(inputs / "rows.csv", schema=Row, mode="static")
    scored = rows.select(bucket=rows.a % 10, score=score(rows.a, rows.s))
    result = scored.groupby(scored.bucket).reduce(scored.bucket, total=pw.reducers.sum(scored.score))
    pw.io.csv.write(result, output / "result.csv")
    pw.run(monitoring_level=pw.MonitoringLevel.NONE)
