"""The newest reading of each sensor, with Pathway."""

from pathlib import Path

import pathway as pw


class Reading(pw.Schema):
    sensor: int
    at: int
    value: int


def run(inputs: Path, output: Path) -> None:
    readings = pw.io.csv.read(inputs / "readings.csv", schema=Reading, mode="static")
    newest = readings.deduplicate(
        value=readings.at, instance=readings.sensor, acceptor=lambda new, accepted: new > accepted
    )
    pw.io.csv.write(newest, output / "result.csv")
    pw.run(monitoring_level=pw.MonitoringLevel.NONE)
