"""The live pipeline to be looked at: with its dashboard, records that cannot be read, and a source to stop.

The weather comes as a file for each day; one report in 200 is garbled. `stop` and Enter end the feed of
flights, while the folder of the weather is followed until Ctrl-C.
"""

import argparse
import contextlib
import json
import shutil
import sys
import threading
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

import by_time
import pathway as pw
from feed import FlightFeed
from pipeline import DATA, OUT, Airline, Airport, Flight, delays, write

#: one report of the weather in so many is garbled
ONE_IN = 200


class WeatherStation:
    """Writes what was measured on a day as a file of its own."""

    def __init__(self, reports: Path, folder: Path) -> None:
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        self.folder = folder
        self.days: defaultdict[str, list[str]] = defaultdict(list)
        for date, report in read(reports):
            self.days[date].append(report)

    def report(self, date: str) -> None:
        """The file of this day is there at once, and whole."""
        unfinished = self.folder / f".{date}"
        unfinished.write_text("".join(self.days[date]), encoding="utf-8")
        unfinished.rename(self.folder / f"{date}.jsonl")


def read(path: Path) -> Iterator[tuple[str, str]]:
    """The reports with their dates, some of them garbled as those of a station can be."""
    with open(path, encoding="utf-8") as file:
        for number, line in enumerate(file, 1):
            report = json.loads(line)
            if number % ONE_IN == 0:
                broken = number // ONE_IN % 2 == 0
                line = (
                    line[: len(line) // 2] + "\n"
                    if broken
                    else json.dumps({**report, "visibility": "fog"}) + "\n"
                )
            yield report["at"].split()[0], line


def stop_when_told(feed: FlightFeed) -> None:
    """Waits for `stop` at the keyboard."""
    for line in sys.stdin:
        if line.strip() == "stop":
            feed.stop()
            return


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=600.0, help="how long the year should take")
    options = parser.parse_args()

    station = WeatherStation(DATA / "weather.jsonl", OUT / "watch" / "weather")
    feed = FlightFeed(DATA / "flights.csv", options.seconds, station.report)
    flights = pw.io.python.read(feed, schema=Flight, autocommit_duration_ms=None, name="flights")
    airlines = pw.io.csv.read(DATA / "airlines.csv", schema=Airline, mode="static", name="airlines")
    airports = pw.io.jsonlines.read(DATA / "airports.jsonl", schema=Airport, mode="static", name="airports")
    weather = pw.io.jsonlines.read(station.folder, schema=by_time.Weather, mode="streaming", name="weather")
    write(delays(flights, airlines, airports), OUT / "watch")
    by_time.write(by_time.by_time(flights, weather), OUT / "watch")
    threading.Thread(target=stop_when_told, args=(feed,), daemon=True).start()
    # Ctrl-C is how this is meant to end.
    with contextlib.suppress(KeyboardInterrupt):
        pw.run(with_http_server=True, monitoring_level=pw.MonitoringLevel.NONE)


if __name__ == "__main__":
    main()
