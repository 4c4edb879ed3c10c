"""Interval join, with Pathway."""

from pathlib import Path

import pathway as pw


class Event(pw.Schema):
    event: int
    device: int
    t: int


class Measurement(pw.Schema):
    device: int
    t: int
    value: int


def run(inputs: Path, output: Path) -> None:
    events = pw.io.csv.read(inputs / "events.csv", schema=Event, mode="static")
    measured = pw.io.csv.read(inputs / "measured.csv", schema=Measurement, mode="static")
    result = events.interval_join(
        measured,
        events.t,
        measured.t,
        pw.temporal.interval(-150_000, 150_000),
        events.device == measured.device,
    ).select(events.event, events.device, measured.value, apart=measured.t - events.t)
    pw.io.csv.write(result, output / "result.csv")
    pw.run(monitoring_level=pw.MonitoringLevel.NONE)
