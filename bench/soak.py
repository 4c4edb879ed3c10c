"""A stream that goes on for long: memory and files may not grow.

    python3 bench/soak.py [--minutes 30] [--rate 5000] [--folder DIR]

The program counts readings in windows of each sensor, with a cutoff behind which windows are forgotten, joins
them with a table of sensors that is updated all the time, and adds them up; it keeps its state in a store,
with a checkpoint each second. This script starts it, looks at it every second, and asks it to end.

The rule: after a warm-up of a quarter of the time, the rest is cut in thirds. In the last one, the median of
the resident memory is at most a tenth and 8 MB above that in the first one, and the largest size and number
of the files of the store at most a quarter, and 1 MB or 8 files, above those in the first one.
"""

from __future__ import annotations

import argparse
import os
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import NamedTuple

#: Windows, in seconds of the readings, and how late a reading may be.
WINDOW, CUTOFF = 10, 20
SENSORS, REGIONS = 1000, 20


class Sample(NamedTuple):
    """What is seen of the program at one moment."""

    memory_mb: float
    store_mb: float
    files: int


def program(state: str, rate: int) -> None:
    """What is watched."""
    import pathway as pw

    class Reading(pw.Schema):
        sensor: int
        at: int
        value: int

    class Sensor(pw.Schema):
        sensor: int = pw.column_definition(primary_key=True)
        region: int

    def steadily(each: float) -> int:
        """Waits for the next moment of a clock that ticks so often (in seconds); its number."""
        time.sleep(each - time.monotonic() % each)
        return int(time.monotonic() / each)

    class Readings(pw.io.python.ConnectorSubject):
        def run(self) -> None:
            number = 0
            while True:
                tick = steadily(0.05)
                for _ in range(rate // 20):
                    number += 1
                    late = number % 7 if number % 10 == 0 else 0
                    self.next(sensor=number * 7919 % SENSORS, at=tick // 20 - late, value=number % 101)
                self.commit()

    class Sensors(pw.io.python.ConnectorSubject):
        def run(self) -> None:
            for sensor in range(SENSORS):
                self.next(sensor=sensor, region=sensor % REGIONS)
            while True:
                tick = steadily(0.05)
                for step in range(5):
                    sensor = (tick * 5 + step) * 31 % SENSORS
                    self.next(sensor=sensor, region=(sensor + tick) % REGIONS)
                self.commit()

    readings = pw.io.python.read(Readings(), schema=Reading, name="readings")
    sensors = pw.io.python.read(Sensors(), schema=Sensor, name="sensors")
    windows = readings.windowby(
        readings.at,
        window=pw.temporal.tumbling(duration=WINDOW),
        instance=readings.sensor,
        behavior=pw.temporal.common_behavior(cutoff=CUTOFF, keep_results=False),
    ).reduce(
        sensor=pw.this._pw_instance,
        start=pw.this._pw_window_start,
        count=pw.reducers.count(),
        highest=pw.reducers.max(pw.this.value),
    )
    placed = windows.join(sensors, windows.sensor == sensors.sensor).select(
        sensors.region, windows.start, windows.count, windows.highest
    )
    regions = placed.groupby(placed.region, placed.start).reduce(
        placed.region,
        placed.start,
        count=pw.reducers.sum(placed.count),
        highest=pw.reducers.max(placed.highest),
    )
    there: dict[pw.Pointer, dict[str, int]] = {}
    changes = 0

    def on_change(key: pw.Pointer, row: dict[str, int], time: int, is_addition: bool) -> None:
        nonlocal changes
        changes += 1
        if is_addition:
            there[key] = row
        elif there.get(key) == row:
            del there[key]

    pw.io.subscribe(regions, on_change)
    backend = pw.persistence.Backend.filesystem(state)
    mode = pw.PersistenceMode.OPERATOR_PERSISTING
    config = pw.persistence.Config(backend, snapshot_interval_ms=1000, persistence_mode=mode)
    try:
        pw.run(monitoring_level=pw.MonitoringLevel.NONE, persistence_config=config)
    finally:
        print(f"{changes:,} changes of regions, {len(there)} rows at the end", flush=True)
        assert 0 < len(there) <= REGIONS * (CUTOFF // WINDOW + 3), "windows are forgotten"


def look(process: subprocess.Popen[bytes], state: Path) -> Sample:
    """Memory of the process, and the files of its store."""
    for line in Path(f"/proc/{process.pid}/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            memory = int(line.split()[1]) / 1024
    sizes = []
    for folder, _, names in os.walk(state):
        for name in names:
            try:
                sizes.append(os.path.getsize(os.path.join(folder, name)))
            except FileNotFoundError:
                continue
    return Sample(memory, sum(sizes) / 2**20, len(sizes))


def verdicts(samples: list[Sample]) -> list[tuple[str, float, float, float]]:
    """What is measured, at first and at last, and what it may be at last."""
    rest = samples[len(samples) // 4 :]
    first, last = rest[: len(rest) // 3], rest[-(len(rest) // 3) :]
    memory, more = (statistics.median(sample.memory_mb for sample in part) for part in (first, last))
    store, fuller = (max(sample.store_mb for sample in part) for part in (first, last))
    files, others = (max(sample.files for sample in part) for part in (first, last))
    return [
        ("resident memory, median, MB", memory, more, memory * 1.1 + 8),
        ("files of the store, MB", store, fuller, store * 1.25 + 1),
        ("files of the store", files, others, files * 1.25 + 8),
    ]


def watch(minutes: float, rate: int, folder: Path) -> bool:
    """Runs the program for so long; whether it keeps to the rule."""
    state = folder / "state"
    state.mkdir()
    command = [sys.executable, __file__, "--program", str(state), "--rate", str(rate)]
    process = subprocess.Popen(command, env={**os.environ, "PATHWAY_THREADS": "2"})
    samples: list[Sample] = []
    begin = time.monotonic()
    try:
        while time.monotonic() < begin + 60 * minutes:
            time.sleep(1)
            if process.poll() is not None:
                print(f"the program has ended with code {process.returncode}")
                return False
            samples.append(look(process, state))
            if len(samples) % 60 == 0:
                memory, store, files = samples[-1]
                print(
                    f"{len(samples) // 60} min: {memory:.0f} MB of memory, {store:.1f} MB in {files} files",
                    flush=True,
                )
        process.send_signal(signal.SIGTERM)
        code = process.wait(60)
    finally:
        process.kill()
        process.wait()
    well = code == 128 + signal.SIGTERM
    if not well:
        print(f"asked to end, the program has ended with code {code}")
    for what, first, last, most in verdicts(samples):
        is_kept = last <= most
        well &= is_kept
        kept = "" if is_kept else "  TOO MUCH"
        print(f"{what}: {first:.1f} at first, {last:.1f} at last, at most {most:.1f}{kept}")
    return well


def main() -> int:
    parser = argparse.ArgumentParser(description="Does memory or do files grow in a stream that goes on?")
    parser.add_argument("--minutes", type=float, default=30)
    parser.add_argument("--rate", type=int, default=5000, help="readings a second")
    parser.add_argument("--folder", type=Path, help="where the store is, which is removed in the end")
    parser.add_argument("--program", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.program:
        program(options.program, options.rate)
        return 0
    folder = Path(tempfile.mkdtemp(prefix="soak-", dir=options.folder))
    try:
        return 0 if watch(options.minutes, options.rate, folder) else 1
    finally:
        shutil.rmtree(folder)


if __name__ == "__main__":
    sys.exit(main())
