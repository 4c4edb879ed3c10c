"""A function of arrays, with Pathway: it gets whole columns where functions can take them, else lists."""

import inspect
from pathlib import Path
from typing import Any

import numpy as np

import pathway as pw


class Row(pw.Schema):
    a: int
    b: int


def score(a: Any, b: Any) -> Any:
    a, b = np.asarray(a), np.asarray(b)
    return (a * 31 + b * 17) % 1009 + np.abs(a - b) // 3


options: dict[str, Any] = {"deterministic": True, "return_type": int}
if "batched" in inspect.signature(pw.UDF.__init__).parameters:
    options["batched"] = "numpy"
else:
    options["max_batch_size"] = 10_000


def run(inputs: Path, output: Path) -> None:
    rows = pw.io.csv.read(inputs / "rows.csv", schema=Row, mode="static")
    scored = rows.select(bucket=rows.a % 10, score=pw.udf(**options)(score)(rows.a, rows.b))
    result = scored.groupby(scored.bucket).reduce(scored.bucket, total=pw.reducers.sum(scored.score))
    pw.io.csv.write(result, output / "result.csv")
    pw.run(monitoring_level=pw.MonitoringLevel.NONE)
