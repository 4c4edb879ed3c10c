"""Sliding windows that overlap much, with Pathway."""

from pathlib import Path

import pathway as pw


class Reading(pw.Schema):
    sensor: int
    t: int
    value: int


def run(inputs: Path, output: Path) -> None:
    readings = pw.io.csv.read(inputs / "readings.csv", schema=Reading, mode="static")
    window = pw.temporal.sliding(hop=60, duration=3600)
    result = readings.windowby(readings.t, window=window, instance=readings.sensor).reduce(
        sensor=pw.this._pw_instance,
        start=pw.this._pw_window_start,
        rows=pw.reducers.count(),
        total=pw.reducers.sum(pw.this.value),
        largest=pw.reducers.max(pw.this.value),
    )
    pw.io.csv.write(result, output / "result.csv")
    pw.run(monitoring_level=pw.MonitoringLevel.NONE)
