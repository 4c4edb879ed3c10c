"""Word count with Polars (lazy, streaming engine)."""

from pathlib import Path

import polars as pl


def run(inputs: Path, output: Path) -> None:
    lines = pl.scan_ndjson(inputs / "words.jsonl", schema={"word": pl.String})
    counts = lines.group_by("word").agg(pl.len().alias("count"))
    counts.sink_csv(output / "result.csv", engine="streaming")
